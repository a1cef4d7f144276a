"""Draw the same letters digitally, from the same start states."""

from collections.abc import Iterable
from time import perf_counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion.network import ScoreWeights

FloatArray = NDArray[np.float64]

DIGITAL_STEPS = 1000


def baseline(
    score: ScoreWeights, classes: Iterable[str], kind: Literal["ode", "sde"], start: FloatArray, seed: int
) -> tuple[dict[str, FloatArray], float]:
    """Return digital samples (n, 2) of each class, all from the same starts, and seconds per sample."""
    from rramlab.diffusion.sampler import sample
    from rramlab.diffusion.threads import one_thread

    sample(score, 64, steps=10)  # the first call of torch takes seconds that belong to no sample
    found = {}
    with one_thread():
        begun = perf_counter()
        for name in classes:
            steps, runs = DIGITAL_STEPS, len(start)
            found[name] = sample(
                score, runs, steps=steps, kind=kind, seed=seed, start=start, name=name
            ).points
        seconds = (perf_counter() - begun) / (len(start) * max(len(found), 1))
    return found, seconds
