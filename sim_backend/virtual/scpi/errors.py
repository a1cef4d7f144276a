"""Name what an instrument finds wrong with a message, by the numbers of the SCPI standard."""

from typing import final

STANDARD = {
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -140: "Character data error",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
}
"""Text of each error of the standard; an instrument may say it in its own words."""


@final
class ScpiError(Exception):
    """Refuse a program message with a number, as an instrument does."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{number}, {STANDARD.get(number, 'an error of the device')}")
        self.number = number


def event_bit(number: int) -> int:
    """Return the bit of the standard event register that an error of this number sets (IEEE 488.2)."""
    for least, bit in ((-199, 32), (-299, 16), (-399, 8), (-499, 4)):
        if least <= number < least + 100:
            return bit
    return 16 if 800 <= number < 900 else 8
