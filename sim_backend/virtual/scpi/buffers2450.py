"""Keep the reading buffers of a Keithley 2450, and tell their elements."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import final

import numpy as np

from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.readings import binary
from sim_backend.virtual.scpi.source_unit import Sample
from sim_backend.virtual.scpi.table import Call
from sim_backend.virtual.scpi.values import number, short

DEFAULTS = ("DEFBUFFER1", "DEFBUFFER2")
_WORDS = """
DATE FORMatted FRACtional READing RELative SEConds SOURce SOURFORMatted SOURSTATus SOURUNIT STATus TIME TSTamp
UNIT
"""
SHORT = {form: short(word) for word in _WORDS.split() for form in (short(word), word.upper())}
BINARY = ("READ", "REL", "SOUR")
LIMITED, REMOTE_SENSE, OUTPUT = 32, 64, 128
"""Bits of the source status."""
MOST = 14
"""Elements that one query may ask for."""


@final
class Buffers2450:
    """Hold readings by the name of their buffer; the two default buffers are always there."""

    def __init__(self) -> None:
        self.clear_all()

    def clear_all(self) -> None:
        """Delete what a program has made and empty the default buffers."""
        self._kept: dict[str, list[Sample]] = {name: [] for name in DEFAULTS}
        self._size = dict.fromkeys(DEFAULTS, 100_000)

    def of(self, name: str = "") -> list[Sample]:
        """Return the readings of a buffer."""
        try:
            return self._kept[name or DEFAULTS[0]]
        except KeyError:
            raise ScpiError(-224) from None

    def add(self, name: str, samples: Sequence[Sample]) -> None:
        """Add readings; a full buffer loses its oldest."""
        kept = self.of(name)
        kept += samples
        del kept[: max(0, len(kept) - self._size[name or DEFAULTS[0]])]

    def make(self, call: Call) -> None:
        """Make a buffer: name, size, style."""
        call.expect(2, 3)
        name = call.word(0)
        if name in self._kept:
            raise ScpiError(-221)
        self._kept[name], self._size[name] = [], max(10, round(call.number(1, 10)))

    def delete(self, call: Call) -> None:
        """Delete a buffer that a program has made."""
        call.expect(1)
        if call.word(0) in DEFAULTS or call.word(0) not in self._kept:
            raise ScpiError(-224)
        del self._kept[call.word(0)]

    def clear(self, call: Call) -> None:
        """Empty a buffer."""
        self.of(call.word(0)).clear()

    def resize(self, call: Call) -> None:
        """Set the size of a buffer, which empties it: size, name."""
        call.expect(1, 2)
        self.of(call.word(1)).clear()
        self._size[call.word(1) or DEFAULTS[0]] = round(call.number(0, 100_000))

    def size(self, call: Call) -> str:
        """Return the size of a buffer."""
        self.of(call.word(0))
        return str(self._size[call.word(0) or DEFAULTS[0]])

    def count(self, call: Call) -> str:
        """Return how many readings a buffer holds."""
        return str(len(self.of(call.word(0))))

    def statistic(self, call: Call, what: str) -> str:
        """Return average, deviation, least or largest reading of a buffer."""
        readings = [sample.amperes for sample in self.of(call.word(0))]
        if not readings:
            return "9.910000E+37"
        return f"{getattr(np, what)(readings):.6E}"

    def part(self, call: Call) -> list[Sample]:
        """Return the readings that :TRACe:DATA? names: first and last (from 1), buffer."""
        call.expect(2, 3 + MOST)
        first, last = (round(number(argument)) for argument in call.arguments[:2])
        kept = self.of(call.word(2))
        if not 1 <= first <= last <= len(kept):
            raise ScpiError(-222)
        return kept[first - 1 : last]


@final
class Elements2450:
    """Tell readings by the elements that a query asks for."""

    def __init__(self, read_back: bool, four_wire: bool, form: str, swapped: bool, origin: float) -> None:
        self._read_back, self._four_wire = read_back, four_wire
        self._form, self._swapped, self._origin = form, swapped, origin

    def tell(self, samples: Sequence[Sample], words: Sequence[str]) -> str | bytes:
        """Return the elements of each reading, as text or as a binary block."""
        names = [SHORT.get(word.upper(), "") for word in words] or ["READ"]
        if "" in names or len(names) > MOST or (self._form != "ASC" and not set(names) <= set(BINARY)):
            raise ScpiError(1133)
        values = [self._element(name, sample) for sample in samples for name in names]
        if self._form == "ASC":
            return ",".join(v if isinstance(v, str) else f"{v:.6E}" for v in values)
        return binary([float(v) for v in values], 8 if self._form == "REAL" else 4, self._swapped)

    def _element(self, name: str, sample: Sample) -> str | float:
        numbers = {
            "READ": sample.amperes,
            "SOUR": sample.volts if self._read_back else sample.level,
            "REL": sample.time - self._origin,
            "FRAC": sample.time % 1.0,
        }
        return numbers[name] if name in numbers else self._word(name, sample)

    def _word(self, name: str, sample: Sample) -> str:
        moment = datetime.fromtimestamp(sample.time, UTC)
        status = OUTPUT | (LIMITED if sample.limited else 0) | (REMOTE_SENSE if self._four_wire else 0)
        return {
            "DATE": f"{moment:%m/%d/%Y}",
            "TIME": f"{moment:%H:%M:%S.%f}",
            "TST": f"{moment:%m/%d/%Y %H:%M:%S.%f}",
            "SEC": str(int(sample.time)),
            "FORM": f"{sample.amperes:+.6E} A",
            "SOURFORM": f"{sample.level:+.6E} V",
            "SOURUNIT": "Volt DC",
            "UNIT": "Amp DC",
            "SOURSTAT": str(status),
            "STAT": "8",
        }[name]
