"""Sense a cell through its transistor and lines: noisy reads and noise-free currents."""

import math

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import Cells, FloatArray, HalfArray
from sim_backend.compiled import compiled
from sim_backend.conduction import nonlinearity, thermal_factor
from sim_backend.constants import Constants
from sim_backend.kinetics import filament_voltage
from sim_backend.lines import Lines, Points
from sim_backend.noise import Averaging, bank_mean
from sim_backend.relaxation import visible, visible_mean
from sim_backend.transistor import filament_current

_TIGHT = 1e-8  # V
_LEAST = 1e-9  # S; noise cannot turn a filament negative


@compiled(inline=True)
def path_current(cells: Cells, i: int, g: float, lines: Lines, c: Constants) -> float:
    """Return the current (A, positive from BL to SL) of the path with filament conductance `g` (S)."""
    drive = lines.v_bl - lines.v_sl
    v = filament_voltage(cells, i, g, lines, abs(drive), _TIGHT, c)
    chi = nonlinearity(g, cells.chi_factor[i], c)
    return math.copysign(filament_current(v, g * thermal_factor(g, c), chi, c), drive)


@compiled()
def read_block(
    cells: Cells,
    index: NDArray[np.int64],
    points: Points,
    telegraph: HalfArray,
    draws: HalfArray,
    white: float,
    w: Averaging,
    c: Constants,
    out: FloatArray,
) -> None:
    """Write the current (A) of each listed cell, averaged over a read, into `out`.

    `telegraph` holds the relative telegraph excursions, `draws` normal numbers, `white` (A) is the
    system's noise.
    """
    for j in range(len(index)):
        i = index[j]
        g = visible_mean(cells, i, points.at[j], w.relax_phi, c)
        sigma = c.noise_relative * math.sqrt(c.noise_reference * g)
        wobble = 1.0 + telegraph[j] * math.sqrt(c.noise_reference / g)
        noisy = g * wobble + sigma * bank_mean(cells, i, points.at[j], draws[j], w, c)
        lines = Lines(points.v_bl[j], points.v_sl[j], points.v_wl[j], points.ohm[j])
        out[j] = path_current(cells, i, max(noisy, _LEAST), lines, c) + white * draws[j, -1]


@compiled()
def current_block(
    cells: Cells, index: NDArray[np.int64], points: Points, c: Constants, out: FloatArray
) -> None:
    """Write the noise-free current (A) of each listed cell into `out`."""
    for j in range(len(index)):
        g = visible(cells, index[j], points.at[j], c)
        lines = Lines(points.v_bl[j], points.v_sl[j], points.v_wl[j], points.ohm[j])
        out[j] = path_current(cells, index[j], g, lines, c)
