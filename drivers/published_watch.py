"""Watch the runs of a board on an oscilloscope, for a board that tells nothing of them itself."""

from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from drivers.oscilloscope import Oscilloscope, Source
from drivers.published_schedule import DURATION, SWITCHING, TICK
from drivers.scope_steps import stepped
from drivers.spec import ScopeSpec
from drivers.waveform import Waveform
from rramlab.clock import Clock
from rramlab.errors import LinkError, LinkFault, Unsupported

FloatArray = NDArray[np.float64]

Signal = Literal["x1", "x2", "out1", "out2"]
STATES: tuple[Signal, ...] = ("x1", "x2")
OUTPUTS: tuple[Signal, ...] = ("out1", "out2")
BEFORE = 0.05
"""Time (s) that is recorded before a run: the pre-charge."""
SPAN = BEFORE + DURATION + 0.02
"""Time (s) of a record."""
WRITING = 1.2e-3
"""Time (s) of a tick in which its 18 converter words are written one after the other."""
LEAST = 4
"""Fewest points that a line is drawn through."""
SWITCH_DIVISION = 1.0
"""Scale (V per division) for the switch line, which is logic."""
PATIENCE = 1.0
"""Time (s) after the end of a record by which an oscilloscope has it."""
POLL = 0.02
"""Time (s) between two questions whether a record is complete."""


@final
class Watch:
    """Record states, and outputs where they are connected, from the edge of the switch line on."""

    def __init__(self, scope: Oscilloscope, spec: ScopeSpec, clock: Clock) -> None:
        self._scope, self._spec, self._clock = scope, spec, clock

    @property
    def sees_output(self) -> bool:
        """Tell whether the outputs of the network are connected."""
        return set(OUTPUTS) <= set(self._spec.channels)

    def prepare(self, states: float, outputs: float, level: float) -> None:
        """Set scales of states and outputs (V per division), time base and trigger (V); all is read back."""
        channels = self._spec.channels
        if not set(STATES) <= set(channels):
            raise Unsupported(
                "a run of the published firmware is seen only on an oscilloscope: write the channels of x1 "
                "and x2 into [backend.options.oscilloscope.channels]"
            )
        for name in self._signals():
            self._scope.channel(channels[name], states if name in STATES else outputs)
        source: Source = channels.get("switch", "EXT")
        if source != "EXT":
            self._scope.channel(source, SWITCH_DIVISION, level)
        self._scope.timebase(SPAN, self._spec.points, BEFORE)
        self._scope.trigger(source, level)

    def arm(self) -> None:
        """Wait for the next run."""
        self._scope.single()

    def saw(self) -> bool:
        """Tell whether a run was recorded; if none is there in time, stop waiting for it."""
        end = self._clock.now() + SPAN + PATIENCE
        while not self._scope.acquired():
            if self._clock.now() > end:
                self._scope.safe()
                return False
            self._clock.sleep(POLL)
        return True

    def signals(self, ticks: int) -> FloatArray:
        """Return each signal (V) before the run and at the end of each tick (ticks + 1, signals)."""
        names = self._signals()
        return np.column_stack([at_ticks(self._scope.waveform(self._spec.channels[n]), ticks) for n in names])

    def _signals(self) -> tuple[Signal, ...]:
        return STATES + OUTPUTS if self.sees_output else STATES


def scale_for(volts: float) -> float:
    """Return the V per division at which so many volts, up and down, fit a screen of 8 divisions."""
    return stepped(volts / 4, (1, 2, 5))


def at_ticks(waveform: Waveform, ticks: int) -> FloatArray:
    """Return the signal (V) before a run that begins at 0 s, and at the end of each tick (ticks + 1,).

    Within a tick the converters stand still, and the state is a smooth curve: a straight line through the
    points after the converters were written, at its end, has the noise of many points and no lag. A tick in
    which the signal left the screen is NaN.
    """
    time = waveform.time
    volts = np.where(waveform.off_screen, np.nan, waveform.volts)
    _check_covers(time, ticks)
    begin = float(volts[time < -SWITCHING].mean())
    ends = TICK * np.arange(1, ticks + 1)
    first = np.searchsorted(time, ends - TICK + WRITING)
    last = np.searchsorted(time, ends, side="right")
    lines = zip(ends, first, last, strict=True)
    return np.array([begin, *(_end_of_line(time[a:b] - end, volts[a:b]) for end, a, b in lines)])


def _end_of_line(time: FloatArray, volts: FloatArray) -> float:
    """Return the value at time 0 of the straight line through some points."""
    middle = time.mean()
    spread = time - middle
    slope = (spread @ volts) / (spread @ spread)
    return float(volts.mean() - slope * middle)


def _check_covers(time: FloatArray, ticks: int) -> None:
    """Refuse a record that does not hold the run, or too few points of it."""
    step = (time[-1] - time[0]) / (time.size - 1)
    if time[0] > -SWITCHING - LEAST * step or time[-1] < ticks * TICK:
        raise LinkError(
            LinkFault.MISMATCH,
            f"the record reaches from {time[0]:.6g} to {time[-1]:.6g} s, the run from 0 to "
            f"{ticks * TICK:g} s; did somebody turn the time base of the oscilloscope?",
        )
    if (TICK - WRITING) / step < LEAST:
        needed = int(LEAST * (time[-1] - time[0]) / (TICK - WRITING)) + 1
        raise Unsupported(
            f"the record has a point every {step:.2g} s, too few for ticks of {TICK:g} s; write at least "
            f"points = {needed} into [backend.options.oscilloscope]"
        )
