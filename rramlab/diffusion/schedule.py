"""Variance-preserving noise schedule of the forward process, in dimensionless time 0 (data) to 1 (noise)."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class VpSchedule:
    """Hold the two ends of the linear noise rate beta(t) = beta_0 + t (beta_1 - beta_0).

    The forward process is dx = -beta/2 x dt + sqrt(beta) dW (Song et al., 2021, VP-SDE); the default values
    are those published for the resistive-memory solver (arXiv 2404.05648, released code).
    """

    beta_0: float = 0.001
    beta_1: float = 0.5

    def __post_init__(self) -> None:
        """Refuse rates that do not describe a growing noise."""
        if not (0.0 <= self.beta_0 < float("inf") and 0.0 < self.beta_1 < float("inf")):
            raise ValueError(
                f"noise rates beta_0={self.beta_0!r}, beta_1={self.beta_1!r} were asked for; "
                "possible are finite beta_0 >= 0 and beta_1 > 0, for example 0.001 and 0.5"
            )

    def beta(self, t: ArrayLike) -> FloatArray:
        """Return the noise rate at time t (1 per unit of time), of the shape of t."""
        return np.asarray(self.beta_0 + (self.beta_1 - self.beta_0) * np.asarray(t, float))

    def mean(self, t: ArrayLike) -> FloatArray:
        """Return the factor that the data keeps at time t: exp(-1/2 int_0^t beta)."""
        return np.asarray(np.exp(-0.5 * self._integral(t)))

    def std(self, t: ArrayLike) -> FloatArray:
        """Return the standard deviation of the noise added by time t: sqrt(1 - mean(t)^2)."""
        return np.asarray(np.sqrt(-np.expm1(-self._integral(t))))

    def scaled(self, scale: float) -> "VpSchedule":
        """Return the schedule with both rates multiplied by `scale`, as used for sampling."""
        return VpSchedule(self.beta_0 * scale, self.beta_1 * scale)

    def _integral(self, t: ArrayLike) -> FloatArray:
        """Return the integral of beta from 0 to t."""
        time = np.asarray(t, float)
        return np.asarray(time * (self.beta_0 + 0.5 * time * (self.beta_1 - self.beta_0)))
