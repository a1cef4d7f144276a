"""Hold what was found plugged into this computer."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Attached:
    """Say of a port or a VISA resource who answers there, which driver fits, and how a bench file says it.

    `answer` is empty where nobody was asked, `driver` where none is known; `lines` are ready to be pasted.
    """

    address: str
    answer: str = ""
    driver: str = ""
    lines: str = ""

    def row(self) -> list[str]:
        """Return what was found as a line of a table."""
        return [self.address, self.answer or "(not asked)", self.driver or "-"]
