"""Tell noise at many time scales: Allan deviation, and the spread within windows of time."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.noise.spectrum import level

FloatArray = NDArray[np.float64]

_LEAST_PAIRS = 4


@final
@dataclass(frozen=True, eq=False)
class Scales:
    """Hold a deviation at each time (s), (times, series)."""

    time: FloatArray
    deviation: FloatArray


def octaves(most: int) -> NDArray[np.int64]:
    """Return 1, 2, 4 ... up to a number."""
    return np.asarray(2 ** np.arange(max(most, 1).bit_length()), np.int64)


def allan(series: FloatArray, interval: float) -> Scales:
    """Return the overlapping Allan deviation of series (readings, series), by octaves of averaged readings.

    sigma^2(m) = <(x_{k+2m} - 2 x_{k+m} + x_k)^2> / (2 m^2), x the running sum of the readings.
    """
    steps = octaves(len(series) // _LEAST_PAIRS)
    total = np.concatenate([np.zeros((1, series.shape[1])), np.cumsum(series - series.mean(axis=0), axis=0)])
    found = [(total[2 * m :] - 2 * total[m:-m] + total[: -2 * m]) / m for m in steps]
    variance = np.array([0.5 * (each**2).mean(axis=0) for each in found])
    return Scales(np.asarray(steps * interval, float), np.sqrt(variance))


def within(series: FloatArray, interval: float) -> Scales:
    """Return the standard deviation of readings within windows of time, by octaves; a trend is taken off."""
    flat = level(series)
    sizes = octaves(len(series))[1:]
    variance = []
    for size in sizes:
        whole = flat[: len(flat) // size * size].reshape(-1, size, flat.shape[1])
        variance.append(whole.var(axis=1, ddof=1).mean(axis=0))
    return Scales(np.asarray(sizes * interval, float), np.sqrt(np.array(variance)))
