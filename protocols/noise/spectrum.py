"""Take power spectra, and part them into white noise and flicker."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Pair = tuple[FloatArray, FloatArray]

_SKIPPED = 2
"""Lowest frequencies of a spectrum, into which the trend taken off a segment leaks."""
_ROUNDS = 30
_SLOPES = np.arange(0.02, 3.0, 0.01)
_HALF = 0.5
"""The log likelihood falls by this at one standard error."""


@final
@dataclass(frozen=True, eq=False)
class Spectrum:
    """Hold a one-sided power density (unit^2/Hz), (frequencies, series), and how many averages stand behind.

    `averages` is the number of independent periodograms per frequency, (frequencies,).
    """

    frequency: FloatArray
    density: FloatArray
    averages: FloatArray

    def mean(self, chosen: NDArray[np.bool_] | None = None) -> "Spectrum":
        """Return the mean spectrum over chosen series, with one series."""
        some = self.density if chosen is None else self.density[:, chosen]
        return Spectrum(self.frequency, some.mean(axis=1, keepdims=True), self.averages * some.shape[1])


def welch(series: FloatArray, interval: float, segments: int = 8) -> Spectrum:
    """Return the spectrum of series (readings, series) taken at an interval (s), by Welch's method.

    Half-overlapping segments, a straight line taken off each, Hann window; frequencies above zero.
    """
    length = 2 * max(len(series) // (segments + 1), 4)
    starts = np.arange(0, len(series) - length + 1, length // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length)
    scale = 2.0 * interval / (window**2).sum()
    total = np.zeros((length // 2 + 1, series.shape[1]))
    for a in starts:
        total += np.abs(np.fft.rfft(window[:, None] * level(series[a : a + length]), axis=0)) ** 2
    frequency = np.arange(length // 2 + 1) / (length * interval)
    kept = slice(_SKIPPED, length // 2)
    # Neighbouring Hann segments share 1/36 of their variance (Welch 1967).
    averages = len(starts) / (1 + 2 * (len(starts) - 1) / len(starts) / 36)
    density: FloatArray = (scale * total / len(starts))[kept]
    return Spectrum(frequency[kept], density, np.full(frequency[kept].size, averages))


def level(series: FloatArray) -> FloatArray:
    """Return series with a straight line taken off each."""
    at = np.arange(len(series)) - (len(series) - 1) / 2
    slope = (at[:, None] * series).sum(axis=0) / (at**2).sum()
    return np.asarray(series - series.mean(axis=0) - at[:, None] * slope)


@final
@dataclass(frozen=True)
class Parts:
    """Hold a spectrum white + flicker (1 Hz/f)^slope, densities in unit^2/Hz, each with its standard error.

    `white` holds all that is faster than the readings resolve; `slope` is that of the flicker part alone.
    """

    white: float
    white_error: float
    flicker: float
    flicker_error: float
    slope: float
    slope_error: float

    @property
    def per_decade(self) -> float:
        """Return sigma (unit) of the flicker in one decade of frequency at a slope of 1."""
        return float(np.sqrt(self.flicker * np.log(10)))


def parted(spectrum: Spectrum) -> Parts:
    """Return white and 1/f parts of a spectrum of one series, and the slope that fits best.

    Maximum likelihood: a mean of n periodograms scatters as a gamma distribution of shape n.
    """
    f, s, n = spectrum.frequency, spectrum.density[:, 0], spectrum.averages
    _, _, likelihood = _fit(f, s, n, _SLOPES)
    best = int(np.argmax(likelihood))
    near = _SLOPES[likelihood >= likelihood[best] - _HALF]
    (white, flicker), (white_error, flicker_error), _ = _fit(f, s, n, np.ones(1))
    half = max((near[-1] - near[0]) / 2, _SLOPES[1] - _SLOPES[0])
    errors = float(white_error[0]), float(flicker_error[0])
    return Parts(float(white[0]), errors[0], float(flicker[0]), errors[1], float(_SLOPES[best]), float(half))


def _fit(f: FloatArray, s: FloatArray, n: FloatArray, slopes: FloatArray) -> tuple[Pair, Pair, FloatArray]:
    """Return white and flicker (none below zero), their errors, and the log likelihood, for each slope."""
    shape = f[None, :] ** -slopes[:, None]
    model = np.full(shape.shape, s.mean())
    for _ in range(_ROUNDS):
        found, errors = _solved(shape, s, n / model**2)
        model = np.maximum(found[0][:, None] + found[1][:, None] * shape, 1e-12 * s.mean())
    return found, errors, np.asarray(-(n * (np.log(model) + s / model)).sum(axis=1))


def _solved(shape: FloatArray, s: FloatArray, weight: FloatArray) -> tuple[Pair, Pair]:
    """Return the weighted least squares of white + flicker * shape, none below zero, and standard errors."""
    a, b, c = weight.sum(axis=1), (weight * shape).sum(axis=1), (weight * shape**2).sum(axis=1)
    first, second = (weight * s).sum(axis=1), (weight * shape * s).sum(axis=1)
    determinant = np.maximum(a * c - b * b, 1e-12 * a * c)
    white, flicker = (c * first - b * second) / determinant, (a * second - b * first) / determinant
    alone = first / a, second / c
    white, flicker = np.where(flicker < 0, alone[0], white), np.where(white < 0, alone[1], flicker)
    found = np.maximum(white, 0.0), np.maximum(flicker, 0.0)
    return found, (np.sqrt(c / determinant), np.sqrt(a / determinant))
