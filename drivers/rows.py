"""Declare a property of an instrument as one row: query, command, unit, range, and what it does."""

from abc import ABC, abstractmethod
from math import isfinite
from typing import Any, Generic, Protocol, Self, TypeVar, final, overload

from drivers.scpi import Scpi, as_number
from rramlab.errors import InputError, LinkError, LinkFault

Value = TypeVar("Value")


class Speaks(Protocol):
    """Have an instrument to speak with."""

    @property
    def scpi(self) -> Scpi:
        """Return the conversation."""


class Row(ABC, Generic[Value]):
    """Read and set one property of an instrument; to read it is to ask, to assign is to set it.

    `{c}` in query and command stands for the channel, `{}` for the value. What is assigned is acknowledged;
    `read_back` asks for it again and refuses another value.
    """

    def __init__(self, query: str, command: str, doc: str, unit: str = "") -> None:
        self.query, self.command, self.unit = query, command, unit
        self.__doc__ = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.strip("_")

    @overload
    def __get__(self, instrument: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instrument: Speaks, owner: type) -> Value: ...

    @final
    def __get__(self, instrument: Speaks | None, owner: type) -> Self | Value:
        return self if instrument is None else self._ask(instrument.scpi)

    @final
    def __set__(self, instrument: Speaks, value: Value) -> None:
        self.check(value)
        scpi = instrument.scpi
        scpi.set(scpi.fill(self.command).replace("{}", self.format(value)))

    @final
    def read_back(self, instrument: Speaks, asked: Value) -> None:
        """Refuse an instrument that has another value than it was asked to take."""
        found = self._ask(instrument.scpi)
        if not self.agrees(asked, found):
            unit = f" {self.unit}" if self.unit else ""
            raise LinkError(
                LinkFault.MISMATCH,
                f"{instrument.scpi.name}: {self.name} was set to {self.format(asked)}{unit} but reads back "
                f"as {self.format(found)}{unit}; is its front panel in use, or an error on its display?",
            )

    def _ask(self, scpi: Scpi) -> Value:
        command = scpi.fill(self.query)
        answer = scpi.query(command)
        try:
            return self.parse(answer)
        except ValueError as error:
            raise scpi.nonsense(command, answer) from error

    @property
    @abstractmethod
    def range(self) -> str:
        """Return what is possible, as a text."""

    @abstractmethod
    def check(self, value: Value) -> None:
        """Refuse a value that the instrument cannot take."""

    @abstractmethod
    def format(self, value: Value) -> str:
        """Return the value as the instrument reads it."""

    @abstractmethod
    def parse(self, answer: str) -> Value:
        """Return the value that an answer tells; ValueError if it tells none."""

    @abstractmethod
    def agrees(self, asked: Value, found: Value) -> bool:
        """Tell whether what was found is what was asked for."""


@final
class Number(Row[float]):
    """Hold a number with unit and range; with `covers`, what reads back may be larger, as ranges are."""

    def __init__(
        self, query: str, command: str, unit: str, low: float, high: float, doc: str, covers: bool = False
    ) -> None:
        super().__init__(query, command, doc, unit)
        self.low, self.high, self.covers = low, high, covers

    @property
    def range(self) -> str:
        """Return both ends."""
        return f"{self.low:g} to {self.high:g}"

    def check(self, value: float) -> None:
        """Refuse a number beyond the range."""
        if not (isfinite(value) and self.low <= value <= self.high):
            raise InputError(
                f"{self.name} of {value:g} {self.unit} is not possible; this instrument takes {self.range}"
            )

    def format(self, value: float) -> str:
        """Return the number with nine digits, however small it is."""
        return plain(value)

    def parse(self, answer: str) -> float:
        """Return the number."""
        return as_number(answer)

    def agrees(self, asked: float, found: float) -> bool:
        """Tell whether they are equal to 0.1 % and to the step of the source."""
        if self.covers:
            return abs(found) >= abs(asked) * (1 - 1e-6)
        return abs(found - asked) <= 1e-3 * abs(asked) + 1e-9 * self.high


@final
class Flag(Row[bool]):
    """Hold what is on or off."""

    def __init__(self, query: str, command: str, doc: str) -> None:
        super().__init__(query, command, doc)

    @property
    def range(self) -> str:
        """Return both states."""
        return "on or off"

    def check(self, value: bool) -> None:
        """Accept both."""

    def format(self, value: bool) -> str:
        """Return 1 or 0."""
        return "1" if value else "0"

    def parse(self, answer: str) -> bool:
        """Return whether it is on."""
        states = {"1": True, "ON": True, "0": False, "OFF": False}
        if answer.strip().upper() not in states:
            raise ValueError(answer)
        return states[answer.strip().upper()]

    def agrees(self, asked: bool, found: bool) -> bool:
        """Tell whether they are equal."""
        return asked == found


@final
class Word(Row[str]):
    """Hold one of some words, given in their short form; an answer may be longer (`CURR:DC`)."""

    def __init__(self, query: str, command: str, choices: tuple[str, ...], doc: str) -> None:
        super().__init__(query, command, doc)
        self.choices = choices

    @property
    def range(self) -> str:
        """Return all of them."""
        return ", ".join(self.choices)

    def check(self, value: str) -> None:
        """Refuse any other word."""
        if value not in self.choices:
            raise InputError(f"{self.name} '{value}' is not possible; choose from: {self.range}")

    def format(self, value: str) -> str:
        """Return the word."""
        return value

    def parse(self, answer: str) -> str:
        """Return the word without its quotes."""
        word = answer.replace('"', "").replace("'", "").replace(" ", "").upper()
        if not word:
            raise ValueError(answer)
        return word

    def agrees(self, asked: str, found: str) -> bool:
        """Tell whether the answer begins with the short form."""
        return found.startswith(asked.upper())


def plain(value: float) -> str:
    """Return a number with nine digits for an instrument, in exponents where it is small."""
    return f"{value:.9G}"


def rows_of(kind: type[Any]) -> list[Row[Any]]:
    """Return the rows that a driver class declares, its bases included."""
    found = {name: row for base in reversed(kind.__mro__) for name, row in vars(base).items()}
    return [row for row in found.values() if isinstance(row, Row)]
