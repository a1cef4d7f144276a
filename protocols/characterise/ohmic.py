"""Fit how straight an I-V is."""

from dataclasses import dataclass
from math import hypot
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Ohmic:
    """Hold an I-V as I = I0 + G V (1 + chi V^2), with standard errors.

    `conductance` G (S), `chi` (1/V^2) and `offset` I0 (A); `departure` is the largest distance of the
    currents from their best straight line, over the span of the currents.
    """

    conductance: float
    conductance_error: float
    chi: float
    chi_error: float
    offset: float
    departure: float

    @classmethod
    def fit(cls, voltage: FloatArray, current: FloatArray) -> "Ohmic":
        """Return the least-squares fit to points (V, A); NaN for fewer than five points."""
        good = np.isfinite(voltage) & np.isfinite(current)
        v, i = voltage[good], current[good]
        span, reach = float(np.ptp(i)) if i.size else 0.0, float(np.abs(v).max(initial=0.0))
        if v.size < 5 or np.unique(v).size < 4 or span == 0.0:
            return cls(*(float("nan"),) * 6)
        x = v / reach  # of order one, so that the normal equations are well conditioned
        design = np.stack([np.ones_like(x), x, x**3], axis=1)
        inverse = np.linalg.inv(design.T @ design)
        offset, slope, cubic = inverse @ (design.T @ i)
        rest = i - design @ np.array([offset, slope, cubic])
        error = np.sqrt(np.diag(inverse * float(rest @ rest) / (v.size - 3)))
        ratio = cubic / slope
        # The covariance of slope and cubic enters their ratio.
        covariance = float(inverse[1, 2]) * float(rest @ rest) / (v.size - 3)
        variance = max(hypot(error[2], ratio * error[1]) ** 2 - 2 * ratio * covariance, 0.0)
        line = np.polynomial.polynomial.polyfit(x, i, 1)
        departure = float(np.abs(i - np.polynomial.polynomial.polyval(x, line)).max()) / span
        chi, chi_error = ratio / reach**2, float(np.sqrt(variance)) / abs(slope) / reach**2
        return cls(
            float(slope / reach), float(error[1] / reach), float(chi), chi_error, float(offset), departure
        )
