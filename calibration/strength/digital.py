"""Solve the network as it was written digitally, with the drive multiplied by a few factors.

The equation is the one that the converters play (protocols/sampling.py), by Heun's steps of one tick: their
error is below 1e-4 of a factor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.loop.runs import Table
from protocols.sampling import START_RANGE, Sampling
from rramlab.diffusion.network import ScoreWeights, forward
from rramlab.diffusion.store import ring_weights
from rramlab.loop import Coefficients
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

FACTORS = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
NOISY_FACTORS, NOISY_RUNS = (0.7, 0.85, 1.0, 1.15, 1.3), 4000
_LAYERS = ("w1", "w2", "w3")


def columns_of(written: ScoreWeights) -> Table:
    """Return the weights as written, as columns."""
    return {name: np.asarray(getattr(written, name)) for name in _LAYERS}


def score_of(columns: Columns) -> ScoreWeights:
    """Return the ring network with the weights as written."""
    return ring_weights().with_layers(*(np.asarray(columns[name], dtype=float) for name in _LAYERS))


def ends(score: ScoreWeights, start: FloatArray, factors: Sequence[float] = FACTORS) -> FloatArray:
    """Return the end states (factors, runs, 2) of the ordinary equation from these start states."""
    equation = Equation(score, Sampling(kind="ode").coefficients(score), np.asarray(factors))
    return equation.solved(start, None)


def noisy_radii(score: ScoreWeights, factors: Sequence[float] = NOISY_FACTORS) -> FloatArray:
    """Return the distances from the origin (factors, runs) at which the stochastic equation ends.

    The same noise for each factor, so that what differs is the factor.
    """
    rng = np.random.default_rng(0)
    start = np.clip(rng.standard_normal((NOISY_RUNS, 2)), -START_RANGE, START_RANGE)
    equation = Equation(score, Sampling(kind="sde").coefficients(score), np.asarray(factors))
    return np.asarray(np.linalg.norm(equation.solved(start, rng), axis=2))


@final
@dataclass(frozen=True, eq=False)
class Equation:
    """Hold a network, what the converters play, and the factors (n) on the drive."""

    score: ScoreWeights
    coefficients: Coefficients
    factors: FloatArray

    def solved(self, start: FloatArray, rng: np.random.Generator | None) -> FloatArray:
        """Return the end states (factors, runs, 2); with `rng` noise is added tick by tick."""
        c = self.coefficients
        x = np.broadcast_to(start, (len(self.factors), *start.shape))
        for k in range(len(c.drift)):
            noise = 0.0 if rng is None else c.noise[k] / np.sqrt(c.tick) * rng.standard_normal(start.shape)
            first = self._slope(x, k) + noise
            x = x + 0.5 * c.tick * (first + self._slope(x + c.tick * first, k) + noise)
        return np.asarray(x)

    def _slope(self, x: FloatArray, k: int) -> FloatArray:
        c = self.coefficients
        drive = c.drive[k] * self.score.gain * self.factors[:, None, None]
        return np.asarray(c.drift[k] * x + drive * forward(self.score, x, c.embedding[k]))
