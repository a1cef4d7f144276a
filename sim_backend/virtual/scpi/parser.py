"""Read program messages as IEEE 488.2 and SCPI lay them down."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from sim_backend.virtual.scpi.errors import ScpiError

_HEADER = re.compile(r":?[A-Za-z]\w*(:[A-Za-z]\w*)*\??|\*[A-Za-z]+\??")
_OPEN, _CLOSE, _QUOTES = "(", ")", "\"'"


@final
@dataclass(frozen=True)
class Unit:
    """Hold one command or query of a message: its whole header from the root, and its parameters."""

    header: str
    is_query: bool
    arguments: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the header as it would be sent alone."""
        return self.header + "?" * self.is_query


@lru_cache(maxsize=1024)
def units(message: str) -> tuple[Unit | ScpiError, ...]:
    """Return the units of a program message in their order; an error where one cannot be read.

    A header without a colon in front goes on where the last one was: after ":SOUR:VOLT:RANG 1" comes "LEV"
    as ":SOUR:VOLT:LEV"; a common command such as *CLS does not change the place.
    """
    found: list[Unit | ScpiError] = []
    path = ""
    for text in _cut(message, ";"):
        if not text.strip():
            continue
        unit = _unit(text.strip(), path)
        found.append(unit)
        if isinstance(unit, ScpiError):
            break
        if not unit.header.startswith("*"):
            path = unit.header.rpartition(":")[0]
    return tuple(found)


def _unit(text: str, path: str) -> Unit | ScpiError:
    header, *rest = text.split(maxsplit=1)
    if not _HEADER.fullmatch(header):
        return ScpiError(-101 if header[:1] not in ":*" and not header[:1].isalpha() else -102)
    is_query = header.endswith("?")
    header = header.removesuffix("?").upper()
    if not header.startswith(("*", ":")):
        header = f"{path}:{header}"
    arguments = tuple(part.strip() for part in _cut(rest[0], ",")) if rest else ()
    return ScpiError(-102) if "" in arguments else Unit(header, is_query, arguments)


def _cut(text: str, mark: str) -> list[str]:
    """Return a text cut at a mark, but not within quotes or brackets."""
    if not any(sign in text for sign in _QUOTES + _OPEN):
        return text.split(mark)
    parts, quote, depth = [""], "", 0
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in _QUOTES:
            quote = sign
        else:
            depth += (sign == _OPEN) - (sign == _CLOSE)
        if sign == mark and not quote and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
