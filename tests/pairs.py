"""Play an instrument that expects given commands, each with its answer; a fault is one more word on a pair.

with pairs((":OUTP?", "0"), (":READ?", LinkFault.LOST)) as wire:
    ...
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault

Received = str | bytes | LinkFault | None
"""Text (a line feed is added), bytes as they are, a fault in the place of an answer, or nothing."""
Pair = tuple[str | bytes, Received]


def line(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode() + b"\n"


@final
class PairWire(Wire):
    """Answer what is expected; anything else that is sent ends the test."""

    name = "pairs"

    def __init__(self, expected: list[Pair]) -> None:
        self.expected = expected
        self.openings = 0
        self.arrived = bytearray()
        self.fault: LinkFault | None = None

    def open(self) -> None:
        self.openings += 1
        self.arrived.clear()
        self.fault = None

    def close(self) -> None:
        pass

    def write(self, data: bytes, timeout: float) -> None:
        assert self.expected, f"sent {data!r} where nothing was expected any more"
        sent, received = self.expected.pop(0)
        assert data == line(sent), f"sent {data!r} where {line(sent)!r} was expected"
        if isinstance(received, LinkFault):
            self.fault = received
        elif received is not None:
            self.arrived += line(received)

    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        if self.arrived:
            data = bytes(self.arrived[:most])
            del self.arrived[:most]
            return data
        fault, self.fault = self.fault, None
        raise LinkError(fault or LinkFault.TIMEOUT, "as the pairs say")

    def unasked(self) -> bytes:
        data = bytes(self.arrived)
        self.arrived.clear()
        return data


def set_pairs(*commands: str) -> list[Pair]:
    """Return the pairs of commands that are each acknowledged."""
    return [pair for command in commands for pair in [(command, None), ("*OPC?", "1")]]


@contextmanager
def pairs(*expected: Pair) -> Iterator[PairWire]:
    """Give a wire that expects these pairs, and see afterwards that all of them came."""
    wire = PairWire(list(expected))
    yield wire
    assert wire.expected == [], f"never sent: {wire.expected}"
