"""Set analog samples beside digital ones and beside the data."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from time import perf_counter
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.sample.request import Request
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import Quality, quality
from rramlab.diffusion.network import ScoreWeights
from rramlab.loop import LoopResult

FloatArray = NDArray[np.float64]

DIGITAL_STEPS = 1000
FRESH = 20_000
"""Points of the data that samples are compared with."""
FLOORS = 8
"""Fresh sets of data whose mean distance is the floor: one set alone is a matter of luck."""


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """Hold sets of points (n, 2) by name, their distances to the data, and digital seconds per sample."""

    points: Mapping[str, FloatArray]
    quality: Mapping[str, Quality]
    digital_seconds: float


def knows_ring(score: ScoreWeights) -> bool:
    """Tell whether a network was trained on the ring, so that fresh data of the ring are its measure."""
    return score.metadata.get("command") == "rramlab train ring"


def compare(
    request: Request, score: ScoreWeights, start: FloatArray, result: LoopResult, seed: int
) -> Comparison:
    """Return analog beside digital samples from the same start states; the ring also beside fresh data."""
    from rramlab.diffusion.sampler import sample
    from rramlab.diffusion.threads import one_thread

    rng = np.random.default_rng([seed, 2])
    sample(score, 64, steps=10)  # the first call of torch takes seconds that belong to no sample
    with one_thread():
        begun = perf_counter()
        digital = sample(score, request.runs, steps=DIGITAL_STEPS, kind=request.kind, seed=seed, start=start)
        seconds = (perf_counter() - begun) / request.runs
    points = {"analog": result.end, "digital": digital.points}
    if not knows_ring(score):
        data = sample(score, FRESH, steps=DIGITAL_STEPS, kind=request.kind, seed=seed + 1).points
        return Comparison(points, {name: quality(found, data) for name, found in points.items()}, seconds)
    data = ring_points(FRESH, rng)
    distances = {name: quality(found, data) for name, found in points.items()}
    fresh = [ring_points(request.runs, rng) for _ in range(FLOORS)]
    return Comparison({**points, "data": fresh[0]}, {**distances, "data": floor(fresh, data)}, seconds)


def floor(sets: list[FloatArray], data: FloatArray) -> Quality:
    """Return the mean distance between fresh sets of data and the data: what no sampler can fall below."""
    found = [astuple(quality(points, data)) for points in sets]
    return Quality(*(float(value) for value in np.mean(found, axis=0)))
