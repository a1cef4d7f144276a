"""Draw figures out of writes: sigma of what is left, per level and time, and over conductance."""

from dataclasses import dataclass
from math import e, log10
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.log_law import Estimate
from protocols.characterise.spread import Spread
from protocols.noise.line import Line
from protocols.noise.sigma import estimated, mean, robust, standard
from protocols.noise.single import following
from protocols.noise.writing import Writes

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Left:
    """Hold what writes to a level leave at one time (S): bias, sigma, sigma without tails, with intervals."""

    count: int
    bias: Estimate
    sigma: Estimate
    robust: Estimate
    inside: float


def left_at(writes: Writes, level: int, time: int, tolerance: float, rng: np.random.Generator) -> Left:
    """Return what is left at a level and a time; cells are drawn as a whole for the intervals."""
    error, cell = writes.at(level, time)
    known = error[np.isfinite(error)]
    inside = float((np.abs(known) <= tolerance).mean()) if known.size else float("nan")
    bias, sigma, plain = (estimated(error, each, rng, cell) for each in (mean, standard, robust))
    return Left(int(known.size), bias, sigma, plain, inside)


def single_spread(left: FloatArray) -> tuple[list[Spread], int]:
    """Return the spread of what single pulses left (S) per level, and how many cells follow the levels."""
    if left.shape[2] == 0:
        return [], 0
    follows = following(left)
    return [Spread.of(level[follows]) for level in left], int(follows.sum())


def power_law(conductance: FloatArray, sigma: FloatArray, error: FloatArray) -> Line:
    """Return log10 of sigma over log10 of conductance (S); the slope is the exponent."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return Line.fit(np.log10(conductance), np.log10(sigma), error / sigma * log10(e))
