"""Hold the limits that stand on the board as well: exact, in microvolts and nanoseconds."""

import struct
from dataclasses import astuple, dataclass, fields
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.cursor import Cursor
from rramlab.board_protocol.pulses import PulseRequest
from rramlab.board_protocol.readings import ReadRequest
from rramlab.board_protocol.units import whole
from rramlab.limits import Limits
from rramlab.pulse import Polarity

_LAYOUT = "<10I"
_REFUSAL = "<IBBHqQ"


@final
@dataclass(frozen=True)
class Refusal:
    """Say which value leaves which limit: place in the batch, code of the limit, asked and allowed."""

    index: int
    limit: int
    asked: int
    allowed: int

    @property
    def name(self) -> str:
        """Return the name of the limit."""
        return NAMES[self.limit] if self.limit < len(NAMES) else f"limit {self.limit}"

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_REFUSAL, self.index, self.limit, 0, 0, self.asked, self.allowed)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "a refusal")
        index, limit, _, _, asked, allowed = cursor.fields(_REFUSAL)
        cursor.end()
        return cls(index, limit, asked, allowed)


@final
@dataclass(frozen=True)
class BoardLimits:
    """Hold the limits in the order of the wire: voltages (uV), then widths (ns), named as in `Limits`."""

    v_read: int
    v_set: int
    v_set_open_gate: int
    gate_set: int
    v_form: int
    gate_form: int
    v_reset: int
    gate: int
    width: int
    width_form: int

    @classmethod
    def of(cls, limits: Limits) -> Self:
        """Return the limits of a bench file."""
        scales = [1e9 if name.startswith("width") else 1e6 for name in NAMES]
        given = zip(NAMES, scales, strict=True)
        return cls(*(int(whole(getattr(limits, name), scale, "<u4")) for name, scale in given))

    def lowered(self, to: Self) -> Self:
        """Return the lower one of each."""
        return type(self)(*map(min, astuple(self), astuple(to)))

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_LAYOUT, *astuple(self))

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "LIMITS")
        values = cursor.fields(_LAYOUT)
        cursor.end()
        return cls(*values)

    def breach_of_pulses(self, batch: PulseRequest) -> Refusal | None:
        """Return the first value of a batch that leaves its limit: drive, then gate, then width."""
        kind = batch.polarity.astype(np.intp)
        opened = (kind == Polarity.SET) & (batch.gate > self.gate_set)
        drives = ("v_set", "v_reset", "v_form", "v_set_open_gate")
        return (
            self._breach(batch.drive, drives, np.where(opened, 3, kind))
            or self._breach(batch.gate, ("gate", "gate", "gate_form"), kind)
            or self._breach(batch.width, ("width", "width", "width_form"), kind)
        )

    def breach_of_reading(self, reading: ReadRequest) -> Refusal | None:
        """Return the value of a reading that leaves its limit."""
        asked = {"v_read": abs(reading.v_read), "gate": reading.gate}
        return next((r for name, value in asked.items() if (r := self._refusal(0, name, value))), None)

    def breach_of_volts(self, volts: NDArray[np.float32]) -> Refusal | None:
        """Return the first input voltage (V) of MULTIPLY that leaves v_read, to the nearest microvolt."""
        micro = np.rint(np.abs(volts.ravel().astype(np.float64)) * 1e6)
        return self._breach(micro, ("v_read",), np.zeros(micro.size, dtype=np.intp))

    def breach_of_gate(self, gate: int) -> Refusal | None:
        """Return the refusal of a gate (uV) of CONNECT or GATE."""
        return self._refusal(0, "gate", gate)

    def _breach(self, asked: NDArray[Any], names: tuple[str, ...], kind: NDArray[np.intp]) -> Refusal | None:
        allowed = np.array([getattr(self, name) for name in names], dtype=np.int64)[kind]
        beyond = ~(asked <= allowed)
        if not beyond.any():
            return None
        i = int(np.argmax(beyond))
        return Refusal(i, NAMES.index(names[kind[i]]), int(np.nan_to_num(asked[i])), int(allowed[i]))

    def _refusal(self, index: int, name: str, asked: int) -> Refusal | None:
        allowed = getattr(self, name)
        return Refusal(index, NAMES.index(name), asked, allowed) if asked > allowed else None


NAMES = tuple(field.name for field in fields(BoardLimits))
"""The names of the limits; the place in this list is the code on the wire."""
