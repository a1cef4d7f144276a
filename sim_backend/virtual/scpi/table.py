"""Find the command that a header asks for, in short or long form, with suffixes and optional nodes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import final

from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.parser import Unit
from sim_backend.virtual.scpi.values import is_limit, number, short, unquoted

Answer = str | bytes | None
_NODE = re.compile(r"\[?:?([A-Za-z*|_]+(?:\d(?=\b))?)(<(\d+)>)?\]?")


@final
@dataclass(frozen=True)
class Call:
    """Hold what a command was called with: parameters, and the numbers in its header (1 where none stood)."""

    arguments: tuple[str, ...] = ()
    suffixes: tuple[int, ...] = ()

    def expect(self, least: int, most: int | None = None) -> None:
        """Refuse a call with too few or too many parameters."""
        if len(self.arguments) < least:
            raise ScpiError(-109)
        if len(self.arguments) > (least if most is None else most):
            raise ScpiError(-108)

    def number(self, place: int, default: float) -> float:
        """Return the parameter at a place as a number, or the default where it is left out."""
        if place >= len(self.arguments) or is_limit(self.arguments[place]):
            return default
        return number(self.arguments[place])

    def word(self, place: int, default: str = "") -> str:
        """Return the parameter at a place as a word in capitals."""
        return unquoted(self.arguments[place]).upper() if place < len(self.arguments) else default


Handler = Callable[[Call], Answer]


@final
@dataclass(frozen=True)
class Command:
    """Hold a command: its header as in manuals, what it does, and what it answers.

    "[:SOURce<2>]:VOLTage[:LEVel]" has a first node that may be left out and takes the numbers 1 and 2.
    """

    pattern: str
    act: Handler | None = None
    ask: Handler | None = None


@final
@dataclass(frozen=True)
class Found:
    """Hold what answers a header: the handler, the numbers in the header, and the pattern that it fits."""

    handler: Handler
    suffixes: tuple[int, ...]
    pattern: str

    def header(self, long: bool) -> str:
        """Return the header as instruments answer it, in its long or its short form."""
        numbers = iter(self.suffixes)
        nodes = []
        for node in _NODE.finditer(self.pattern):
            name = node[1].partition("|")[0]
            nodes.append((name.upper() if long else short(name)) + (str(next(numbers)) if node[3] else ""))
        return ":" + ":".join(nodes)


@final
class Table:
    """Hold all commands of an instrument."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._rows = [_Row(command) for command in commands]
        self._known: dict[tuple[str, bool], Found] = {}

    def find(self, unit: Unit) -> Found:
        """Return what answers a unit."""
        key = unit.header, unit.is_query
        if key not in self._known:
            self._known[key] = self._search(unit)
        return self._known[key]

    def _search(self, unit: Unit) -> Found:
        for row in self._rows:
            handler = row.command.ask if unit.is_query else row.command.act
            match = row.matcher.fullmatch(unit.header) if handler else None
            if match and handler:
                return Found(handler, row.suffixes(match), row.command.pattern)
        raise ScpiError(-113)


@final
@dataclass
class _Row:
    command: Command
    highest: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        pieces = (self._piece(match) for match in _NODE.finditer(self.command.pattern))
        self.matcher = re.compile("".join(pieces))

    def _piece(self, node: re.Match[str]) -> str:
        if node[1].startswith("*"):
            return re.escape(node[1].upper())
        words = {form for word in node[1].split("|") for form in (short(word), word.upper())}
        text = f":(?:{'|'.join(sorted(words, key=len, reverse=True))})"
        if node[3]:
            self.highest.append(int(node[3]))
            text += r"(\d*)"
        return f"(?:{text})?" if node[0].startswith("[") else text

    def suffixes(self, match: re.Match[str]) -> tuple[int, ...]:
        found = tuple(int(group or 1) for group in match.groups())
        if any(not 1 <= n <= most for n, most in zip(found, self.highest, strict=True)):
            raise ScpiError(-114)
        return found
