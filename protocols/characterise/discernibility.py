"""Tell how well levels are told apart by a reading: overlap, wrong levels, effective bits."""

from dataclasses import dataclass
from math import erfc, log2, sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Index = NDArray[np.int64]

ENOUGH = 24
"""Cells behind the spread of a level; where a level has fewer, its neighbours' are taken with it."""
_GRID = 24
"""Points per pitch or sigma on which distributions are summed."""


@final
@dataclass(frozen=True, eq=False)
class LevelSpread:
    """Hold the distribution of readings per level: mean (S), sigma (S), number of cells behind each."""

    target: FloatArray
    mean: FloatArray
    sigma: FloatArray
    count: Index

    @classmethod
    def of(cls, level: Index, readings: FloatArray, target: FloatArray) -> "LevelSpread":
        """Return the distributions of readings (cells, reads) of cells at these levels.

        The deviation from the target is taken over as many neighbouring levels as `ENOUGH` cells need; a
        mean and a sigma of that deviation describe the level.
        """
        n = target.size
        error = readings - target[level][:, None]
        count = np.bincount(level, minlength=n)
        half = _half_width(count)
        each = np.ones(level.size), error.mean(axis=1), (error**2).mean(axis=1)
        sums = np.array([np.bincount(level, weights, n) for weights in each], dtype=np.float64)
        weight, first, second = _running_sum(sums, half)
        with np.errstate(invalid="ignore", divide="ignore"):
            bias = first / weight
            sigma = np.sqrt(np.maximum(second / weight - bias**2, 0.0) * weight / np.maximum(weight - 1, 1))
        return cls(target, target + bias, sigma, count.astype(np.int64))

    def overlap(self) -> FloatArray:
        """Return the area that neighbouring distributions share (0 apart, 1 the same), one per pair.

        The area under the smaller of two normal densities, summed.
        """
        pairs = zip(self.mean, self.sigma, self.mean[1:], self.sigma[1:], strict=False)
        return np.array([_common_area(*pair) for pair in pairs])

    def information(self) -> float:
        """Return the bits that a reading tells of the level, all levels alike likely.

        Mutual information of N normal densities p_i: log2 N - 1/N sum_i integral p_i log2(sum_j p_j / p_i).
        """
        good = np.isfinite(self.sigma) & (self.sigma > 0)
        mean, sigma = self.mean[good], self.sigma[good]
        if mean.size < 2:
            return 0.0
        step = min(float(sigma.min()) / 6, float(np.median(sigma)) / 3)
        grid = np.arange(
            mean.min() - 6 * sigma.max(), mean.max() + 6 * sigma.max(), max(step, np.ptp(mean) / 2e4)
        )
        # Densities that are nothing to a computer are far from where they count.
        density = np.maximum(_normal(grid, mean[:, None], sigma[:, None]), 1e-200)
        terms = density * np.log2(density.sum(axis=0) / density)
        # The integral of each density on this grid, instead of 1: both have the same error.
        return float(log2(mean.size) - (terms.sum(axis=1) / density.sum(axis=1)).mean())


def wrong_level(level: Index, readings: FloatArray, target: FloatArray) -> float:
    """Return the share of readings (cells, reads) that lie nearer to another level than to their own."""
    edges = 0.5 * (target[1:] + target[:-1])
    return float((np.searchsorted(edges, readings) != level[:, None]).mean())


def total_sigma(level: Index, readings: FloatArray, target: FloatArray) -> float:
    """Return the root mean square of reading minus target (S), bias included."""
    return float(np.sqrt(np.mean((readings - target[level][:, None]) ** 2)))


def effective_bits(span: float, sigma: float, z: float = 1.96) -> float:
    """Return log2(1 + span / (2 z sigma)): bits of the levels whose +-z sigma (95 %) do not meet in a span.

    `span` (S) is from the lowest to the highest level, `sigma` (S) that of reading minus target.
    """
    return log2(1 + span / (2 * z * sigma))


def share_beyond(pitch: float, sigma: float) -> float:
    """Return the share of a normal distribution of this sigma (S) that lies beyond half a pitch (S)."""
    return erfc(pitch / 2 / sigma / sqrt(2))


def bootstrap(
    level: Index, readings: FloatArray, target: FloatArray, rng: np.random.Generator, draws: int = 40
) -> tuple[float, float]:
    """Return the standard errors of effective bits and of information, from cells drawn with replacement."""
    span, n = float(np.ptp(target)), level.size
    found = []
    for _ in range(draws):
        chosen = rng.integers(0, n, n)
        drawn = level[chosen], readings[chosen]
        spread = LevelSpread.of(*drawn, target)
        found.append((effective_bits(span, total_sigma(*drawn, target)), spread.information()))
    errors = np.std(found, axis=0, ddof=1)
    return float(errors[0]), float(errors[1])


def _half_width(count: Index) -> int:
    per_level = max(float(count.mean()), 1e-9)
    return int(min(max(np.ceil((ENOUGH / per_level - 1) / 2), 0), count.size))


def _running_sum(values: FloatArray, half: int) -> FloatArray:
    """Return sums over 2 half + 1 neighbours, over fewer at the ends."""
    padded = np.pad(np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1), ((0, 0), (half, half)), mode="edge")
    n = values.shape[1]
    return np.asarray(padded[:, 2 * half + 1 : 2 * half + 1 + n] - padded[:, :n])


def _common_area(mean: float, sigma: float, other: float, wide: float) -> float:
    if not (sigma > 0 and wide > 0):
        return float("nan")
    low, high = min(mean - 8 * sigma, other - 8 * wide), max(mean + 8 * sigma, other + 8 * wide)
    grid = np.arange(low, high, min(sigma, wide) / _GRID)
    both = np.minimum(_normal(grid, mean, sigma), _normal(grid, other, wide))
    return float(both.sum() * (grid[1] - grid[0]))


def _normal(grid: FloatArray, mean: FloatArray | float, sigma: FloatArray | float) -> FloatArray:
    return np.asarray(np.exp(-0.5 * ((grid - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi)))
