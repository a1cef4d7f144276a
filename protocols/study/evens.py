"""Spread points evenly where independent ones would hide small distances behind their own chance."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from protocols.sampling import START_RANGE
from rramlab.diffusion.data import RING_RADIUS, RING_SPREAD

FloatArray = NDArray[np.float64]

PLASTIC = 1.32471795724474602596
_NORMAL = NormalDist()
_EDGE = _NORMAL.cdf(-START_RANGE)


def even_square(count: int, rng: np.random.Generator) -> FloatArray:
    """Return points (count, 2) of the unit square, even in both directions, shifted by chance.

    They follow the R2 recurrence of Roberts (2018).
    """
    steps = np.arange(1, count + 1)[:, None] * np.array([1.0 / PLASTIC, 1.0 / PLASTIC**2])
    return np.asarray((steps + rng.random(2)) % 1.0)


def even_starts(count: int, rng: np.random.Generator) -> FloatArray:
    """Return start states (count, 2) of N(0, 1) within the range of the converters."""
    return _normal(even_square(count, rng))


def even_ring(count: int, rng: np.random.Generator) -> FloatArray:
    """Return points (count, 2) of the ring, the data of the first task."""
    square = even_square(count, rng)
    radius = RING_RADIUS + RING_SPREAD * _normal(square[:, 0])
    angle = 2.0 * np.pi * square[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _normal(shares: FloatArray) -> FloatArray:
    within = np.clip(shares, _EDGE, 1.0 - _EDGE)
    return np.array([_NORMAL.inv_cdf(p) for p in within.ravel().tolist()]).reshape(shares.shape)
