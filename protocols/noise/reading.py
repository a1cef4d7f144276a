"""Draw figures of read noise out of series: per cell, per band of conductance, and over conductance."""

from dataclasses import dataclass
from math import e, log10
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.log_law import Estimate
from protocols.noise.bands import Bands
from protocols.noise.line import Line
from protocols.noise.scales import Scales, allan, within
from protocols.noise.series import Series
from protocols.noise.sigma import estimated, mean, median
from protocols.noise.spectrum import Parts, Spectrum, level, parted, welch
from protocols.noise.telegraph import Detection, detect

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@final
@dataclass(frozen=True, eq=False)
class ReadNoise:
    """Hold the noise of cells read in series.

    Per cell: mean and sigma (S). Per band, telegraph cells left out of all but `sigma_all`: median sigma (S)
    with its interval, white and flicker parts, spectrum, Allan deviation and sigma within windows of time.
    """

    series: Series
    bands: Bands
    mean: FloatArray
    sigma: FloatArray
    detection: Detection
    quiet: BoolArray
    sigmas: tuple[Estimate, ...]
    parts: tuple[Parts, ...]
    spectra: tuple[Spectrum, ...]
    allan: Scales
    within: Scales

    @classmethod
    def of(
        cls, series: Series, bands: Bands, rng: np.random.Generator, false_alarm: float = 1e-3
    ) -> "ReadNoise":
        """Return the noise of a series of readings."""
        flat, interval = level(series.conductance), series.interval
        detection = detect(series.conductance, interval, rng, false_alarm)
        sigma, whole = flat.std(axis=0, ddof=2), welch(series.conductance, interval)
        groups = [_quiet_of(bands.members(band), detection.found) for band in range(len(bands))]
        spectra = tuple(whole.mean(group) for group in groups)
        return cls(
            series,
            bands,
            np.asarray(series.conductance.mean(axis=0)),
            np.asarray(sigma),
            detection,
            ~detection.found,
            tuple(estimated(sigma[group], median, rng) for group in groups),
            tuple(parted(spectrum) for spectrum in spectra),
            spectra,
            _banded(allan(series.conductance, interval), groups),
            _banded(within(series.conductance, interval), groups),
        )

    @property
    def over_conductance(self) -> tuple[Line, Line]:
        """Return log10 of sigma per decade of the flicker, and of the white part, over log10 G (S)."""
        g = np.log10(self.bands.conductance)
        flicker = np.array([(part.flicker, part.flicker_error) for part in self.parts]).reshape(-1, 2)
        white = np.array([(part.white, part.white_error) for part in self.parts]).reshape(-1, 2)
        return _power(g, flicker), _power(g, white)

    def white_sigma(self, band: int) -> float:
        """Return sigma (S) of the white part in one reading."""
        return float(np.sqrt(self.parts[band].white / (2 * self.series.interval)))


def averaged(
    series: dict[int, Series], bands: Bands, quiet: BoolArray, rng: np.random.Generator
) -> dict[int, tuple[Estimate, ...]]:
    """Return sigma (S) of readings of so many samples, by samples and band, telegraph cells left out."""
    return {
        samples: tuple(
            estimated(
                level(each.conductance).std(axis=0, ddof=2)[_quiet_of(bands.members(band), ~quiet)], mean, rng
            )
            for band in range(len(bands))
        )
        for samples, each in series.items()
    }


def _quiet_of(members: BoolArray, found: BoolArray) -> BoolArray:
    """Return the members without telegraph, or all of them where none is without."""
    quiet = members & ~found
    return quiet if quiet.any() else members


def _banded(scales: Scales, groups: list[BoolArray]) -> Scales:
    """Return the root mean square over the cells of each band, (times, bands)."""
    found = [np.sqrt((scales.deviation[:, group] ** 2).mean(axis=1)) for group in groups]
    return Scales(scales.time, np.array(found).T)


def _power(g: FloatArray, variance: FloatArray) -> Line:
    """Return log10 sigma over log10 G from variances with their errors."""
    good = variance[:, 0] > 0
    y, error = np.full(g.size, np.nan), np.full(g.size, np.nan)
    y[good] = 0.5 * np.log10(variance[good, 0])
    error[good] = 0.5 * variance[good, 1] / variance[good, 0] * log10(e)
    return Line.fit(g, y, error)
