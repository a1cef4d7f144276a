"""Draw the digital baseline of a network: what it draws without any noise, and how far chance takes it."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from protocols.study.evens import even_ring, even_starts
from protocols.study.request import KINDS, NETWORKS, Request
from protocols.study.yardstick import FINER, Yardstick
from rramlab.contents import Kept
from rramlab.diffusion.network import ScoreWeights
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

STEPS = 500
FLOORS = 24
"""Digital sets of the size of a point, whose mean distance to the baseline is the floor."""
DIGITAL = 2
"""Branch of the seed of all that is digital."""


@final
@dataclass(frozen=True, eq=False)
class Baseline:
    """Hold digital samples (2, n, 2) of ODE and SDE, and distances (2,) of what can be told apart from them.

    `floor` and `floor_data` are the distances of sets of the size of a point, drawn digitally, to the
    baseline and to the data; `start` is that of the start states to the baseline.
    """

    points: FloatArray
    floor: FloatArray
    floor_data: FloatArray
    start: FloatArray

    @classmethod
    def draw(cls, network: str, score: ScoreWeights, samples: int, seed: int) -> Self:
        """Draw the baseline of one network."""
        from rramlab.diffusion.sampler import sample
        from rramlab.diffusion.threads import one_thread

        numbers = np.random.SeedSequence(seed, spawn_key=(DIGITAL, NETWORKS.index(network)))
        rng = np.random.default_rng(numbers)
        data = ring(samples, seed)

        def drawn(kind: Any, count: int, sets: int = 1) -> FloatArray:
            begin = np.concatenate([even_starts(count, rng) for _ in range(sets)])
            number = int(rng.integers(2**31))
            return sample(score, len(begin), steps=STEPS, kind=kind, seed=number, start=begin).points

        with one_thread():
            points = [drawn(kind, FINER * samples) for kind in KINDS]
            yards = [Yardstick.of(each, samples) for each in points]
            sets = [drawn(kind, samples, FLOORS).reshape(FLOORS, samples, 2) for kind in KINDS]
        pairs = list(zip(yards, sets, strict=True))
        return cls(
            np.stack(points),
            np.array([np.mean([yard.distance(each) for each in found]) for yard, found in pairs]),
            np.array([np.mean([data.distance(each) for each in found]) for found in sets]),
            np.array([yard.distance(even_starts(samples, rng)) for yard in yards]),
        )

    def columns(self) -> Columns:
        """Return the baseline as named columns."""
        names = ("points", "floor", "floor_data", "start")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_kept(cls, kept: Kept) -> Self:
        """Return the baseline that a run kept."""
        return cls(**{name: np.asarray(value, float) for name, value in kept.columns.items()})

    def yardsticks(self, samples: int) -> dict[str, Yardstick]:
        """Return what samples are compared with, by ODE and SDE."""
        return {kind: Yardstick.of(self.points[i], samples) for i, kind in enumerate(KINDS)}


def ring(samples: int, seed: int) -> Yardstick:
    """Return the yardstick of the data."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(DIGITAL, len(NETWORKS))))
    return Yardstick.of(even_ring(FINER * samples, rng), samples)


def networks(request: Request) -> dict[str, ScoreWeights]:
    """Return the networks of a study by name: trained with the noise of writing, and without it."""
    from rramlab.diffusion.store import ring_weights, unaware_ring_weights

    return dict(zip(NETWORKS, (ring_weights(), unaware_ring_weights()), strict=True))
