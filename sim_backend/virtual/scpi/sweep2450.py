"""Sweep as a Keithley 2450 does: the trigger model switches the output on, steps, and switches it off."""

from typing import final

from sim_backend.virtual.scpi.acquisition import Acquisition
from sim_backend.virtual.scpi.buffers2450 import Buffers2450
from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.source_unit import SourceUnit, staircase
from sim_backend.virtual.scpi.table import Call
from sim_backend.virtual.scpi.values import Number

_VOLTS = Number(-210.0, 210.0, 0.0)
MOST_POINTS = 1_000_000


@final
class Sweep2450:
    """Hold a sweep that waits for :INITiate: levels (V), delay (s, None is automatic), abort, buffer."""

    def __init__(self, unit: SourceUnit, acquisition: Acquisition, buffers: Buffers2450) -> None:
        self._unit, self._acquisition, self._buffers = unit, acquisition, buffers
        self.clear()

    def clear(self) -> None:
        """Forget the sweep and the list."""
        self._levels: list[float] = []
        self._delay: float | None = None
        self._stops, self._buffer = True, ""
        self.listed: list[float] = []

    def linear(self, call: Call) -> None:
        """Prepare: start, stop, points, delay, count, range type, fail abort, dual, buffer."""
        call.expect(3, 9)
        self._prepare(call, self._between(call, False), 3)

    def stepped(self, call: Call) -> None:
        """Prepare: start, stop, step, delay, count, range type, fail abort, dual, buffer."""
        call.expect(3, 9)
        start, stop, step = (call.number(i, 0.0) for i in range(3))
        if step == 0 or (stop - start) / step < 0:
            raise ScpiError(-222)
        points = int((stop - start) / step + 1e-9) + 1
        self._prepare(call, [start + step * i for i in range(points)], 3)

    def logarithmic(self, call: Call) -> None:
        """Prepare: start, stop, points, delay, count, range type, fail abort, dual, buffer."""
        call.expect(3, 10)
        if call.number(0, 0.0) * call.number(1, 0.0) <= 0:
            raise ScpiError(-222)
        self._prepare(call, self._between(call, True), 3)

    def along_list(self, call: Call) -> None:
        """Prepare a sweep along the list: first index, delay, count, fail abort, buffer."""
        call.expect(0, 5)
        first = round(call.number(0, 1))
        if not 1 <= first <= len(self.listed):
            raise ScpiError(-222)
        self._keep(self.listed[first - 1 :], call.number(1, -1.0), call.number(2, 1.0))
        self._stops, self._buffer = call.word(3, "ON") in ("ON", "1"), call.word(4)

    def set_list(self, call: Call) -> None:
        """Take the levels (V) of the list."""
        call.expect(1, 100)
        self.listed = [_VOLTS.read(argument) for argument in call.arguments]

    def append_list(self, call: Call) -> None:
        """Add levels (V) to the list."""
        call.expect(1, 100)
        self.listed += [_VOLTS.read(argument) for argument in call.arguments]

    def start(self) -> None:
        """Empty the buffer, switch the output on and step through the levels."""
        if not self._levels:
            raise ScpiError(-221)
        self._buffers.of(self._buffer).clear()
        self._acquisition.restart()
        self._unit.step_to(self._levels[0])
        self._unit.switch(True)
        self._acquisition.begin(list(self._levels), self._ended, self._delay, self._stops)

    def _ended(self) -> None:
        self._unit.switch(False)
        self._buffers.add(self._buffer, self._acquisition.readings)

    def _between(self, call: Call, logarithmic: bool) -> list[float]:
        points = round(call.number(2, 0))
        if not 2 <= points <= MOST_POINTS:
            raise ScpiError(-222)
        start, stop = (_VOLTS.read(argument) for argument in call.arguments[:2])
        return staircase(start, stop, points, logarithmic)

    def _prepare(self, call: Call, levels: list[float], place: int) -> None:
        delay, count = call.number(place, -1.0), call.number(place + 1, 1.0)
        if call.word(place + 4, "OFF") in ("ON", "1"):
            levels = levels + levels[::-1]
        self._buffers.of(call.word(place + 5))
        self._keep(levels, delay, count)
        self._stops, self._buffer = call.word(place + 3, "ON") in ("ON", "1"), call.word(place + 5)

    def _keep(self, levels: list[float], delay: float, count: float) -> None:
        if count < 1:
            raise ScpiError(-222)
        self._levels, self._delay = levels * round(count), None if delay < 0 else delay
