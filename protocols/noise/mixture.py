"""Fit two normal distributions of one width to readings, and say what that gains over one."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_BINS, _REACH, _ROUNDS = 40, 4.0, 25
_STARTS = (0.1, 0.5, 0.9)
"""Shares of the upper level from which the fit sets out."""
_LEAST_SHARE, _LEAST_WIDTH = 0.01, 0.05


@final
@dataclass(frozen=True)
class Mixture:
    """Hold two levels, their common sigma (unit of the readings), and the share of the upper one."""

    low: float
    high: float
    sigma: float
    share: float


def fit_two(values: FloatArray) -> Mixture:
    """Return the best two levels of values (n,)."""
    centre, width = values.mean(), values.std()
    counts, middles = _counted(values[:, None])
    parameters, _ = _best(counts, middles)
    low, high, sigma, share = (float(each[0]) for each in parameters)
    return Mixture(centre + width * low, centre + width * high, width * sigma, share)


def bimodality(values: FloatArray) -> FloatArray:
    """Return the gain in log likelihood of two levels over one, for each column of values (n, series)."""
    counts, middles = _counted(values)
    _, likelihood = _best(counts, middles)
    total = counts.sum(axis=1)
    mean = counts @ middles / total
    variance = np.maximum(counts @ middles**2 / total - mean**2, 1e-6)
    single = -0.5 * total * (np.log(variance) + 1.0)
    return np.asarray(likelihood - single)


def _counted(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return histograms (series, bins) of values in units of their standard deviation, and the middles."""
    scaled = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-300)
    places = np.clip((scaled + _REACH) * _BINS / (2 * _REACH), 0, _BINS - 1).astype(np.intp)
    places += _BINS * np.arange(values.shape[1])
    counts = np.bincount(places.ravel(), minlength=_BINS * values.shape[1])
    middles = (np.arange(_BINS) + 0.5) * 2 * _REACH / _BINS - _REACH
    return counts.reshape(values.shape[1], _BINS).astype(float), middles


def _best(counts: FloatArray, x: FloatArray) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """Return low, high, sigma and share of each histogram from the best start, and its likelihood."""
    fits = [_expectation_maximisation(counts, x, start) for start in _STARTS]
    likelihoods = np.array([fit[1] for fit in fits])
    best = np.argmax(likelihoods, axis=0)
    parameters = np.array([fit[0] for fit in fits])
    chosen = parameters[best, :, np.arange(best.size)].T
    return tuple(chosen), likelihoods.max(axis=0)


def _expectation_maximisation(
    counts: FloatArray, x: FloatArray, start: float
) -> tuple[FloatArray, FloatArray]:
    n, total, first, square = len(counts), counts.sum(axis=1), counts @ x, counts @ x**2
    share, variance = np.full(n, start), np.full(n, 0.36)
    low, high = np.full(n, -1.6 * start), np.full(n, 1.6 * (1 - start))
    for _ in range(_ROUNDS):
        # With one width for both, the odds of the upper level are the exponential of a straight line.
        slope = (high - low) / variance
        line = slope[:, None] * (x - ((high + low) / 2)[:, None]) + np.log(share / (1 - share))[:, None]
        weight = counts / (1 + np.exp(-np.clip(line, -500, 500)))
        upper, moment = np.clip(weight.sum(axis=1), 1e-9, total - 1e-9), weight @ x
        share = np.clip(upper / total, _LEAST_SHARE, 1 - _LEAST_SHARE)
        high, low = moment / upper, (first - moment) / (total - upper)
        rest = square - upper * high**2 - (total - upper) * low**2
        variance = np.maximum(rest / total, _LEAST_WIDTH**2)
    sigma = np.sqrt(variance)
    density = _normal(x, low, sigma) * (1 - share)[:, None] + _normal(x, high, sigma) * share[:, None]
    likelihood = (counts * np.log(np.maximum(density, 1e-300))).sum(axis=1)
    return np.array([low, high, sigma, share]), likelihood


def _normal(x: FloatArray, mean: FloatArray, sigma: FloatArray) -> FloatArray:
    """Return the normal density without its factor 1/sqrt(2 pi)."""
    return np.asarray(np.exp(-0.5 * ((x - mean[:, None]) / sigma[:, None]) ** 2) / sigma[:, None])
