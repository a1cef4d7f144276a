"""Choose how many steps the digital baseline takes: where quality stops improving."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.comparison import knows_ring
from protocols.ledger.digital import Euler, Task, torch_sample
from protocols.sampling import starts
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import sliced_wasserstein
from rramlab.diffusion.threads import one_thread

FloatArray = NDArray[np.float64]

LADDER = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
POINTS, DATA, SETS = 5_000, 20_000, 6
SLACK = 0.05
RULE = (
    "the fewest steps from which on the sliced Wasserstein distance to the data stays within "
    f"{100 * SLACK:.0f} % of that of the finest, or within the scatter of sets of fresh data of the same size"
)


@final
@dataclass(frozen=True)
class Steps:
    """Hold the sweep: distances to the data by steps, that of fresh data, its scatter, the choice."""

    ladder: tuple[int, ...]
    distances: tuple[float, ...]
    floor: float
    scatter: float
    chosen: int

    def scatter_of(self, points: int) -> float:
        """Return the scatter of the distance of sets of so many points: it falls as their root."""
        return float(self.scatter * np.sqrt(POINTS / points))


def reference(task: Task, count: int, seed: int) -> FloatArray:
    """Draw data (count, 2) that samples are measured by: fresh points of the ring, or the finest sampler."""
    rng = np.random.default_rng([seed, 3])
    if knows_ring(task.score):
        return ring_points(count, rng)
    with one_thread():
        return np.asarray(torch_sample(Euler.of(task, LADDER[-1]), starts(count, rng), seed), float)


def sweep(task: Task, seed: int, points: int = POINTS) -> Steps:
    """Return the distances over the ladder of steps, all from the same start states, and the choice."""
    data = reference(task, DATA, seed)
    begin = starts(points, np.random.default_rng([seed, 4]))
    with one_thread():
        ends = [torch_sample(Euler.of(task, n), begin, seed) for n in LADDER]
    distances = [sliced_wasserstein(end, data) for end in ends]
    fresh = [sliced_wasserstein(reference(task, points, seed + 1 + i), data) for i in range(SETS)]
    scatter = float(np.std(fresh, ddof=1))
    chosen = choose(LADDER, distances, scatter)
    return Steps(LADDER, tuple(distances), float(np.mean(fresh)), scatter, chosen)


def choose(ladder: Sequence[int], distances: Sequence[float], scatter: float) -> int:
    """Return the fewest steps from which on no distance is beyond that of the finest and its slack."""
    limit = distances[-1] + max(SLACK * distances[-1], scatter)
    beyond = [i for i, distance in enumerate(distances) if not distance <= limit]
    return ladder[min(beyond[-1] + 1, len(ladder) - 1)] if beyond else ladder[0]
