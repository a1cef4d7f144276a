"""Weigh whether failures gather in a part of an array by chance."""

from functools import lru_cache
from math import log, log10

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def gathering(inside: FloatArray, size: FloatArray, failures: int, cells: int) -> FloatArray:
    """Return the gain in log likelihood (nats) by giving a part of the array a failure rate of its own.

    `inside` of the `size` cells of each part failed, and `failures` of all `cells`; zero where the part
    fails more rarely than the rest.
    """
    outside, rest = failures - inside, cells - size
    alone = _term(np.array([failures], float), np.array([cells], float))
    gain = _term(inside, size) + _term(outside, rest) - alone
    more = inside * np.maximum(rest, 1) > outside * np.maximum(size, 1)
    return np.where(more & (size > 0), gain, 0.0)


def log10_chance(inside: int, size: int, failures: int, cells: int) -> float:
    """Return log10 of the chance that `inside` or more of `failures` fall into a part of `size` cells.

    Every set of as many cells is as likely as any other (hypergeometric, as in Fisher's exact test).
    """
    most = min(size, failures)
    counts = np.arange(inside, most + 1)
    table = _log_factorials(cells)
    chances = (
        _log_choose(table, size, counts)
        + _log_choose(table, cells - size, failures - counts)
        - _log_choose(table, cells, np.array([failures]))
    )
    return _log_sum(chances) / log(10)


def log10_binomial(failures: int, cells: int, rate: float) -> float:
    """Return log10 of the chance of so many failures or more when each cell fails by itself at a rate."""
    counts = np.arange(failures, cells + 1)
    choose = _log_choose(_log_factorials(cells), cells, counts)
    return _log_sum(choose + counts * log(rate) + (cells - counts) * log(1 - rate)) / log(10)


def in_words(log10_odds: float) -> str:
    """Return odds as people say them, such as "1 in 20" or "1 in 10^31"."""
    if log10_odds > log10(0.5):
        return "1 in 1"
    digits = -log10_odds
    return f"1 in {10**digits:,.0f}" if digits < 6 else f"1 in 10^{int(digits)}"


def _term(hits: FloatArray, trials: FloatArray) -> FloatArray:
    """Return the log likelihood of hits at their own rate, 0 ln 0 being 0."""
    misses, n = trials - hits, np.maximum(trials, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(hits > 0, hits * np.log(hits / n), 0.0)
        return np.asarray(lost + np.where(misses > 0, misses * np.log(misses / n), 0.0))


@lru_cache(maxsize=4)
def _log_factorials(most: int) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])


def _log_choose(table: FloatArray, n: int, k: NDArray[np.int64]) -> FloatArray:
    possible = (k >= 0) & (k <= n)
    inner = np.clip(k, 0, n)
    return np.where(possible, table[n] - table[inner] - table[n - inner], -np.inf)


def _log_sum(logs: FloatArray) -> float:
    top = float(logs.max(initial=-np.inf))
    return top if top == -np.inf else top + log(float(np.exp(logs - top).sum()))
