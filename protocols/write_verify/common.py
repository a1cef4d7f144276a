"""Fit what all cells of a macro share: how far it lies off the typical cell."""

from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_MACRO = 0.08
"""How far a macro may lie off the typical cell (standard deviation, as drive)."""


@final
class Common:
    """Fit the mean offset of a macro as a straight line over conductance, as its cells teach it.

    A Bayesian linear regression of offset y over place z, kept as the sums (w, w z, w z^2, w y, w z y) with
    the weights w; a prior holds the line at zero until something was seen.
    """

    def __init__(self, sums: FloatArray) -> None:
        self._sums = sums

    @staticmethod
    def nothing() -> FloatArray:
        """Return the sums before anything was seen."""
        # The line may lie off by _MACRO mid-window, and its slope per half window by half of that.
        return np.array([1.0, 0.0, 4.0, 0.0, 0.0]) / _MACRO**2

    def learn(self, z: FloatArray, offset: FloatArray, variance: FloatArray) -> None:
        """Take in offsets that were seen, with their variances."""
        w = 1.0 / variance
        self._sums += np.array([np.sum(w * t) for t in (1.0, z, z**2, offset, z * offset)])

    def mean(self, z: FloatArray) -> FloatArray:
        """Return the offset to be expected at these places."""
        a, b, c, y, zy = self._sums
        level, slope = np.linalg.solve(np.array([[a, b], [b, c]]), np.array([y, zy]))
        return np.asarray(level + slope * z)

    def variance(self) -> float:
        """Return the variance of the line in the middle of the window."""
        a, b, c = self._sums[:3]
        return float(c / (a * c - b * b))


def place(conductance: FloatArray) -> FloatArray:
    """Return where in the usual window of 20 to 100 uS a conductance (S) lies: -1 to 1."""
    return np.asarray((conductance - 60e-6) / 40e-6)
