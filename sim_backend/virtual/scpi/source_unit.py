"""Source a voltage under a compliance and measure the current: what all source meters do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import final

import numpy as np

from sim_backend.virtual.clock import WorldClock

NEAR = 5e-3
"""A current so near to the compliance (relative) is held by it: the source regulates to within this."""
SETTLING = 1e-3
"""Time after which a new level has settled (s)."""
NOISE = 2e-6
"""Noise of a reading over one line cycle (rms, share of the measuring range)."""
OVERRANGE = 1.05
"""Share of its nominal value up to which a range measures and sources."""
LEAST_RANGE, LARGEST_RANGE = -8, 0
"""Decades of the measuring ranges: 10 nA to 1 A."""


class Terminals(ABC):
    """Connect a source meter with what lies at its terminals."""

    @abstractmethod
    def meter(self, volts: float, compliance: float, seconds: float) -> float:
        """Source a voltage (V) under a compliance (A) for a time (s) and return the current (A)."""

    @abstractmethod
    def output(self, volts: float | None) -> None:
        """Take note that the output is on at this voltage (V), or off (None)."""


@final
@dataclass(frozen=True)
class Sample:
    """Hold one measurement: source level (V), voltage at the terminals (V), current (A), time (s)."""

    level: float
    volts: float
    amperes: float
    time: float
    limited: bool


@final
class SourceUnit:
    """Hold the output stage: level (V), compliance (A), whether it is on, and how it measures.

    `fixed_range` (A) is the measuring range, 0 for automatic; `cycles` the integration in line cycles of
    `line` (Hz); `delay` (s) passes between sourcing and measuring.
    """

    def __init__(self, terminals: Terminals, clock: WorldClock, seed: int = 0) -> None:
        self.clock = clock
        self._terminals = terminals
        self._rng = np.random.default_rng([seed, 3])
        self.line = 50.0
        self.on = False
        self.standard()

    def standard(self) -> None:
        """Return to the settings of a reset, output off."""
        self.switch(False)
        self.level, self.compliance, self.fixed_range = 0.0, 105e-6, 0.0
        self.cycles, self.delay = 1.0, 0.0
        self.limited = False

    @property
    def limit(self) -> float:
        """Return the compliance that holds (A): a fixed measuring range limits as well."""
        return min(self.compliance, OVERRANGE * (self.fixed_range or inf))

    @property
    def range(self) -> float:
        """Return the measuring range (A); an automatic one is that of the last reading or the compliance."""
        return self.fixed_range or range_of(self.compliance)

    def switch(self, on: bool) -> None:
        """Switch the output; on, the level that is set comes to the terminals."""
        if on == self.on:
            return
        self.on = on
        self._terminals.output(self.level if on else None)
        if on:
            self._apply()

    def set_level(self, volts: float) -> None:
        """Set the level (V); with the output on it comes to the terminals at once."""
        self.level = volts
        if self.on:
            self._terminals.output(volts)
            self._apply()

    def step_to(self, volts: float) -> None:
        """Set the level (V) of a step of a sweep, whose delay is its settling."""
        self.level = volts
        if self.on:
            self._terminals.output(volts)

    def sample(self, volts: float | None = None, delay: float | None = None) -> Sample:
        """Source the level, or another one (V), wait the delay (s), measure; time passes.

        A level that is not the present one is a step of a sweep, and becomes the present one.
        """
        if volts is not None and volts != self.level:
            self.step_to(volts)
        seconds = self.cycles / self.line + (self.delay if delay is None else delay)
        amperes = self._measure(seconds)
        at_terminals = self.level if self.on else 0.0
        return Sample(self.level, at_terminals, amperes, self.clock.now(), self.limited)

    def _measure(self, seconds: float) -> float:
        if not self.on:
            self.clock.sleep(seconds)
            self.limited = False
            return self._noisy(0.0)
        amperes = self._terminals.meter(self.level, self.limit, seconds)
        self.limited = abs(amperes) >= self.limit * (1 - NEAR)
        return self._noisy(amperes)

    def _noisy(self, amperes: float) -> float:
        spread = NOISE * (self.fixed_range or range_of(amperes)) / np.sqrt(self.cycles)
        return amperes + float(spread * self._rng.standard_normal())

    def _apply(self) -> None:
        if self.level:
            amperes = self._terminals.meter(self.level, self.limit, SETTLING)
            self.limited = abs(amperes) >= self.limit * (1 - NEAR)


def range_of(amperes: float) -> float:
    """Return the smallest decade range (A) that measures this current."""
    for decade in range(LEAST_RANGE, LARGEST_RANGE):
        if abs(amperes) <= OVERRANGE * 10.0**decade:
            return float(10.0**decade)
    return float(10.0**LARGEST_RANGE)


def covering(ranges: Sequence[float], value: float) -> float:
    """Return the smallest range that covers a value, as instruments choose one."""
    return next((span for span in ranges if abs(value) <= OVERRANGE * span), ranges[-1])


def staircase(start: float, stop: float, points: int, logarithmic: bool = False) -> list[float]:
    """Return the levels (V) of a sweep, both ends among them."""
    if logarithmic:
        sign = -1.0 if start < 0 else 1.0
        return [float(v) for v in sign * np.geomspace(abs(start), abs(stop), points)]
    return [float(v) for v in np.linspace(start, stop, points)]
