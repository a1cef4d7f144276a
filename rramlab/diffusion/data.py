"""Data of the first task: points on a ring."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RING_RADIUS = 0.7
RING_SPREAD = 0.04


def ring_points(count: int, rng: np.random.Generator) -> FloatArray:
    """Draw `count` points, shape (count, 2), with radius N(0.7, 0.04) and uniform angle.

    The distribution is the one of the published code (arXiv 2404.05648, unconditional task).
    """
    if count < 1:
        raise ValueError(f"{count} points were asked for; at least 1 is possible")
    radius = rng.normal(RING_RADIUS, RING_SPREAD, count)
    angle = rng.uniform(0.0, 2.0 * np.pi, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
