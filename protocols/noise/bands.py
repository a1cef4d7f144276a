"""Sort cells into bands of conductance in which noise is told."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MOST_BANDS, LEAST_CELLS = 8, 6


@final
@dataclass(frozen=True, eq=False)
class Bands:
    """Hold the band of each cell (-1: left out) and the mean conductance (S) of each band."""

    of_cell: NDArray[np.int32]
    conductance: FloatArray

    @classmethod
    def of(cls, mean: FloatArray, targets: FloatArray, usable: BoolArray) -> "Bands":
        """Return a band per target (S), or equal shares of the cells by their mean (S) without targets."""
        which = np.full(mean.size, -1, np.int32)
        if np.isfinite(targets).any():
            which[usable] = np.unique(targets[usable], return_inverse=True)[1]
        else:
            order = np.flatnonzero(usable)[np.argsort(mean[usable], kind="stable")]
            count = int(np.clip(order.size // LEAST_CELLS, 1, MOST_BANDS))
            for band, part in enumerate(np.array_split(order, count)):
                which[part] = band
        present = range(int(which.max(initial=-1)) + 1)
        return cls(which, np.array([mean[which == band].mean() for band in present]))

    def __len__(self) -> int:
        return int(self.conductance.size)

    def members(self, band: int) -> BoolArray:
        """Return which cells lie in a band."""
        return np.asarray(self.of_cell == band)
