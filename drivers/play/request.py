"""Say which tables of the published firmware are to be played, and how."""

from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, final

from drivers.published_hazards import check, fits
from drivers.published_schedule import BIASES, PublishedSettings
from drivers.published_tables import published_table
from rramlab.errors import InputError

WORDS = MappingProxyType({"ring": "0"})
"""Tables that have a name beside their letter."""
MOST_RUNS = 10_000
LETTERS = ("1", "2", "3")


@final
@dataclass(frozen=True)
class PlayRequest:
    """Hold what was asked for: tables by their letters, runs of each, coef, noise scale (0: off), bias (V).

    Without a bias it is the largest one at which all of it fits the converters.
    """

    tables: tuple[str, ...] = ("0",)
    runs: int = 10
    coef: float = 1.0
    noise: float = 0.0
    bias: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", tuple(self.tables))
        if not 1 <= self.runs <= MOST_RUNS:
            raise InputError(f"{self.runs} runs were asked for; 1 to {MOST_RUNS} of each table are possible")
        if not self.tables:
            raise InputError("no table was named; give one or more of them, such as: ring,1,2,3")
        if len(set(self.tables)) < len(self.tables):
            raise InputError(f"tables '{','.join(self.tables)}' are not possible; name each table once")

    def settings(self, offsets: tuple[float, float] = (0.0, 0.0)) -> dict[str, PublishedSettings]:
        """Return what the firmware is set to for each table; LimitExceeded if a converter would overflow."""
        biases = BIASES[::-1] if self.bias is None else (self.bias,)
        for bias in biases:
            found = {t: PublishedSettings(t, bias, self.coef, self.noise, offsets) for t in self.tables}
            if all(fits(settings) for settings in found.values()):
                return found
        for settings in found.values():
            check(settings)
        raise AssertionError("settings that do not fit passed the check")

    def parameters(self) -> dict[str, Any]:
        """Return the request as it is stored with the run."""
        return asdict(self) | {"tables": list(self.tables)}


def parse_tables(text: str) -> tuple[str, ...]:
    """Return the letters of the tables of a text such as "ring" or "1,2,3"."""
    asked = [word.strip() for word in text.split(",") if word.strip()]
    found = tuple(WORDS.get(word.lower(), word) for word in asked)
    for name in found:
        published_table(name)  # refuses one that the firmware has not
    return found


def title(table: str) -> str:
    """Return the name of a table for people."""
    for word, letter in WORDS.items():
        if table == letter:
            return f"{word} ({letter})"
    return f"letters {table}" if table in LETTERS else f"table {table}"
