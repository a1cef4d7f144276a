"""Hold the pictures that ship with the package."""
