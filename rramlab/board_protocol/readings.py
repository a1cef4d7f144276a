"""Lay out READ: which cells, how, and the conductances that come back."""

import struct
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.cursor import Cursor
from rramlab.board_protocol.units import microvolts, volts
from rramlab.cells import Cells
from rramlab.reading import ReadSpec

CELL_BYTES = 4
"""Bytes of a cell in READ; the answer takes as many."""
SPEC = "<iIHH"


def pack_cells(cells: Cells) -> bytes:
    """Return all rows, then all columns."""
    return cells.row.astype("<u2").tobytes() + cells.col.astype("<u2").tobytes()


def unpack_cells(cursor: Cursor, count: int) -> Cells:
    """Return the cells that come next."""
    row, col = cursor.column("<u2", count), cursor.column("<u2", count)
    return Cells(row.astype(np.intp), col.astype(np.intp))


@final
@dataclass(frozen=True, eq=False)
class ReadRequest:
    """Ask for conductances: read voltage (uV, signed), gate (uV), samples, cells (rows over all macros)."""

    v_read: int
    gate: int
    samples: int
    cells: Cells

    @classmethod
    def of(cls, cells: Cells, spec: ReadSpec) -> Self:
        """Return the request of a reading."""
        return cls(microvolts(spec.v_read), microvolts(spec.gate), spec.samples, cells)

    def spec(self) -> ReadSpec:
        """Return the reading (V)."""
        return ReadSpec(volts(self.v_read), volts(self.gate), self.samples)

    def pack(self) -> bytes:
        """Return the body."""
        head = struct.pack(SPEC, self.v_read, self.gate, self.samples, len(self.cells))
        return head + pack_cells(self.cells)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "READ")
        v_read, gate, samples, count = cursor.fields(SPEC)
        cells = unpack_cells(cursor, count)
        cursor.end()
        return cls(v_read, gate, samples, cells)


def pack_floats(values: NDArray[np.float64]) -> bytes:
    """Return values as f32, in C order; the body of the answers to READ (S) and MULTIPLY (A)."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def unpack_floats(body: bytes, count: int, what: str) -> NDArray[np.float64]:
    """Return exactly `count` f32 of a body as floats."""
    cursor = Cursor(body, what)
    values = cursor.column("<f4", count).astype(np.float64)
    cursor.end()
    return values
