"""Compare predicted with measured distributions, point by point: medians, spreads, shares beyond a bound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.fit.experiment import IntArray

FloatArray = NDArray[np.float64]
Figure = Callable[[FloatArray], float]

RESAMPLINGS = 200


@final
@dataclass(frozen=True)
class Point:
    """Hold one figure of one group: measured, its standard error, predicted, and what was held back."""

    label: str
    figure: str
    count: int
    measured: float
    error: float
    predicted: float

    @property
    def off(self) -> float:
        """Return the relative deviation of the prediction."""
        return self.predicted / self.measured - 1.0 if self.measured else np.inf

    @property
    def ratio(self) -> float:
        """Return how many times too large or too small the prediction is, at least 1."""
        least = min(self.predicted, self.measured)
        return max(self.predicted, self.measured) / least if least > 0.0 else np.inf


def spread(values: FloatArray) -> float:
    """Return half the distance between the 16 % and the 84 % quantile: one sigma, whatever the tails."""
    low, high = np.quantile(values, [0.15866, 0.84134])
    return float(0.5 * (high - low))


def median(values: FloatArray) -> float:
    """Return the median."""
    return float(np.median(values))


def deviation(values: FloatArray) -> float:
    """Return the standard deviation, tails and all."""
    return float(np.std(values))


def beyond(bound: float) -> Figure:
    """Return the figure 'share of values farther from zero than `bound`'."""
    return lambda values: float(np.mean(np.abs(values) > bound))


def points(
    figures: dict[str, Figure],
    measured: FloatArray,
    predicted: FloatArray,
    group: IntArray,
    labels: Sequence[str],
    rng: np.random.Generator,
) -> list[Point]:
    """Return every figure of every group; `measured` is (n,), `predicted` (copies, n)."""
    found = []
    for k, label in enumerate(labels):
        rows = np.flatnonzero(group == k)
        here, there = measured[rows], predicted[:, rows].ravel()
        picks = rng.integers(0, len(rows), (RESAMPLINGS, len(rows)))
        for name, figure in figures.items():
            error = float(np.std([figure(here[p]) for p in picks]))
            found.append(Point(label, name, len(rows), figure(here), error, figure(there)))
    return found
