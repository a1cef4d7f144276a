"""Lay out what else is asked of the lines: MULTIPLY, CONNECT, GATE, WAIT, and the answer to SELF_TEST."""

import struct
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.cursor import Cursor
from rramlab.finding import Finding

_MULTIPLY, _CONNECT, _GATE, _WAIT = "<HHHH", "<HHI", "<I", "<Q"
MULTIPLY_HEAD = struct.calcsize(_MULTIPLY)
"""Bytes of MULTIPLY before its voltages."""


@final
@dataclass(frozen=True, eq=False)
class MultiplyRequest:
    """Ask for column currents of one macro: voltages (V), (vectors, rows).

    The answer is f32 (A), (vectors, cols), in C order.
    """

    macro: int
    volts: NDArray[np.float32]

    def pack(self) -> bytes:
        """Return the body."""
        head = struct.pack(_MULTIPLY, self.macro, *self.volts.shape, 0)
        return head + np.ascontiguousarray(self.volts, dtype="<f4").tobytes()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "MULTIPLY")
        macro, vectors, rows, _ = cursor.fields(_MULTIPLY)
        volts = cursor.column("<f4", vectors * rows).reshape(vectors, rows)
        cursor.end()
        return cls(macro, volts)


@final
@dataclass(frozen=True)
class ConnectRequest:
    """Ask for BL and SL of a cell on the terminals of the source meter, then its gate (uV)."""

    row: int
    col: int
    gate: int

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_CONNECT, self.row, self.col, self.gate)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        return cls(*_only(_CONNECT, body, "CONNECT"))


@final
@dataclass(frozen=True)
class GateRequest:
    """Ask for the gate (uV) of the connected cell."""

    gate: int

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_GATE, self.gate)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        return cls(*_only(_GATE, body, "GATE"))


@final
@dataclass(frozen=True)
class WaitRequest:
    """Ask a board of virtual time to let this time (ns) pass."""

    duration: int

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_WAIT, self.duration)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        return cls(*_only(_WAIT, body, "WAIT"))


def pack_findings(findings: list[Finding]) -> bytes:
    """Return the answer to SELF_TEST: lines of '+' (good) or '-', part, tab, answer."""
    lines = (f"{'+' if finding.good else '-'}{finding.part}\t{finding.answer}" for finding in findings)
    return "\n".join(lines).encode()


def unpack_findings(body: bytes) -> list[Finding]:
    """Return what the answer to SELF_TEST says."""
    lines = body.decode("utf-8", errors="replace").splitlines()
    parts = ((line[:1] == "+", *line[1:].partition("\t")) for line in lines)
    return [Finding(part, answer, good) for good, part, _, answer in parts]


def _only(layout: str, body: bytes, what: str) -> tuple[int, ...]:
    cursor = Cursor(body, what)
    values = cursor.fields(layout)
    cursor.end()
    return values
