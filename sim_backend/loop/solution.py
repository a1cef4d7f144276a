"""Hold what a batch of runs gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Keep:
    """Say which runs to record, and every how many ticks; the state after the last tick is always kept."""

    runs: tuple[int, ...] | range
    stride: int = 1


@final
@dataclass(frozen=True)
class Waveforms:
    """Hold recorded signals (V; slope V/s) of `runs` at `time` (s from start): (runs, times, channels)."""

    runs: NDArray[np.int64]
    time: FloatArray
    state: FloatArray
    hidden1: FloatArray
    hidden2: FloatArray
    output: FloatArray
    slope: FloatArray

    def inputs(self, layer: int) -> FloatArray:
        """Return all recorded input voltages (V) of a layer, 0, 1 or 2, as one flat sample."""
        return (self.state, self.hidden1, self.hidden2)[layer].ravel()


@final
@dataclass(frozen=True)
class Solution:
    """Hold the result of a batch: end states (V, runs x dimensions), waveforms and dissipation if asked.

    dissipation: energy that the cells turned into heat (J), shape (runs, layers): integral of sum V^2 G.
    """

    end: FloatArray
    waveforms: Waveforms | None = None
    dissipation: FloatArray | None = None


@final
@dataclass(frozen=True)
class OpenLoop:
    """Hold the network's answer at given states: output and hidden units (V), slope of the state (V/s)."""

    output: FloatArray
    hidden1: FloatArray
    hidden2: FloatArray
    slope: FloatArray
