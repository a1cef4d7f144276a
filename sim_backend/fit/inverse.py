"""Find the filament behind a reading: the inverse of the path through transistor and lines."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_backend.cells import GOOD, Cells
from sim_backend.population import Population

FloatArray = NDArray[np.float64]
_PASSES = 4
_LEAST = 1e-8


def load_readings(
    population: Population,
    readings: FloatArray,
    v_read: float,
    v_wl: ArrayLike,
    series_ohm: ArrayLike = 0.0,
) -> None:
    """Put each good cell at time 0 into the state that reads `readings` (S); what is left to relax stays.

    `readings`, `v_wl` (V) and `series_ohm` (ohm, of the lines) are scalars or one per cell.
    """
    good = population.cells.status == GOOD
    index = np.flatnonzero(good)
    cells = population.cells
    cells.fresh[index] = 0
    cells.anchor[index] = 0.0
    wanted, most = readings[index], population.preset.kinetics.g_ceil
    gate, ohm = (np.broadcast_to(np.asarray(v, float), good.shape)[index] for v in (v_wl, series_ohm))
    cells.conductance[index] = np.clip(wanted, _LEAST, most)
    for _ in range(_PASSES):
        _correct(population, cells, index, wanted, v_read, gate, ohm)


def _correct(
    population: Population,
    cells: Cells,
    index: NDArray[np.int64],
    wanted: FloatArray,
    v_read: float,
    v_wl: FloatArray,
    series_ohm: FloatArray,
) -> None:
    # A path of filament and series resistance reads s with 1/s = 1/g + R: Newton in 1/g with slope 1.
    reads = population.conductance(index, v_read, v_wl, 0.0, series_ohm)
    most = population.preset.kinetics.g_ceil
    ohm = 1.0 / cells.conductance[index] + 1.0 / np.maximum(wanted, _LEAST) - 1.0 / np.maximum(reads, _LEAST)
    cells.conductance[index] = np.clip(1.0 / np.maximum(ohm, 1.0 / most), _LEAST, most)
