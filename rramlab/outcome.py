"""Say how programming a cell ended, and what to do about it."""

from enum import IntEnum
from typing import final


@final
class Outcome(IntEnum):
    """Tell how a cell ended; `cure` is the sentence for the person at the bench."""

    PENDING = 0
    CONVERGED = 1
    PULSES_SPENT = 2
    ENERGY_SPENT = 3
    NO_RESPONSE = 4
    STUCK_LOW = 5
    STUCK_HIGH = 6
    UNFORMED = 7
    UNKNOWN = 8

    @property
    def cure(self) -> str:
        """Return what this outcome means and what to try."""
        return _CURES[self]


_CURES = {
    Outcome.PENDING: "Not finished yet. Continue the run with --resume.",
    Outcome.CONVERGED: "Within tolerance, twice.",
    Outcome.PULSES_SPENT: "The pulse budget was spent. Raise --max-pulses or widen --tolerance.",
    Outcome.ENERGY_SPENT: "The energy budget was spent. Raise the budget or widen --tolerance.",
    Outcome.NO_RESPONSE: "Pulses no longer move the cell; it is in quarantine. Leave it, or map around it.",
    Outcome.STUCK_LOW: "The cell stays in a low conductance whatever SET does. Map the weight elsewhere.",
    Outcome.STUCK_HIGH: "The cell stays in a high conductance whatever RESET does. Map the weight elsewhere.",
    Outcome.UNFORMED: "The cell conducts less than 1 uS: it was never formed. Form it, or map around it.",
    Outcome.UNKNOWN: "A pulse may or may not have reached the cell. It is read, never pulsed again blindly.",
}
