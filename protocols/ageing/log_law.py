"""Fit what conductances do over the logarithm of time: drift and broadening, with their uncertainties.

The mean of a state drifts, and its variance grows, in proportion to log time, because the time constants of
relaxation are spread evenly over log time: RRAM-Relaxation-Master-Model (public HfOx data), Falcone 2025
(arXiv 2502.04524, CMO/HfOx).
"""

from dataclasses import dataclass
from math import log10, sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RESAMPLED = 400
"""Bootstrap samples of the cells."""
_LEAST_READS, _LEAST_CELLS = 3, 3


@final
@dataclass(frozen=True)
class Estimate:
    """Hold a value with its standard uncertainty and its 95 % interval, in one unit; NaN: unknown."""

    value: float = float("nan")
    uncertainty: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")

    @classmethod
    def of_samples(cls, value: float, samples: FloatArray) -> "Estimate":
        """Return a value with what resampling says of it."""
        low, high = np.percentile(samples, (2.5, 97.5))
        return cls(float(value), float(samples.std()), float(low), float(high))


@final
@dataclass(frozen=True)
class Law:
    """Hold what a state does over time: per decade of time, and at a far time.

    `drift` (S per decade) of the mean, `mean_far` (S); `broadening` (S^2 per decade) of the variance,
    `sigma_far` (S). `mean_law` and `sigma_law` (S) are how far the values at the far time move when only the
    later half of the log time is fitted: what the choice of the law adds to the uncertainty.
    """

    cells: int
    drift: Estimate = Estimate()
    mean_far: Estimate = Estimate()
    broadening: Estimate = Estimate()
    sigma_far: Estimate = Estimate()
    mean_law: float = float("nan")
    sigma_law: float = float("nan")


def fit_law(
    ages: FloatArray, values: FloatArray, reference: FloatArray, far: float, rng: np.random.Generator
) -> Law:
    """Return the law of one state from readings (reads, cells) in S at ages (s) of the same shape.

    `reference` (cells) in S is what the spread is about: targets, or first readings. The cells are what
    repeats, so the uncertainty comes from resampling them; readings of one cell depend on each other.
    """
    kept = np.isfinite(values).any(axis=1)
    time, found = np.log10(np.maximum(ages[kept], 1e-9)), values[kept]
    alive = np.isfinite(found).all(axis=0) & np.isfinite(reference)
    cells = int(alive.sum())
    if kept.sum() < _LEAST_READS or cells < _LEAST_CELLS:
        return Law(cells)
    weights = resampled(cells, rng)
    args = time[:, alive], found[:, alive], reference[alive], log10(far), weights
    whole = _fit(*args)
    later = time[:, alive].mean(axis=1) >= 0.5 * (time[0].mean() + time[-1].mean())
    half = _fit(time[later][:, alive], found[later][:, alive], *args[2:]) if later.sum() >= 2 else whole
    names = ("drift", "mean_far", "broadening", "sigma_far")
    estimates = {name: Estimate.of_samples(whole[name][0], whole[name][1:]) for name in names}
    apart = {name: abs(float(half[name][0] - whole[name][0])) for name in ("mean_far", "sigma_far")}
    return Law(cells, **estimates, mean_law=apart["mean_far"], sigma_law=apart["sigma_far"])


def resampled(cells: int, rng: np.random.Generator) -> FloatArray:
    """Return weights (samples, cells) that sum to 1: first all cells alike, then cells drawn anew."""
    drawn = rng.multinomial(cells, np.full(cells, 1.0 / cells), size=RESAMPLED) / cells
    return np.concatenate([np.full((1, cells), 1.0 / cells), drawn])


def _fit(
    time: FloatArray, found: FloatArray, reference: FloatArray, far: float, weights: FloatArray
) -> dict[str, FloatArray]:
    slope, level = lines(time, found)
    mean_far = weights @ (level + slope * far)
    middle = time.mean(axis=1)
    broadening, offset = lines(middle[:, None], variances(found - reference, weights).T)
    return {
        "drift": weights @ slope,
        "mean_far": mean_far,
        "broadening": broadening,
        "sigma_far": np.sqrt(np.maximum(offset + broadening * far, 0.0)),
    }


def variances(deviation: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the variance (samples, reads) of deviations (reads, cells) under weights (samples, cells)."""
    n = deviation.shape[1]
    mean, square = weights @ deviation.T, weights @ (deviation**2).T
    return np.asarray(np.maximum(square - mean**2, 0.0) * n / max(n - 1, 1))


def lines(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return slope and value at x = 0 of the straight line through each column of y (points, columns)."""
    middle = x.mean(axis=0)
    around = x - middle
    slope = (around * y).sum(axis=0) / np.maximum((around**2).sum(axis=0), 1e-300)
    return slope, y.mean(axis=0) - slope * middle


def spread(deviation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return sigma (S) per read of deviations (reads, cells), and its standard uncertainty.

    The uncertainty uses the fourth moment, because relaxation has heavy tails:
    var(s^2) = (m4 - s^4 (n-3)/(n-1)) / n, and u(s) = u(s^2) / 2 s.
    """
    n = deviation.shape[1]
    around = deviation - deviation.mean(axis=1, keepdims=True)
    square = (around**2).sum(axis=1) / max(n - 1, 1)
    fourth = (around**4).mean(axis=1)
    doubt = np.sqrt(np.maximum(fourth - square**2 * (n - 3) / max(n - 1, 1), 0.0) / max(n, 1))
    sigma = np.sqrt(square)
    return sigma, doubt / (2 * np.maximum(sigma, 1e-300))


def mean_and_error(values: FloatArray) -> tuple[float, float]:
    """Return the mean of values and its standard uncertainty, NaN where there are too few."""
    n = values.size
    if n == 0:
        return float("nan"), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / sqrt(n)) if n > 1 else float("nan")
