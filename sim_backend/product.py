"""Multiply vectors by a macro: what the columns deliver with nonlinear cells, wires and read noise."""

import math

import numpy as np
from numpy.typing import NDArray

from sim_backend.array import Array
from sim_backend.preset import Noise
from sim_backend.wires import Wires, solve

FloatArray = NDArray[np.float64]

GATE = 3.3
"""Word-line voltage of a multiplication (V)."""


def product_currents(
    array: Array, macro: int, voltages: FloatArray, at: float, rng: np.random.Generator
) -> FloatArray:
    """Return the noisy column currents (A, vectors x cols) for row voltages (V, vectors x rows).

    The operating point of each cell is iterated with the drop along the wires until both agree. Noise is
    output-referred: for Gaussian cells the sum of their noise is Gaussian with the summed variance.
    """
    index = macro_index(array, macro)
    wires = Wires(array.r_line, array.r_line, array.r_switch)

    def conductance(volts: FloatArray) -> FloatArray:
        many = np.broadcast_to(index, volts.shape).ravel()
        safe = np.where(np.abs(volts) < 1e-6, 1e-6, volts).ravel()
        return array.population.conductance(many, safe, GATE, at).reshape(volts.shape)

    # The column drivers stand at row 0, the wires' solver has them below the last row: turn it over.
    found = solve(
        lambda v: conductance(v[..., ::-1, :])[..., ::-1, :], voltages[:, ::-1], wires, cols=array.cols
    )
    noise = array.population.preset.noise
    sigma = np.sqrt(column_variance(noise, found.conductance, found.cell_voltage) + noise.white_current**2)
    return np.asarray(found.currents + sigma * rng.standard_normal(sigma.shape))


def macro_index(array: Array, macro: int) -> NDArray[np.int64]:
    """Return the cell numbers of a macro (rows x cols)."""
    size = array.rows * array.cols
    return np.arange(macro * size, (macro + 1) * size, dtype=np.int64).reshape(array.rows, array.cols)


def column_variance(noise: Noise, conductance: FloatArray, voltage: FloatArray) -> FloatArray:
    """Return the variance of each column current (A^2) that the read noise of its cells adds in 1 ms."""
    relative = noise.relative * math.sqrt(noise.g_reference)
    return np.asarray((relative**2 * conductance * voltage**2).sum(axis=-2))
