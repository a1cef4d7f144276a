"""Put the signals of the closed loop on the inputs of an oscilloscope."""

from collections.abc import Mapping
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.virtual.world import LoopWaveforms, World

FloatArray = NDArray[np.float64]

LOGIC = 3.3
"""High level of the switch line (V)."""
EXTERNAL = 0
"""Stands for the external trigger input, to which the switch line goes as well."""
WIRING = {1: "x1", 2: "x2", 3: "out1", 4: "out2"}
"""Signal on each channel, unless the bench is wired otherwise; the switch goes to the external trigger."""
WITHOUT_EXTERNAL = {1: "x1", 2: "x2", 3: "switch"}
"""The same for an oscilloscope that has no external trigger input."""


@final
class Signals:
    """Hold which signal of the loop goes to which channel: x1, x2, out1, out2 or switch."""

    def __init__(self, world: World, wiring: Mapping[int, str] | None = None) -> None:
        self._world = world
        self._wiring = {**(WIRING if wiring is None else wiring), EXTERNAL: "switch"}
        self.clock = world.clock

    def latest(self) -> LoopWaveforms | None:
        """Return the last run of the loop, None where there was none."""
        return self._world.loop_waveforms

    def volts(self, waves: LoopWaveforms | None, channel: int, time: FloatArray) -> FloatArray:
        """Return the voltage (V) of a channel at times (s) from the beginning of a run."""
        name = self._wiring.get(channel, "")
        if waves is None or not name:
            return np.zeros(time.shape)
        if name == "switch":
            closed = (time >= 0) & (time < waves.run.coefficients.duration)
            return np.where(closed, LOGIC, 0.0)
        return waves.run.volts * np.interp(time, waves.result.time, _column(waves, name))

    def edge(self, waves: LoopWaveforms, channel: int, level: float, rising: bool) -> float | None:
        """Return when (s, from the beginning of a run) a channel crosses a level (V), None if never."""
        duration = waves.run.coefficients.duration
        if self._wiring.get(channel) == "switch":
            moment = 0.0 if rising else duration
            return moment if 0 < level < LOGIC else None
        time = np.linspace(-0.01 * duration, 1.01 * duration, 10_001)
        above = self.volts(waves, channel, time) >= level
        crossed = np.flatnonzero(above[1:] != above[:-1])
        fitting = [i for i in crossed if above[i + 1] == rising]
        return float(time[fitting[0] + 1]) if fitting else None


def _column(waves: LoopWaveforms, name: str) -> FloatArray:
    """Return a signal of the first run (network units)."""
    number = int(name[-1]) - 1
    kept = waves.result.state if name.startswith("x") else waves.result.output
    if len(kept):
        return np.asarray(kept[0, :, number], dtype=float)
    if name.startswith("x"):
        return np.asarray(waves.result.trace[:, 0, number], dtype=float)
    return np.zeros(waves.result.time.shape)
