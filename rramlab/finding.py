"""Hold what was found out about one part of a bench."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Finding:
    """Say of one part of a bench what it answered, whether that is good, and what to do if it is not."""

    part: str
    answer: str
    good: bool
    advice: str = ""

    def row(self) -> list[str]:
        """Return the finding as a line of a table."""
        verdict = "ok" if self.good else "NOT OK"
        return [self.part, self.answer, f"{verdict}: {self.advice}" if self.advice else verdict]
