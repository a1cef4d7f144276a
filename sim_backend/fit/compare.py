"""Compare predicted with measured distributions, point by point: medians, spreads, shares beyond a bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.fit.experiment import Experiment, Figure, IntArray
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]

RESAMPLINGS = 100


@final
@dataclass(frozen=True)
class Point:
    """Hold one figure of one group of rows: measured, its standard error, predicted (SI)."""

    label: str
    figure: str
    count: int
    measured: float
    error: float
    predicted: float

    @property
    def off(self) -> float:
        """Return the relative deviation of the prediction."""
        return self.predicted / self.measured - 1.0 if self.measured else np.inf

    @property
    def ratio(self) -> float:
        """Return how many times too large or too small the prediction is, at least 1."""
        least = min(self.predicted, self.measured)
        return max(self.predicted, self.measured) / least if least > 0.0 else np.inf


def predicted(
    experiment: Experiment, preset: Preset, held: bool, copies: int = 4, seed: int = 2
) -> list[Point]:
    """Return every figure of every group of a table beside what the preset says, of the rows held or fitted.

    The random numbers are others than those of a fit.
    """
    rng = np.random.default_rng([seed, 11])
    simulated = experiment.features(experiment.simulate(preset, rng, copies), held)[0]
    seen = experiment.features(experiment.measured(), held)[0]
    return points(experiment.figures(), seen.values, simulated.values, seen.group, seen.labels, rng)


def points(
    figures: Mapping[str, Figure],
    measured: FloatArray,
    predicted: FloatArray,
    group: IntArray,
    labels: Sequence[str],
    rng: np.random.Generator,
) -> list[Point]:
    """Return every figure of every group; `measured` is (n,), `predicted` (copies, n)."""
    found = []
    for k, label in enumerate(labels):
        rows = np.flatnonzero(group == k)
        here, there = measured[rows], predicted[:, rows].ravel()
        picks = rng.integers(0, len(rows), (RESAMPLINGS, len(rows)))
        for name, figure in figures.items():
            error = float(np.std([figure(here[p]) for p in picks]))
            found.append(Point(label, name, len(rows), figure(here), error, figure(there)))
    return found
