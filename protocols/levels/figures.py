"""Draw figures of merit out of levels: what a reading tells of the level, against time; the straightness."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.discernibility import (
    LevelSpread,
    bootstrap,
    effective_bits,
    total_sigma,
    wrong_level,
)
from protocols.characterise.ohmic import Ohmic
from protocols.characterise.spread import Spread
from protocols.levels.cells import Levels
from rramlab.outcome import Outcome

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Moment:
    """Hold how well levels are told apart at one time (s) after programming, by one reading each.

    Sigma of reading minus target (S), parted into that between readings of a cell and that between cells;
    share of readings nearer to another level; mean overlap of neighbours; effective bits and information,
    each with its standard error; `averaged_bits` for the mean of all readings of a cell.
    """

    time: float
    sigma: float
    bias: float
    read_sigma: float
    cell_sigma: float
    wrong: float
    overlap: float
    bits: float
    bits_error: float
    information: float
    information_error: float
    averaged_bits: float
    spread: LevelSpread

    @classmethod
    def of(cls, found: Levels, number: int, rng: np.random.Generator) -> "Moment":
        """Return the moment of this number, of the cells that were programmed."""
        level, readings = programmed(found, number)
        target, time = found.target, float(found.time[:, number].mean())
        spread, error = LevelSpread.of(level, readings, target), readings - target[level][:, None]
        parted, sigma = Spread.of(error), total_sigma(level, readings, target)
        averaged = total_sigma(level, readings.mean(axis=1, keepdims=True), target)
        bits_error, information_error = bootstrap(level, readings, target, rng)
        span = float(np.ptp(target))
        return cls(
            time=time,
            sigma=sigma,
            bias=parted.mean,
            read_sigma=parted.cycle_sigma,
            cell_sigma=parted.cell_sigma,
            wrong=wrong_level(level, readings, target),
            overlap=float(np.nanmean(spread.overlap())),
            bits=effective_bits(span, sigma),
            bits_error=bits_error,
            information=spread.information(),
            information_error=information_error,
            averaged_bits=effective_bits(span, averaged),
            spread=spread,
        )


def programmed(found: Levels, number: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Return level (n) and readings (S), (n, reads), at a time, of all rounds and cells that converged."""
    good = (found.outcome == Outcome.CONVERGED) & np.isfinite(found.reading[:, number]).all(axis=-1)
    return found.level[good], found.reading[:, number][good]


def moments(found: Levels, seed: int) -> list[Moment]:
    """Return the moments of all times; none where nothing was programmed."""
    rng = np.random.default_rng([seed, 8])
    some = programmed(found, 0)[0].size > 1
    return [Moment.of(found, number, rng) for number in range(found.time.shape[1])] if some else []


def straightness(found: Levels) -> list[Ohmic]:
    """Return the fit to each I-V."""
    pairs = zip(found.curve_voltage, found.curve_current, strict=True)
    return [Ohmic.fit(voltage, current) for voltage, current in pairs]
