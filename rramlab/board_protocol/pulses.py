"""Lay out PULSE: a batch of pulses in columns, perhaps with a reading after each, and how far it got."""

import struct
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.cursor import Cursor, garbled, member
from rramlab.board_protocol.readings import SPEC, pack_cells, unpack_cells
from rramlab.board_protocol.units import microvolts, volts, whole
from rramlab.board_protocol.words import Fault
from rramlab.cells import Cells
from rramlab.pulse import Polarity, PulseTrain
from rramlab.reading import ReadSpec

_HEAD, _REPLY = "<HBB", "<IBBH"
_COLUMNS = (("polarity", "<u1"), ("drive", "<u4"), ("gate", "<u4"), ("width", "<u4"))
VERIFY = 1
PULSE_BYTES = 17
"""The most bytes of a pulse in a batch: row, column, polarity, drive, gate, width."""
HEAD_BYTES = struct.calcsize(_HEAD) + struct.calcsize(SPEC)
"""The most bytes of a batch beside its pulses."""

WholeArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class PulseRequest:
    """Ask for one pulse per cell: polarity, drive (uV), gate (uV), width (ns).

    `verify` asks for a reading of each cell after its pulse. On the wire a column in which all values are
    equal is sent as one value; a bit says so.
    """

    cells: Cells
    polarity: WholeArray
    drive: WholeArray
    gate: WholeArray
    width: WholeArray
    verify: ReadSpec | None = None

    @classmethod
    def of(cls, train: PulseTrain, verify: ReadSpec | None = None) -> Self:
        """Return the request of a train, to the nearest microvolt and nanosecond."""
        drive, gate = whole(train.drive, 1e6, "<u4"), whole(train.gate, 1e6, "<u4")
        width = whole(train.width, 1e9, "<u4")
        return cls(train.cells, train.polarity.astype(np.int64), drive, gate, width, verify)

    def train(self) -> PulseTrain:
        """Return the train (V, s)."""
        polarity = self.polarity.astype(np.uint8)
        return PulseTrain(self.cells, polarity, self.drive / 1e6, self.gate / 1e6, self.width / 1e9)

    def pack(self) -> bytes:
        """Return the body."""
        columns = [_squeezed(getattr(self, name), dtype) for name, dtype in _COLUMNS]
        uniform = sum(same << bit for bit, (same, _) in enumerate(columns))
        head = struct.pack(_HEAD, len(self.cells), uniform, VERIFY if self.verify else 0)
        data = b"".join(column for _, column in columns)
        return head + _packed_spec(self.verify) + pack_cells(self.cells) + data

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "PULSE")
        count, uniform, options = cursor.fields(_HEAD)
        verify = _unpacked_spec(cursor) if options & VERIFY else None
        cells = unpack_cells(cursor, count)
        columns = [_spread(cursor, dtype, count, uniform >> i & 1) for i, (_, dtype) in enumerate(_COLUMNS)]
        cursor.end()
        polarity, drive, gate, width = columns
        if (polarity > max(Polarity)).any():
            raise garbled(f"PULSE has a polarity {polarity.max()}")
        return cls(cells, polarity, drive, gate, width, verify)


@final
@dataclass(frozen=True, eq=False)
class PulseReply:
    """Tell how many pulses of the batch went out, from its front, why not more, and their readings (S)."""

    executed: int
    stopped: Fault = Fault.NONE
    readings: NDArray[np.float64] | None = None

    def pack(self) -> bytes:
        """Return the body."""
        read = self.readings is not None
        data = b"" if self.readings is None else self.readings.astype("<f4").tobytes()
        return struct.pack(_REPLY, self.executed, self.stopped, VERIFY if read else 0, 0) + data

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "the answer to PULSE")
        executed, stopped, options, _ = cursor.fields(_REPLY)
        readings = cursor.column("<f4", executed).astype(np.float64) if options & VERIFY else None
        cursor.end()
        return cls(executed, member(Fault, stopped), readings)


def _squeezed(column: NDArray[Any], dtype: str) -> tuple[bool, bytes]:
    same = column.size > 0 and bool((column == column[0]).all())
    return same, (column[:1] if same else column).astype(dtype).tobytes()


def _spread(cursor: Cursor, dtype: str, count: int, same: int) -> WholeArray:
    values = cursor.column(dtype, 1 if same else count).astype(np.int64)
    return np.repeat(values, count) if same else values


def _packed_spec(spec: ReadSpec | None) -> bytes:
    if spec is None:
        return b""
    return struct.pack(SPEC, microvolts(spec.v_read), microvolts(spec.gate), spec.samples, 0)


def _unpacked_spec(cursor: Cursor) -> ReadSpec:
    v_read, gate, samples, _ = cursor.fields(SPEC)
    return ReadSpec(volts(v_read), volts(gate), samples)
