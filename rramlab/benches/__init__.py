"""Hold the bench files that ship with the package."""
