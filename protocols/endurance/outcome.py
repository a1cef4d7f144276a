"""Say how a cell stood the cycles, and what to do about it."""

from typing import final

from protocols.ending import Ending


@final
class Endured(Ending):
    """Tell how a cell stood the cycles; `cure` is the sentence for the person at the bench."""

    ENDURED = 0
    SUSPECT = 1
    WINDOW_CLOSED = 2
    STUCK_HIGH = 3
    STUCK_LOW = 4
    UNREADABLE = 5
    UNFORMED = 6

    @property
    def cure(self) -> str:
        """Return what this outcome means and what to try."""
        return _CURES[self]


_CURES = {
    Endured.ENDURED: "Its window is open after the last cycle.",
    Endured.SUSPECT: "Its window was closed at the last cycle. Go on with --after to see whether it stays.",
    Endured.WINDOW_CLOSED: "Both states moved, and the window closed between them. Map around it.",
    Endured.STUCK_HIGH: "RESET does not bring it down any more. A softer SET (--set) spares the others.",
    Endured.STUCK_LOW: "SET does not bring it up any more. Try a stronger SET, or map around it.",
    Endured.UNREADABLE: "A reading was no number. Look at its lines with rramlab health.",
    Endured.UNFORMED: "It conducted less than 1 uS before the first cycle and was left alone. Form it.",
}
FAILED = (Endured.WINDOW_CLOSED, Endured.STUCK_HIGH, Endured.STUCK_LOW, Endured.UNREADABLE)
"""Outcomes of cells that were cycled and failed."""
