"""Switch a two-level fluctuator: random telegraph noise, averaged over a read."""

import math

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import Cells, FloatArray, HalfArray
from sim_backend.compiled import compiled

DRAWS = 6
"""Uniform numbers per telegraph cell and read: the dwell times that are drawn one by one."""


@compiled()
def telegraph_mean(
    state: int, rate: float, duration: float, draws: HalfArray, normal: float
) -> tuple[float, int]:
    """Return the mean of a +-1 telegraph over `duration` (s) and its state at the end.

    `rate` is the switching rate (1/s) out of either state. Dwell times are drawn one by one; after
    the last of them the rest of the window is Gaussian with the exact variance.
    """
    left, total, sign = duration, 0.0, state
    for k in range(len(draws) - 1):
        dwell = -math.log(1.0 - draws[k]) / rate
        if dwell >= left:
            return (total + sign * left) / duration, sign
        total += sign * dwell
        left -= dwell
        sign = -sign
    a = 2.0 * rate * left
    phi = -math.expm1(-a) / a
    variance = 2.0 * (a + math.expm1(-a)) / (a * a) - phi * phi
    rest = sign * phi + math.sqrt(max(variance, 0.0)) * normal
    total += left * min(max(rest, -1.0), 1.0)
    end = sign if draws[-1] < 0.5 * (1.0 + math.exp(-a)) else -sign
    return total / duration, end


@compiled()
def telegraph_block(
    cells: Cells,
    index: NDArray[np.int64],
    where: NDArray[np.int64],
    start: FloatArray,
    duration: float,
    draws: HalfArray,
    normals: HalfArray,
    out: HalfArray,
) -> None:
    """Write half the relative step times the mean telegraph state of the listed cells into `out`."""
    for j in range(len(where)):
        i = index[where[j]]
        rate = 0.5 / cells.telegraph_tau[i]
        gap = max(start[where[j]] - cells.noise_at[i], 0.0)
        flip = 0.5 * (1.0 - math.exp(-2.0 * rate * gap))
        state = -cells.telegraph_state[i] if draws[j, 0] < flip else cells.telegraph_state[i]
        mean, end = telegraph_mean(state, rate, duration, draws[j, 1:], normals[j])
        cells.telegraph_state[i] = end
        out[where[j]] = 0.5 * cells.telegraph[i] * mean
