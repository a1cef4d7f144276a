"""Split the noise of the cells into what a run of the loop can use of it.

Read noise of a cell is a bank of stationary Ornstein-Uhlenbeck processes, one per decade of correlation time
tau, all with the same variance s^2 = (relative G)^2 (at / G) / decades. What matters for the loop is the
current that leaves a column, sum_i V_i g_i, and the bank is split by tau against the tick h and the run T:

* tau <= h/5, fast: white. One term per column and tick with variance 2 tau/h s^2 sum_i V_i^2. Exact for the
  charge that an integrator collects over many ticks; the correlation of two neighbouring ticks
  (12 % at tau = h/5) is left out.
* between, middle: one Ornstein-Uhlenbeck process of unit variance per column, scaled by s sqrt(sum_i V_i^2)
  of the moment. The variance is exact at every moment. The correlation between two moments is exact while the
  inputs keep their direction, and too large when they turn within tau (Cauchy-Schwarz).
* tau >= 5 T, slow: every weight keeps a frozen deviation of variance s^2 drawn for each run. Exact up to
  T/tau; in particular each run of a batch has its own, as on the bench, where runs follow one another.

The noise of the reference column enters all outputs of its layer with one sign: it is common to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Bands(NamedTuple):
    """Hold the split bank: deviations relative to one band, and the memory of middle bands over a tick."""

    white: float
    memory: FloatArray
    frozen: float


@final
@dataclass(frozen=True)
class ReadNoise:
    """Hold the read noise of the cells: relative deviation at `at` siemens, summed over `decades` bands."""

    relative: float = 0.004
    at: float = 50e-6
    decades: int = 6
    taus: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2)

    def variance(self, conductance: FloatArray) -> FloatArray:
        """Return the variance of one band (S^2) of cells of this conductance (S)."""
        return np.asarray(self.relative**2 * self.at * np.abs(conductance) / self.decades)

    def split(self, tick: float, duration: float) -> Bands:
        """Return the bank as white, middle and frozen parts for a tick and a run of these lengths (s)."""
        tau = np.asarray(self.taus, dtype=np.float64)
        fast, slow = tau <= tick / 5, tau >= 5 * duration
        middle = tau[~fast & ~slow]
        white = float(np.sqrt(2 * tau[fast].sum() / tick))
        frozen = float(np.sqrt(np.count_nonzero(slow)))
        return Bands(white, np.exp(-tick / middle), frozen)


@final
@dataclass(frozen=True)
class Telegraph:
    """Hold two-level fluctuators, per layer: amplitude (S, 0 where there is none) and mean dwell time (s).

    A cell jumps between G - amplitude/2 and G + amplitude/2 with the same dwell time in both. Its state is
    drawn at each tick with the exact correlation exp(-2 h / dwell); amplitudes that flip faster than the tick
    are reduced to the deviation that the average over a tick has.
    """

    amplitude: tuple[FloatArray, ...]
    dwell: tuple[FloatArray, ...]

    def __post_init__(self) -> None:
        for amplitude, dwell in zip(self.amplitude, self.dwell, strict=True):
            if np.shape(amplitude) != np.shape(dwell) or not (np.asarray(dwell) > 0).all():
                raise ValueError(
                    f"amplitudes of shape {np.shape(amplitude)}, dwell times of shape {np.shape(dwell)}; "
                    "give both for every cell of a layer, dwell times > 0 also where the amplitude is 0"
                )

    def flips(self, layer: int, tick: float) -> FloatArray:
        """Return the chance of each cell of a layer to change its state from one tick to the next."""
        dwell = np.asarray(self.dwell[layer], dtype=np.float64)
        return np.asarray(-0.5 * np.expm1(-2 * tick / dwell))

    def seen(self, layer: int, tick: float) -> FloatArray:
        """Return the amplitude (S) that the average over a tick shows."""
        ratio = np.minimum(np.asarray(self.dwell[layer], dtype=np.float64) / (2 * tick), 1e6)
        share = 2 * ratio * (1 + ratio * np.expm1(-1 / ratio))
        return np.asarray(self.amplitude[layer] * np.sqrt(share))
