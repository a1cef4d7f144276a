"""Hold the bench files that ship with the package."""

from importlib import resources


def template(name: str) -> str:
    """Return the text of the bench file of this name."""
    return resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
