"""Turn what an oscilloscope sends into seconds and volts, as each maker means it.

All three makers describe a record by a line: t_i = x_origin + (i - x_reference) x_step, i counted from 0, and
V = y_origin + (code - y_reference) y_step. They differ in what they call an origin:

Tektronix MSO/DPO4000    XZERO is the time of the first point of the record, YOFF is in codes, YZERO in volts.
Keysight InfiniiVision   xorigin (s) at point xreference, yorigin (V) at code yreference.
Rigol DS1000Z            xorigin (s) at point xreference, yorigin in codes, to be added to yreference.

(Programmer's manuals: MSO4000 and DPO4000 "WFMOutpre", InfiniiVision and DS1000Z ":WAVeform:PREamble?".)
Nothing is rounded; the last point lies (points - 1) x_step after the first.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import LinkError, LinkFault

FloatArray = NDArray[np.float64]
Codes = NDArray[Any]

TEKTRONIX = ("BYT_NR", "BN_FMT", "BYT_OR", "NR_PT", "XINCR", "XZERO", "YMULT", "YOFF", "YZERO")
"""Name what a Tektronix pre-amble must hold, in the order in which `Scaling.tektronix` takes it."""


@final
@dataclass(frozen=True)
class Scaling:
    """Hold how codes become seconds and volts: number of points, type of a code, and the two lines."""

    points: int
    code: str
    x_step: float
    x_origin: float
    x_reference: float
    y_step: float
    y_origin: float
    y_reference: float

    @classmethod
    def tektronix(cls, fields: list[str]) -> Self:
        """Return the scaling that the fields named in `TEKTRONIX` declare."""
        with_text = "a Tektronix pre-amble", ",".join(fields)
        width, sign, order, *numbers = fields if len(fields) == len(TEKTRONIX) else _not(*with_text)
        points, x_step, x_zero, y_mult, y_off, y_zero = _numbers(numbers, *with_text)
        kind = {"RI": "i", "RP": "u"}.get(sign.strip().upper()) or _not(*with_text)
        ends = {"MSB": ">", "LSB": "<"}.get(order.strip().upper()) or _not(*with_text)
        code = f"{ends}{kind}{_width(width, *with_text)}"
        return cls(int(points), code, x_step, x_zero, 0.0, y_mult, y_zero, y_off)

    @classmethod
    def keysight(cls, text: str, signed: bool = False, big: bool = False) -> Self:
        """Return the scaling of an InfiniiVision pre-amble; sign and byte order are settings beside it."""
        form, points, *line = _ten(text, "a Keysight pre-amble")
        width = {0.0: 1, 1.0: 2}.get(form) or _not("a Keysight pre-amble of binary data", text)
        x_step, x_origin, x_reference, y_step, y_origin, y_reference = line
        code = f"{'>' if big else '<'}{'i' if signed else 'u'}{width}"
        return cls(int(points), code, x_step, x_origin, x_reference, y_step, y_origin, y_reference)

    @classmethod
    def rigol(cls, text: str) -> Self:
        """Return the scaling of a DS1000Z pre-amble, whose vertical origin is a number of codes."""
        form, points, *line = _ten(text, "a Rigol pre-amble")
        width = {0.0: 1, 1.0: 2}.get(form) or _not("a Rigol pre-amble of binary data", text)
        x_step, x_origin, x_reference, y_step, y_origin, y_reference = line
        return cls(
            int(points), f"<u{width}", x_step, x_origin, x_reference, y_step, 0.0, y_origin + y_reference
        )

    @property
    def width(self) -> int:
        """Return the bytes of a code."""
        return np.dtype(self.code).itemsize

    def codes(self, data: bytes | bytearray) -> Codes:
        """Return the codes in these bytes; a number of bytes that does not fit is garbled."""
        if len(data) != self.points * self.width:
            raise LinkError(
                LinkFault.GARBLED,
                f"a record of {self.points} points of {self.width} bytes was announced, {len(data)} bytes "
                "came; take the waveform again",
            )
        return np.frombuffer(data, dtype=self.code)

    def time(self) -> FloatArray:
        """Return the time of each point (s), 0 at the trigger."""
        axis = np.arange(self.points, dtype=np.float64)
        if self.x_reference:
            axis -= self.x_reference
        axis *= self.x_step
        axis += self.x_origin
        return axis

    def volts(self, codes: Codes) -> FloatArray:
        """Return the voltage of each code (V)."""
        volts = np.subtract(codes, self.y_reference, dtype=np.float64)
        volts *= self.y_step
        volts += self.y_origin
        return volts


@final
@dataclass(frozen=True, eq=False)
class Waveform:
    """Hold one record of one channel: the codes as they came, and the scaling that makes volts of them."""

    codes: Codes
    scaling: Scaling

    @cached_property
    def time(self) -> FloatArray:
        """Return the time of each point (s), 0 at the trigger."""
        return self.scaling.time()

    @cached_property
    def volts(self) -> FloatArray:
        """Return the voltage of each point (V)."""
        return self.scaling.volts(self.codes)

    @property
    def off_screen(self) -> NDArray[np.bool_]:
        """Tell of each point whether it lies within a code of either end of the range, or beyond it."""
        kind = np.iinfo(self.codes.dtype)
        return np.asarray((self.codes <= kind.min + 1) | (self.codes >= kind.max))


def _ten(text: str, what: str) -> list[float]:
    """Return format, points and the six numbers of the two lines of a pre-amble of ten fields."""
    fields = text.split(",")
    if len(fields) != 10:
        _not(what, text)
    form, _, points, _, *line = _numbers(fields, what, text)
    return [form, points, *line]


def _numbers(fields: list[str], what: str, text: str) -> list[float]:
    """Return the fields as finite numbers."""
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        _not(what, text)
    if not np.isfinite(numbers).all():
        _not(what, text)
    return numbers


def _width(field: str, what: str, text: str) -> int:
    return int(field) if field.strip() in ("1", "2") else _not(what, text)


def _not(what: str, text: str) -> Any:
    """Refuse a text that is no pre-amble."""
    raise LinkError(
        LinkFault.GARBLED, f"{what} was expected, '{text}' came; is it another model or firmware?"
    )
