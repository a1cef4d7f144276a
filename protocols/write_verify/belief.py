"""Believe in the offset of a cell from the typical one, and in what all cells of a macro share."""

from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_COMMON = 0.08
"""How far a macro may lie off the typical cell (standard deviation, as drive)."""


@final
class Common:
    """Fit the mean offset of a macro as a straight line over the conductance, cell by cell as they teach.

    A Bayesian linear regression: `sums` is (weight, weight z, weight z^2, weight y, weight z y), with y the offset
    seen and z the place, about -1 to 1.
    """

    def __init__(self, sums: FloatArray) -> None:
        self._sums = sums

    @staticmethod
    def nothing() -> FloatArray:
        """Return the sums before anything was seen: an offset of zero, believed weakly."""
        return np.array([1.0, 0.0, 4.0, 0.0, 0.0]) / _COMMON**2

    def learn(self, place: FloatArray, seen: FloatArray, variance: FloatArray) -> None:
        """Take in offsets that were seen, with their variances."""
        w = 1.0 / variance
        terms = (w, w * place, w * place**2, w * seen, w * place * seen)
        self._sums += np.array([term.sum() for term in terms])

    def mean(self, place: FloatArray) -> FloatArray:
        """Return the offset to be expected at these places."""
        a, b, c, y, zy = self._sums
        line = np.linalg.solve(np.array([[a, b], [b, c]]), np.array([y, zy]))
        return np.asarray(line[0] + line[1] * place)

    def variance(self) -> float:
        """Return how uncertain the line is at its middle."""
        a, b, c = self._sums[:3]
        return float(c / (a * c - b * b))


def updated(
    mean: FloatArray, variance: FloatArray, seen: FloatArray, noise: FloatArray, walk: float
) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of an offset after it was seen once more with this noise (a Kalman step)."""
    prior = variance + walk**2
    share = prior / (prior + noise)
    return mean + share * (seen - mean), (1.0 - share) * prior
