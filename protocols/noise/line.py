"""Fit a straight line through points with uncertainties."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Line:
    """Hold y = level + slope (x - pivot), standard errors, and chi square per degree of freedom.

    `pivot` is the weighted mean of x, so that the errors of level and slope are independent.
    """

    pivot: float
    level: float
    level_error: float
    slope: float
    slope_error: float
    chi2: float

    @classmethod
    def fit(cls, x: FloatArray, y: FloatArray, error: FloatArray) -> "Line":
        """Return the weighted least squares line; NaN with fewer than two points or places.

        Where the points scatter by more than their errors say, the errors of the line grow with them.
        """
        known = np.isfinite(x) & np.isfinite(y) & np.isfinite(error) & (error > 0)
        x, y, w = x[known], y[known], 1.0 / error[known] ** 2
        if x.size < 2 or np.ptp(x) == 0:
            return cls(*(float("nan"),) * 6)
        pivot, level = float((w * x).sum() / w.sum()), float((w * y).sum() / w.sum())
        square = float((w * (x - pivot) ** 2).sum())
        slope = float((w * (x - pivot) * y).sum()) / square
        rest = float((w * (y - level - slope * (x - pivot)) ** 2).sum())
        chi2 = rest / (x.size - 2) if x.size > 2 else float("nan")
        grown = sqrt(max(chi2, 1.0)) if x.size > 2 else 1.0
        return cls(pivot, level, grown / sqrt(w.sum()), slope, grown / sqrt(square), chi2)

    def at(self, x: FloatArray) -> FloatArray:
        """Return y of the line."""
        return np.asarray(self.level + self.slope * (x - self.pivot))
