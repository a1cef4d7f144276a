"""Sort cells by what they read: answering, open, short, no number, or not to be moved."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ending import Ending
from rramlab.errors import InputError
from rramlab.quantity import format_quantity

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@final
class Condition(Ending):
    """Tell what a cell looks like; `cure` is the sentence for the person at the bench."""

    ANSWERS = 0
    OPEN = 1
    SHORT = 2
    NO_NUMBER = 3
    STUCK = 4
    NOT_EXAMINED = 5

    @property
    def they_do(self) -> str:
        """Return what lines in this condition do."""
        return _THEY_DO[self]

    @property
    def cure(self) -> str:
        """Return what this condition means and what to try."""
        return _CURES[self]


_THEY_DO = {
    Condition.ANSWERS: "answer",
    Condition.OPEN: "do not answer",
    Condition.SHORT: "are shorted",
    Condition.NO_NUMBER: "give no number",
    Condition.STUCK: "are not moved by pulses",
    Condition.NOT_EXAMINED: "were not examined",
}
_CURES = {
    Condition.ANSWERS: "Reads as a cell does.",
    Condition.OPEN: "Reads about nothing: an open line, a lost contact, or a cell that was never formed.",
    Condition.SHORT: "Conducts more than any cell: a short, or a filament that no RESET opens.",
    Condition.NO_NUMBER: "The reading was no number. Look at the instrument that reads.",
    Condition.STUCK: "Reads, but no test pulse moved it: look at the lines that pulse, or map around it.",
    Condition.NOT_EXAMINED: "Was not read.",
}
FAULTS = (Condition.OPEN, Condition.SHORT, Condition.NO_NUMBER, Condition.STUCK)
"""Conditions of a cell that does not do its work."""


@final
@dataclass(frozen=True)
class Bounds:
    """Hold the readings (S) below which a cell is open and above which it is a short."""

    open_below: float = 1e-6
    short_above: float = 150e-6

    def __post_init__(self) -> None:
        if not 0 < self.open_below < self.short_above:
            low, high = format_quantity(self.open_below, "S"), format_quantity(self.short_above, "S")
            raise InputError(
                f"open below {low} and short above {high} leave no room for a cell; try 1uS and 150uS"
            )

    def sort(self, conductance: FloatArray, examined: BoolArray) -> NDArray[np.uint8]:
        """Return the `Condition` of each cell of readings (S)."""
        with np.errstate(invalid="ignore"):
            sorted_out = np.select(
                [
                    ~examined,
                    ~np.isfinite(conductance),
                    conductance < self.open_below,
                    conductance > self.short_above,
                ],
                [Condition.NOT_EXAMINED, Condition.NO_NUMBER, Condition.OPEN, Condition.SHORT],
                Condition.ANSWERS,
            )
        return sorted_out.astype(np.uint8)
