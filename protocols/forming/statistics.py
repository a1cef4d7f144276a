"""Draw figures out of forming: the yield, and the distribution of forming voltages."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class FormingVoltage:
    """Hold the distribution of forming voltages (V) over cells, each value with its standard error."""

    count: int
    mean: float
    mean_error: float
    sigma: float
    sigma_error: float
    p5: float
    median: float
    p95: float

    @classmethod
    def of(cls, voltages: FloatArray, step: float) -> "FormingVoltage":
        """Return the distribution of voltages (V) found by a ramp of this step (V), NaN left out.

        A cell breaks down somewhere between the last step and the one that formed it: half a step is taken
        off the mean, and the variance of a step, step^2/12, off the variance (Sheppard's correction).
        Errors: sigma/sqrt(n) and sigma/sqrt(2 (n - 1)), those of a normal distribution.
        """
        found = voltages[np.isfinite(voltages)] - 0.5 * step
        n = int(found.size)
        if n == 0:
            return cls(0, *(float("nan"),) * 7)
        raw = float(found.std(ddof=1)) if n > 1 else float("nan")
        sigma = sqrt(max(raw**2 - step**2 / 12, 0.0)) if n > 1 else raw
        low, median, high = (float(q) for q in np.quantile(found, (0.05, 0.5, 0.95)))
        errors = raw / sqrt(n), raw / sqrt(2 * (n - 1)) if n > 1 else raw
        return cls(n, float(found.mean()), errors[0], sigma, errors[1], low, median, high)


def share_interval(hits: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval of a share of so many trials, 95 % by default (Wilson 1927)."""
    if trials == 0:
        return 0.0, 1.0
    share, spread = hits / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(middle - half, 0.0), min(middle + half, 1.0)
