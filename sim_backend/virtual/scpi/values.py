"""Read parameters of commands, and show settings as an instrument does."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from sim_backend.virtual.scpi.errors import ScpiError

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)\s*([A-Z]*)")
_UNITS = {"": 1.0, "V": 1.0, "A": 1.0, "S": 1.0, "OHM": 1.0, "HZ": 1.0, "PCT": 1.0}
_MULTIPLES = {"P": 1e-12, "N": 1e-9, "U": 1e-6, "M": 1e-3, "K": 1e3, "MA": 1e6, "G": 1e9}
FACTORS = _UNITS | {f"{m}{u}": f for m, f in _MULTIPLES.items() for u in _UNITS if u != ""} | _MULTIPLES
ENDLESS = 9.9e37
"""Stands for infinity in SCPI."""
NOT_A_NUMBER = 9.91e37
"""Stands for what was not measured in SCPI."""


class Kind(ABC):
    """Say what a parameter may be."""

    default: Any
    parts: int = 1
    """Parameters that it may be made of."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """Return the value of a parameter, or refuse it with an error number."""

    @abstractmethod
    def show(self, value: Any) -> str:
        """Return the value as the instrument answers it."""

    def limit(self, word: str) -> Any:
        """Return what MINimum, MAXimum or DEFault is."""
        raise ScpiError(-108)


@final
@dataclass(frozen=True)
class Number(Kind):
    """Take a number from `low` to `high` in the base unit; `form` shows it, `whole` rounds it."""

    low: float
    high: float
    default: float
    form: str = "{:.6E}"
    whole: bool = False

    def read(self, text: str) -> float:
        """Return the number, which must be within the range."""
        value = self.limit(text) if is_limit(text) else number(text)
        # A value that went through six digits of text still admits itself.
        if not self.low - abs(self.low) * 1e-6 <= value <= self.high + abs(self.high) * 1e-6:
            raise ScpiError(-222)
        return float(round(value)) if self.whole else value

    def limit(self, word: str) -> float:
        """Return the smallest, largest or default number."""
        if not is_limit(word):
            raise ScpiError(-224)
        return {"MIN": self.low, "MAX": self.high, "DEF": self.default}[word.upper()[:3]]

    def show(self, value: float) -> str:
        """Return the number as text."""
        return str(round(value)) if self.whole else self.form.format(value)


@final
@dataclass(frozen=True)
class Switch(Kind):
    """Take ON, OFF, 1 or 0."""

    default: bool = False

    def read(self, text: str) -> bool:
        """Return whether it is on."""
        word = text.upper()
        if word in ("ON", "OFF"):
            return word == "ON"
        if not _NUMBER.fullmatch(word):
            raise ScpiError(-224)
        return round(number(text)) != 0

    def show(self, value: bool) -> str:
        """Return 1 or 0."""
        return "1" if value else "0"


@final
@dataclass(frozen=True)
class Choice(Kind):
    """Take one of a few words, short or long, written as in manuals: "VOLTage CURRent".

    Where `wordy` returns True the long form is answered.
    """

    words: str
    default: str
    wordy: Callable[[], bool] = bool

    def read(self, text: str) -> str:
        """Return the short form of the word."""
        asked = unquoted(text).upper()
        for word in self.words.split():
            if asked in (short(word), word.upper()):
                return short(word)
        raise ScpiError(-224)

    def show(self, value: str) -> str:
        """Return the short form, or the long one where that is asked for."""
        if not self.wordy():
            return value
        return next((word.upper() for word in self.words.split() if short(word) == value), value)


@final
@dataclass(frozen=True)
class Format(Kind):
    """Take the format of readings, one of a few such as "ASC REAL,32 SRE"; REAL alone is the first REAL."""

    forms: str
    default: str = "ASC"
    parts: int = 2

    def read(self, text: str) -> str:
        """Return the short form."""
        word = text.upper().replace(" ", "").replace("ASCII", "ASC").replace("SREAL", "SRE")
        fitting = [form for form in self.forms.split() if form == word or form.split(",")[0] == word]
        if not fitting:
            raise ScpiError(-224)
        return fitting[0]

    def show(self, value: str) -> str:
        """Return the short form."""
        return value


@final
@dataclass(frozen=True)
class Text(Kind):
    """Take any text, quoted or not."""

    default: str = ""

    def read(self, text: str) -> str:
        """Return the text without its quotes."""
        return unquoted(text)

    def show(self, value: str) -> str:
        """Return the text in quotes."""
        return f'"{value}"'


def number(text: str) -> float:
    """Return a decimal number, with a unit or not."""
    match = _NUMBER.fullmatch(text.upper().strip())
    if match is None or match[2] not in FACTORS:
        named = {"INF": ENDLESS, "INFINITY": ENDLESS, "NINF": -ENDLESS}.get(text.upper())
        if named is None:
            raise ScpiError(-104)
        return named
    return float(match[1]) * FACTORS[match[2]]


def is_limit(text: str) -> bool:
    """Tell whether the parameter is MINimum, MAXimum or DEFault."""
    return text.upper() in ("MIN", "MAX", "DEF", "MINIMUM", "MAXIMUM", "DEFAULT")


def short(word: str) -> str:
    """Return the short form of a word that is written as in manuals: "VOLT" of "VOLTage"."""
    return "".join(sign for sign in word if not sign.islower())


def unquoted(text: str) -> str:
    """Return a text without quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
