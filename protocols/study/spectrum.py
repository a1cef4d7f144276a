"""Let relative read noise fluctuate in time: equal parts of its variance in every decade of time (1/f).

Each cell has a bank of stationary Ornstein-Uhlenbeck processes, one for each decade of correlation time tau
from 1 us to 100 s, as the simulated device has. Against the tick h and the length T of a run a process is
fast (tau < h: what the mean of a tick leaves of it, variance 2 tau / h, is fresh in each), slow (tau > 5 T: a
deviation that stays for the run, drawn for each), or one in between, which is followed from tick to tick.
"""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

Small = NDArray[np.float32]

TAUS = tuple(10.0**k for k in range(-6, 3))
DECADES = 6
"""Decades that a reading of 1 ms does not average away: a deviation is that of such a reading."""


@final
@dataclass(frozen=True, eq=False)
class Spectrum:
    """Hold relative deviations: `white` of a tick, `frozen` for the run, `band` of each that is followed.

    `memory` is what each of the latter keeps over a tick.
    """

    white: float
    frozen: float
    band: float
    memory: Small

    @classmethod
    def of(cls, relative: float, tick: float, duration: float) -> Self:
        """Return the noise of this relative deviation in a 1 ms reading, for a tick and a run (s)."""
        tau, band = np.array(TAUS), relative / DECADES**0.5
        fast, slow = tau < tick, tau > 5.0 * duration
        white = band * float(np.sqrt(2.0 * tau[fast].sum() / tick))
        memory = np.exp(-tick / tau[~fast & ~slow]).astype(np.float32)
        return cls(white, band * float(np.sqrt(slow.sum())), band, memory)

    def course(self, shape: tuple[int, int], rng: np.random.Generator) -> "Course":
        """Return the fluctuation of so many (runs, columns) from the beginning of a run on."""
        begin = rng.standard_normal((len(self.memory), *shape), dtype=np.float32)
        return Course(self, begin, rng)


@final
@dataclass(frozen=True, eq=False)
class Course:
    """Follow the fluctuation of columns; `bands` (bands, runs, columns) change from tick to tick."""

    spectrum: Spectrum
    bands: Small
    rng: np.random.Generator

    def tick(self) -> Small:
        """Return the relative fluctuation (runs, columns) in the next tick."""
        s, bands = self.spectrum, self.bands
        keep = s.memory[:, None, None]
        fresh = self.rng.standard_normal(bands.shape, dtype=np.float32)
        np.multiply(bands, keep, out=bands)
        np.add(bands, fresh * np.sqrt(1.0 - keep**2), out=bands)
        white = self.rng.standard_normal(bands.shape[1:], dtype=np.float32)
        return np.asarray(np.float32(s.white) * white + np.float32(s.band) * bands.sum(axis=0))
