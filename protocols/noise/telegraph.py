"""Find random telegraph noise: two levels, their distance, and how long each holds.

The readings of a cell are tested against noise of the same spectrum that has one level: series with the same
amplitudes and random phases (Theiler 1992, surrogate data), so that flicker is not taken for two levels.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.noise.mixture import Mixture, bimodality, fit_two
from protocols.noise.spectrum import level

FloatArray = NDArray[np.float64]

SURROGATES = 99
"""Series with random phases per cell; those of all cells make the distribution of chance."""
SCALES = (1, 4, 16)
"""Readings that are averaged before the test: slow telegraphs show under less noise."""
LEAST_VALUES = 16
"""Different readings of a cell below which two levels may be two codes of a converter."""
LEAST_APART, LEAST_CHANGES = 2.0, 4
"""Distance of the levels in sigma within one, and changes between them, below which it is no telegraph."""


@final
@dataclass(frozen=True)
class Telegraph:
    """Hold the telegraph of a cell: step (S) with its error, mean time (s) in either level with its error.

    Dwell times shorter than two readings are missed; an error is that of a mean of exponential times.
    """

    step: float
    step_error: float
    time_low: float
    time_low_error: float
    time_high: float
    time_high_error: float
    changes: int
    averaged: int

    @classmethod
    def of(cls, series: FloatArray, interval: float, averaged: int) -> "Telegraph":
        """Return what a series (readings,) of a cell with two levels tells, at a scale of averaging."""
        mixture, states = two_levels(series, averaged)
        high = states.mean()
        spans = np.diff(np.flatnonzero(np.diff(states)) + 1)
        kinds = states[np.flatnonzero(np.diff(states))[:-1] + 1] if spans.size else np.zeros(0, bool)
        times = [spans[kinds == kind] * interval * averaged for kind in (False, True)]
        low, top = (_mean_time(each) for each in times)
        share = max(high * (1 - high) * states.size, 1e-9)
        error = mixture.sigma / np.sqrt(share)
        changes = int(np.abs(np.diff(states.astype(int))).sum())
        return cls(mixture.high - mixture.low, float(error), *low, *top, changes, averaged)


@final
@dataclass(frozen=True, eq=False)
class Detection:
    """Hold, per cell, how far its readings lie beyond one level, the odds that it is chance, the telegraph.

    `false_alarm` is the odds per cell at which a telegraph is called one.
    """

    score: FloatArray
    odds: FloatArray
    telegraphs: tuple[Telegraph | None, ...]
    false_alarm: float

    @property
    def found(self) -> NDArray[np.bool_]:
        """Return which cells carry a telegraph."""
        return np.array([each is not None for each in self.telegraphs], bool)


def detect(
    series: FloatArray, interval: float, rng: np.random.Generator, false_alarm: float = 1e-3
) -> Detection:
    """Return the telegraphs among series (readings, cells) taken at an interval (s).

    Score: the gain in likelihood of two levels over one, at the best of three scales of averaging, in
    standard deviations of that of the cell's own surrogates. The surrogates of all cells give the odds.
    """
    flat = level(series)
    scores = np.empty(flat.shape[1])
    scale = np.zeros(flat.shape[1], int)
    chance = np.empty((SURROGATES, flat.shape[1]))
    coarse = np.array([np.unique(column).size < LEAST_VALUES for column in series.T])
    for cell in range(flat.shape[1]):
        own, others = _gains(flat[:, cell], rng)
        middle, width = others.mean(axis=1), np.maximum(others.std(axis=1, ddof=1), 1e-9)
        scale[cell] = int(np.argmax((own - middle) / width))
        scores[cell] = float(((own - middle) / width).max())
        chance[:, cell] = ((others - middle[:, None]) / width[:, None]).max(axis=0)
    pool = np.sort(chance.ravel())
    odds = (pool.size - np.searchsorted(pool, scores) + 1) / (pool.size + 1)
    least = max(false_alarm, 1.0 / (pool.size + 1))
    found = [
        _telegraph(flat[:, i], interval, SCALES[scale[i]]) if odds[i] <= least and not coarse[i] else None
        for i in range(flat.shape[1])
    ]
    return Detection(scores, odds, tuple(found), least)


def two_levels(series: FloatArray, averaged: int) -> tuple[Mixture, NDArray[np.bool_]]:
    """Return the two levels of a series and which one holds at each averaged reading.

    The state changes when a reading passes three quarters of the way to the other level.
    """
    block = _averaged(series[:, None], averaged)[:, 0]
    mixture = fit_two(block)
    middle, quarter = (mixture.low + mixture.high) / 2, (mixture.high - mixture.low) / 4
    mark = np.where(block > middle + quarter, 1, np.where(block < middle - quarter, 0, -1))
    mark[0] = int(block[0] > middle) if mark[0] < 0 else mark[0]
    last = np.maximum.accumulate(np.where(mark >= 0, np.arange(mark.size), 0))
    return mixture, mark[last].astype(bool)


def _telegraph(series: FloatArray, interval: float, averaged: int) -> Telegraph | None:
    found, (mixture, _) = Telegraph.of(series, interval, averaged), two_levels(series, averaged)
    apart = (mixture.high - mixture.low) / mixture.sigma
    return found if apart >= LEAST_APART and found.changes >= LEAST_CHANGES else None


def _gains(series: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the gains at each scale: of a series (scales,) and of its surrogates (scales, surrogates)."""
    both = np.concatenate([series[:, None], _surrogates(series, rng)], axis=1)
    gains = np.array([bimodality(_averaged(both, scale)) for scale in SCALES])
    return gains[:, 0], gains[:, 1:]


def _surrogates(series: FloatArray, rng: np.random.Generator) -> FloatArray:
    amplitude = np.abs(np.fft.rfft(series))
    phase = rng.uniform(0, 2 * np.pi, (amplitude.size, SURROGATES))
    turned = amplitude[:, None] * np.exp(1j * phase)
    turned[0] = 0.0
    if series.size % 2 == 0:
        turned[-1] = amplitude[-1] * np.sign(np.cos(phase[-1]))
    return np.asarray(np.fft.irfft(turned, series.size, axis=0))


def _averaged(series: FloatArray, scale: int) -> FloatArray:
    whole = series[: len(series) // scale * scale]
    return np.asarray(whole.reshape(-1, scale, series.shape[1]).mean(axis=1))


def _mean_time(times: FloatArray) -> tuple[float, float]:
    if times.size == 0:
        return float("nan"), float("nan")
    return float(times.mean()), float(times.mean() / np.sqrt(times.size))
