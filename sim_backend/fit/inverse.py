"""Find the filament behind a reading: the inverse of the path through transistor and lines."""

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import GOOD, Cells
from sim_backend.population import Population

FloatArray = NDArray[np.float64]
_PASSES = 4
_LEAST = 1e-8


def load_readings(population: Population, readings: FloatArray, v_read: float, v_wl: float) -> None:
    """Put each good cell at time 0 into the state that reads `readings` (S), with nothing left to relax."""
    index = np.flatnonzero(population.cells.status == GOOD)
    cells = population.cells
    cells.fresh[index] = 0
    cells.anchor[index] = 0.0
    wanted, most = readings[index], population.preset.kinetics.g_ceil
    cells.conductance[index] = np.clip(wanted, _LEAST, most)
    for _ in range(_PASSES):
        _correct(population, cells, index, wanted, v_read, v_wl)


def _correct(
    population: Population,
    cells: Cells,
    index: NDArray[np.int64],
    wanted: FloatArray,
    v_read: float,
    v_wl: float,
) -> None:
    # A path of filament and series resistance reads s with 1/s = 1/g + R: Newton in 1/g with slope 1.
    reads = population.conductance(index, v_read, v_wl, 0.0)
    most = population.preset.kinetics.g_ceil
    ohm = 1.0 / cells.conductance[index] + 1.0 / np.maximum(wanted, _LEAST) - 1.0 / np.maximum(reads, _LEAST)
    cells.conductance[index] = np.clip(1.0 / np.maximum(ohm, 1.0 / most), _LEAST, most)
