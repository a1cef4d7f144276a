"""Take series of readings, and say when they were taken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from rramlab.cells import Cells
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Series:
    """Hold readings (S), (readings, cells), and the time (s) at the end of each round of readings."""

    conductance: FloatArray
    time: FloatArray

    @property
    def interval(self) -> float:
        """Return the mean time (s) from one reading of a cell to its next one."""
        return float((self.time[-1] - self.time[0]) / (len(self.time) - 1))

    @property
    def jitter(self) -> float:
        """Return the standard deviation of that time, as a part of it."""
        return float(np.diff(self.time).std() / self.interval)


def take(
    bench: Retold, cells: Cells, spec: ReadSpec, reads: int, watch: Callable[[int, int], None]
) -> Series:
    """Return so many readings of all cells, round after round."""
    found, time = np.empty((reads, len(cells))), np.empty(reads)
    for i in range(reads):
        found[i], time[i] = bench.read(cells, spec), bench.now()
        watch(i + 1, reads)
    return Series(found, time)
