"""Say how something ended: codes for arrays, words for people."""

from enum import IntEnum


class Ending(IntEnum):
    """Name the ways in which a cell can end in a protocol, by a code that an array holds; abstract."""

    @property
    def words(self) -> str:
        """Return the name in plain words."""
        return self.name.replace("_", " ").lower()
