"""Estimate standard deviations with their intervals, heavy tails or not."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.log_law import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

FloatArray = NDArray[np.float64]

RESAMPLED = 400
"""Bootstrap samples."""
_LEAST = 5
_TO_SIGMA = 1.4826


def standard(values: FloatArray, axis: int = -1) -> FloatArray:
    """Return the standard deviation about the mean."""
    return np.asarray(values.std(axis=axis, ddof=1))


def robust(values: FloatArray, axis: int = -1) -> FloatArray:
    """Return 1.4826 times the median distance from the median: sigma without the tails."""
    middle = np.median(values, axis=axis, keepdims=True)
    return np.asarray(_TO_SIGMA * np.median(np.abs(values - middle), axis=axis))


def median(values: FloatArray, axis: int = -1) -> FloatArray:
    """Return the median."""
    return np.asarray(np.median(values, axis=axis))


def mean(values: FloatArray, axis: int = -1) -> FloatArray:
    """Return the mean."""
    return np.asarray(values.mean(axis=axis))


def estimated(
    values: FloatArray,
    statistic: "Callable[[FloatArray, int], FloatArray]",
    rng: np.random.Generator,
    groups: NDArray[np.intp] | None = None,
) -> Estimate:
    """Return a statistic with its 95 % interval by the bootstrap; no interval with fewer than five values.

    With `groups` whole groups are drawn, such as all errors of one cell, which are not independent.
    """
    known = np.isfinite(values)
    values = values[known]
    if values.size < 2:
        return Estimate()
    value = float(statistic(values, -1))
    if values.size < _LEAST:
        return Estimate(value)
    if groups is None:
        drawn = values[rng.integers(0, values.size, (RESAMPLED, values.size))]
        return Estimate.of_samples(value, statistic(drawn, -1))
    return Estimate.of_samples(value, _by_group(values, groups[known], statistic, rng))


def _by_group(
    values: FloatArray,
    groups: NDArray[np.intp],
    statistic: "Callable[[FloatArray, int], FloatArray]",
    rng: np.random.Generator,
) -> FloatArray:
    members = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    samples = np.empty(RESAMPLED)
    for i in range(RESAMPLED):
        drawn = rng.integers(0, len(members), len(members))
        samples[i] = statistic(values[np.concatenate([members[j] for j in drawn])], -1)
    return samples


def plus_minus(value: float, half: float, digits: int = 2) -> str:
    """Return a value with the half width of its interval as text, as far as they are known."""
    if not np.isfinite(value):
        return "-"
    told = f"{value:.{digits}f}"
    return f"{told} ± {half:.{digits}f}" if np.isfinite(half) else told
