"""Record signals as an oscilloscope does: wait for a trigger, sample, turn volts into codes."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sim_backend.virtual.faults import Fault, Injector
from sim_backend.virtual.scpi.signals import Signals
from sim_backend.virtual.world import LoopWaveforms

FloatArray = NDArray[np.float64]
Codes = NDArray[Any]

NOISE = 0.3
"""Noise of the input stage (rms, in steps of the 8-bit converter)."""


@final
class State(Enum):
    """Tell what an oscilloscope is doing."""

    STOPPED = "stopped"
    RUNNING = "running"
    WAITING = "waiting"
    TRIGGERED = "triggered"


@final
class Content(Enum):
    """Tell what the codes of a record are: the signals, or something to test transfers with."""

    SIGNALS = "signals"
    RANDOM = "random"
    LINEFEEDS = "linefeeds"


@final
@dataclass(frozen=True)
class Window:
    """Hold which points are recorded: time of the first one from the trigger (s), step (s), number."""

    first: float
    step: float
    points: int

    @property
    def end(self) -> float:
        """Return when the record is complete, from the trigger (s)."""
        return self.first + self.step * self.points

    def time(self) -> FloatArray:
        """Return the time of each point from the trigger (s)."""
        return np.asarray(self.first + self.step * np.arange(self.points), dtype=np.float64)


@final
@dataclass(frozen=True)
class Trigger:
    """Hold what is waited for: an edge of a channel (0 is the external input) through a level (V)."""

    channel: int
    level: float
    rising: bool
    waits: bool = True


@final
@dataclass(frozen=True)
class Input:
    """Hold how volts become steps of the 8-bit converter: V per step, V in the middle, code there."""

    volts_per_step: float
    centre: float
    middle: int = 0
    low: int = -128
    high: int = 127


@final
@dataclass
class Digitizer:
    """Hold the last record, or the one that is waited for; `content` replaces the signals in tests."""

    signals: Signals
    seed: int = 0
    injector: Injector = field(default_factory=Injector)
    content: Content = Content.SIGNALS

    def __post_init__(self) -> None:
        self._single = self._running = False
        self._trigger = Trigger(0, 1.0, True)
        self._window = Window(0.0, 1e-6, 1000)
        self._before: LoopWaveforms | None = None
        self._waves: LoopWaveforms | None = None
        self._offset = 0.0
        self._count = 0
        self._known: dict[tuple[Any, ...], Codes] = {}

    # Acquisition.

    def arm(self, trigger: Trigger, window: Window, single: bool) -> None:
        """Begin to wait for a run of the loop that triggers: once, or again and again."""
        self._trigger, self._window = trigger, window
        self._running, self._single = True, single
        self._before = self.signals.latest()

    def stop(self) -> None:
        """Stop; what was recorded last stays."""
        self.look()
        self._running = False

    def force(self) -> None:
        """Trigger now, whatever the signals are."""
        if self._running:
            self._take(self.signals.latest(), 0.0)

    def look(self) -> State:
        """Return the state, after looking at what has happened since."""
        waves = self.signals.latest()
        if self._running and waves is not None and waves is not self._before:
            t = self._trigger
            edge = self.signals.edge(waves, t.channel, t.level, t.rising)
            if edge is not None and not self._complete(waves.began + edge):
                return State.TRIGGERED
            self._before = waves
            if edge is not None:
                self._take(waves, edge)
        elif self._running and self._single and not self._trigger.waits:
            self._take(waves, 0.0)
        if not self._running:
            return State.STOPPED
        return State.WAITING if self._single else State.RUNNING

    def _complete(self, moment: float) -> bool:
        """Tell whether the record that a trigger began is complete; where nobody waits, time passes."""
        clock, end = self.signals.clock, moment + self._window.end
        if not clock.waits:
            clock.reach(end)
        return clock.now() >= end

    def _take(self, waves: LoopWaveforms | None, edge: float) -> None:
        self._waves, self._offset = waves, edge
        self._count += 1
        self._known.clear()
        self._running = self._running and not self._single

    # Content.

    @property
    def count(self) -> int:
        """Return how many records were taken."""
        return self._count

    def codes(self, channel: int, window: Window, seen: Input) -> Codes:
        """Return the steps of the 8-bit converter, clipped at both ends, of a window of the last record."""
        content = Content.LINEFEEDS if self.injector.strikes(Fault.LINEFEEDS) else self.content
        key = channel, window, seen, content
        if key not in self._known:
            if len(self._known) > 8:
                self._known.clear()
            self._known[key] = self._made(channel, window, seen, content)
        return self._known[key]

    def _made(self, channel: int, window: Window, seen: Input, content: Content) -> Codes:
        kind = np.int8 if seen.low < 0 else np.uint8
        rng = np.random.default_rng([self.seed, self._count, channel])
        if content is Content.LINEFEEDS:
            return np.full(window.points, 10, kind)
        if content is Content.RANDOM:
            return np.frombuffer(rng.bytes(window.points), kind)
        volts = self.signals.volts(self._waves, channel, window.time() + self._offset)
        steps = (volts - seen.centre) / seen.volts_per_step + seen.middle
        steps += NOISE * rng.standard_normal(window.points, np.float32)
        return np.clip(np.round(steps), seen.low, seen.high).astype(kind)


def wide(codes: Codes, swapped: bool) -> bytes:
    """Return codes of 8 bits as words of 16, their low byte empty; `swapped` puts the low byte first."""
    kind = ("<" if swapped else ">") + ("i2" if codes.dtype == np.int8 else "u2")
    return (codes.astype(kind) * 256).astype(kind).tobytes()
