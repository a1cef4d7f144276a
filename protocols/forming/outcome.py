"""Say how forming a cell ended, and what to do about it."""

from typing import final

from protocols.ending import Ending


@final
class Formed(Ending):
    """Tell how a cell ended; `cure` is the sentence for the person at the bench."""

    OPEN = 0
    FORMED = 1
    ALREADY_FORMED = 2
    UNFORMED = 3
    STUCK_LOW_RESISTANCE = 4
    PARTLY_FORMED = 5
    UNREADABLE = 6
    NOT_DELIVERED = 7

    @property
    def cure(self) -> str:
        """Return what this outcome means and what to try."""
        return _CURES[self]


_CURES = {
    Formed.OPEN: "Not finished yet. Continue the run with --resume.",
    Formed.FORMED: "Formed, and RESET at once.",
    Formed.ALREADY_FORMED: "It conducted 1 uS or more before the first pulse, and was left alone.",
    Formed.UNFORMED: "The whole ramp did not form it. Try a wider pulse (--width), or map around it.",
    Formed.STUCK_LOW_RESISTANCE: "It conducts whatever RESET does. Map around it.",
    Formed.PARTLY_FORMED: "It conducts too much to be formed further, too little to be formed. Program it.",
    Formed.UNREADABLE: "A reading was no number. Look at its lines, then try again.",
    Formed.NOT_DELIVERED: "Its pulses were not applied, time and again. Look at the board, then try again.",
}
