"""Live through the pulses that programmed a cell, so that what is left to relax is that of the cell."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import Cells, HalfArray
from sim_backend.compiled import compiled
from sim_backend.constants import Constants
from sim_backend.population import Population
from sim_backend.relaxation import redraw, settle

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class History:
    """Hold the pulses before the first reading of cells, (pulses, cells), the oldest first, NaN for none.

    `age` (s) is how long before the first reading a pulse ended, `change` (S) how far it moved the cell:
    a small pulse re-draws only part of what is left to relax.
    """

    age: FloatArray
    change: FloatArray

    def relive(self, population: Population, copies: int, rng: np.random.Generator) -> None:
        """Bring what is left to relax in `copies` sets of the cells, as conductive as they are, to time 0."""
        count, g = len(population), population.cells.conductance.copy()
        for age, change in zip(self.age, self.change, strict=True):
            normals = rng.standard_normal((count, population.cells.bank.shape[1]), np.float32)
            at, moved = -np.tile(age, copies), np.tile(change, copies)
            _redraw_all(population.cells, g, at, moved, normals, population.constants)
        _settle_all(population.cells, 0.0, population.constants)


@compiled()
def _redraw_all(
    cells: Cells, g: FloatArray, at: FloatArray, change: FloatArray, normals: HalfArray, c: Constants
) -> None:
    for i in range(len(g)):
        if math.isnan(change[i]):
            continue
        if cells.anchor[i] == 0.0:
            cells.anchor[i] = at[i]
        settle(cells, i, at[i], c)
        # The amplitude follows the conductance; how the cell got there is not lived through again.
        cells.conductance[i] = g[i]
        redraw(cells, i, math.sqrt(min(1.0, change[i] / c.redraw_full)), at[i], normals[i], c)


@compiled()
def _settle_all(cells: Cells, at: float, c: Constants) -> None:
    for i in range(len(cells.conductance)):
        settle(cells, i, at, c)
