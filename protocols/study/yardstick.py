"""Hold a set of points to compare many others with: its projections are sorted once."""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion.metrics import histogram_distance

FloatArray = NDArray[np.float64]

FINER = 8
"""Points of a yardstick for each point that it is to measure."""
DIRECTIONS = 128


@final
@dataclass(frozen=True, eq=False)
class Yardstick:
    """Hold points (n, 2) and the means of equal parts of their sorted projections, (count, directions)."""

    points: FloatArray
    parts: NDArray[np.float32]

    @classmethod
    def of(cls, points: FloatArray, count: int) -> Self:
        """Return the yardstick for sets of `count` points; `points` are a multiple of so many."""
        ordered = np.sort(points @ _fan(), axis=0)
        return cls(points, ordered.reshape(count, -1, DIRECTIONS).mean(axis=1).astype(np.float32))

    def distance(self, samples: FloatArray) -> float:
        """Return the sliced Wasserstein-1 distance (network units) of as many points as it was made for."""
        return float(np.mean(np.abs(np.sort(samples @ _fan(), axis=0) - self.parts)))

    def histogram(self, samples: FloatArray) -> float:
        """Return the published distance of histograms, 100 x 100 bins over +-1 (arXiv 2404.05648)."""
        return histogram_distance(samples, self.points)


def _fan() -> FloatArray:
    """Return directions (2, 128), an even fan over half a turn."""
    angles = np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
    return np.stack([np.cos(angles), np.sin(angles)])
