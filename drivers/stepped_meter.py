"""Work a source meter that has no sweep of its own: this computer steps it."""

from abc import ABC, abstractmethod
from contextlib import closing, suppress
from typing import Any, final

import numpy as np

from drivers.source_meter import SourceMeter
from drivers.spec import MeterSpec
from rramlab.clock import Clock, HostClock
from rramlab.errors import LinkError, LinkFault
from rramlab.finding import Finding
from rramlab.reading import Curve, Staircase

SLICE = 0.2
"""How long (s) steps are taken before others are let in, such as the watchdog of the board."""

AT_COMPLIANCE = 0.98
"""Share of the compliance from which a current counts as limited."""


class SteppedMeter(SourceMeter, ABC):
    """Make a whole source meter of eight methods: the shortest way to a driver of one's own.

    Whatever goes wrong in them should be raised as LinkError, as `Link` does.
    """

    def __init__(self, spec: MeterSpec, clock: Clock | None = None) -> None:
        self.spec = spec
        self._clock = clock or HostClock()
        self._compliance = 0.0
        self._stairs: Staircase | None = None
        self._steps: list[tuple[float, float, float]] = []
        self._began = 0.0

    # What a driver tells.

    @abstractmethod
    def connect(self) -> None:
        """Open the link and make sure who answers."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close the link; never raises."""

    @abstractmethod
    def set_up(self, compliance: float, reach: float, nplc: float, four_wire: bool) -> None:
        """Set compliance (A), ranges for up to `reach` (V), integration and wiring; read them back."""

    @abstractmethod
    def switch(self, on: bool) -> None:
        """Switch the output on or off."""

    # `identify`, `is_off`, `source` and `measure` are those of every source meter.

    # What follows from it.

    @final
    def open(self) -> None:
        """Open the link and switch the output off."""
        self.connect()
        self.safe()

    @final
    def close(self) -> None:
        """Close the link; never raises, also where `connect` has left none behind."""
        with suppress(Exception):
            self.disconnect()

    def self_test(self) -> list[Finding]:
        """Return that the output is off, which is all that can be tested without knowing more."""
        return [Finding("output", "off" if self.is_off() else "on", self.is_off())]

    @final
    def safe(self) -> None:
        """Switch the output off, set 0 V, and make sure of it; each step is tried."""
        self._stairs = None
        try:
            self.switch(False)
        except LinkError:
            self.switch(False)  # over a link that is new by now
        finally:
            self.source(0.0)
        self._ensure(off=True)

    @classmethod
    @final
    def switch_off(cls, spec: Any) -> Finding:
        """Switch off over a link of its own, and return what was read back."""
        meter = cls(spec)
        with closing(meter):
            meter.open()
        return Finding("source meter", "output off", True)

    @final
    def arm(
        self,
        compliance: float,
        reach: float = 2.0,
        nplc: float | None = None,
        four_wire: bool | None = None,
    ) -> None:
        """Set compliance (A), ranges (V), integration (line cycles) and wiring, with the output off."""
        self._ensure(off=True)
        cycles = self.spec.nplc if nplc is None else nplc
        self.set_up(compliance, reach, cycles, self.spec.four_wire if four_wire is None else four_wire)
        self._compliance = compliance

    @final
    def output_on(self) -> None:
        """Switch the output on at 0 V."""
        self.source(0.0)
        self.switch(True)
        self._ensure(off=False)

    @final
    def output_off(self) -> None:
        """Set 0 V and switch the output off."""
        self.source(0.0)
        self.switch(False)

    @final
    def in_compliance(self) -> bool:
        """Tell by a measurement whether the current is limited now."""
        return abs(self.measure()[1]) >= AT_COMPLIANCE * self._compliance

    def interlock_closed(self) -> bool:
        """Return True: most instruments below 42 V have none."""
        return True

    @final
    def start_sweep(self, staircase: Staircase) -> None:
        """Begin a staircase; its steps are taken while `sweep_done` is asked."""
        self._stairs, self._steps, self._began = staircase, [], self._clock.now()

    @final
    def sweep_done(self) -> bool:
        """Take the steps of the next moments, and tell whether it was the last one."""
        stairs, until = self._running(), self._clock.now() + SLICE
        for volts in stairs.voltages[len(self._steps) :]:
            self._step(float(volts), stairs.dwell)
            if self._clock.now() >= until:
                break
        return len(self._steps) == len(stairs.voltages)

    @final
    def fetch_sweep(self) -> Curve:
        """Return the steps: voltage (V), current (A), time since the beginning (s), near the compliance."""
        self._running()
        steps = np.array(self._steps).reshape(-1, 3)
        limited = np.abs(steps[:, 1]) >= AT_COMPLIANCE * self._compliance
        return Curve(steps[:, 0], steps[:, 1], steps[:, 2], limited)

    @final
    def abort(self) -> None:
        """Stop a sweep where it is."""
        self._stairs = None

    # The steps.

    def _step(self, volts: float, dwell: float) -> None:
        self.source(volts)
        self._clock.sleep(dwell)
        self._steps.append((*self.measure(), self._clock.now() - self._began))

    def _running(self) -> Staircase:
        if self._stairs is None:
            raise LinkError(LinkFault.INSTRUMENT, "no sweep was started, or it was stopped; start one")
        return self._stairs

    def _ensure(self, off: bool) -> None:
        if self.is_off() != off:
            said = "on" if off else "off"
            raise LinkError(
                LinkFault.MISMATCH,
                f"the source meter was switched, and says that its output is {said}; look at its front panel",
            )
