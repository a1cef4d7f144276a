"""Watch closed-loop runs on an oscilloscope, from the edge of the switch line on."""

from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from drivers.oscilloscope import Oscilloscope, Source
from drivers.scope_steps import stepped
from drivers.spec import ScopeSpec
from drivers.waveform import Waveform
from rramlab.clock import Clock
from rramlab.errors import Unsupported
from rramlab.loop import LoopRun
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

Signal = Literal["x1", "x2", "out1", "out2"]
STATES: tuple[Signal, ...] = ("x1", "x2")
OUTPUTS: tuple[Signal, ...] = ("out1", "out2")
SEEN = "oscilloscope"
"""Name of the note that holds what an oscilloscope recorded."""
BEFORE = 0.05
"""Time (s) that is recorded before a run: the pre-charge."""
AFTER = 0.02
"""Time (s) that is recorded after a run."""
LEVEL = 1.65
"""Level (V) of the switch line, 3.3 V logic, at which a run begins."""
SWITCH_DIVISION = 1.0
"""Scale (V per division) for the switch line, which is logic."""
PATIENCE = 1.0
"""Time (s) after the end of a record by which an oscilloscope has it."""
POLL = 0.02
"""Time (s) between two questions whether a record is complete."""
REACH = 1.5
"""How far (network units) a state goes at least; a state that starts further out goes further."""
OUTPUT_REACH = 4.0
"""How much further an output goes than a state: near the end the score is the state over a small variance."""
MARGIN = 1.25

Record = dict[str, Waveform]
"""What was recorded of each signal, over the same time."""


@final
class LoopWatch:
    """Record states, and outputs where they are connected, of runs that last `duration` (s)."""

    def __init__(self, scope: Oscilloscope, spec: ScopeSpec, clock: Clock) -> None:
        self._scope, self._spec, self._clock = scope, spec, clock
        self._span = 0.0

    @property
    def sees_states(self) -> bool:
        """Tell whether the bench file says on which channels the states are."""
        return set(STATES) <= set(self._spec.channels)

    @property
    def sees_output(self) -> bool:
        """Tell whether the outputs of the network are connected."""
        return set(OUTPUTS) <= set(self._spec.channels)

    def prepare(self, states: float, outputs: float, level: float, duration: float) -> None:
        """Set scales of states and outputs (V per division), trigger (V) and time base; all is read back."""
        channels = self._spec.channels
        if not self.sees_states:
            raise Unsupported(
                "a closed-loop run is seen only on an oscilloscope that sees its states: write the channels "
                "of x1 and x2 into [backend.options.oscilloscope.channels]"
            )
        for name in self._signals():
            self._scope.channel(channels[name], states if name in STATES else outputs)
        source: Source = channels.get("switch", "EXT")
        if source != "EXT":
            self._scope.channel(source, SWITCH_DIVISION, level)
        self._span = BEFORE + duration + AFTER
        self._scope.timebase(self._span, self._spec.points, BEFORE)
        self._scope.trigger(source, level)

    def arm(self) -> None:
        """Wait for the next run."""
        self._scope.single()

    def saw(self) -> bool:
        """Tell whether a run was recorded; if none is there in time, stop waiting for it."""
        end = self._clock.now() + self._span + PATIENCE
        while not self._scope.acquired():
            if self._clock.now() > end:
                self._scope.safe()
                return False
            self._clock.sleep(POLL)
        return True

    def record(self) -> Record:
        """Return what was recorded of each signal: V over s, 0 s where the run began."""
        return {name: self._scope.waveform(self._spec.channels[name]) for name in self._signals()}

    def _signals(self) -> tuple[Signal, ...]:
        return STATES + OUTPUTS if self.sees_output else STATES


def columns_of(record: Record) -> Columns:
    """Return a record as columns: `time` (s) and each signal (V), NaN where it left the screen."""
    first = next(iter(record.values()))
    volts = {name: np.where(w.off_screen, np.nan, w.volts).astype(np.float32) for name, w in record.items()}
    return {"time": first.time, **volts}


def scales_of(run: LoopRun) -> tuple[float, float]:
    """Return the V per division at which the first run of a batch fits the screen: states, outputs."""
    farthest = max(REACH, float(np.abs(run.start[:1]).max(initial=0.0))) * run.volts
    return scale_for(MARGIN * farthest), scale_for(MARGIN * OUTPUT_REACH * farthest)


def scale_for(volts: float) -> float:
    """Return the V per division at which so many volts, up and down, fit a screen of 8 divisions."""
    return stepped(volts / 4, (1, 2, 5))
