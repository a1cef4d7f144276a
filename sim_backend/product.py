"""Multiply vectors by a macro: what the columns deliver with nonlinear cells, wires and read noise.

The conductance of a cell's path depends a little on the voltage across it. Over the range of a
multiplication it is a polynomial of degree 4 (to 1e-4); its coefficients are had from the cell model once,
and the operating point of all cells is then iterated with the drop along the wires.
"""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numba import prange
from numpy.typing import NDArray

from sim_backend.array import Array
from sim_backend.compiled import compiled
from sim_backend.technology import Noise
from sim_backend.wires import Wires, solve

FloatArray = NDArray[np.float64]

GATE = 3.3
"""Word-line voltage of a multiplication (V)."""
SAMPLE = 1e-3
"""Time in which a product, or one sample of a reading, is taken (s)."""
TOLERANCE = 1e-11
"""Change of a cell voltage, of the largest input, at which the iteration ends."""
PASSES = 60
_NODES = np.array([-0.2, -0.1, 0.02, 0.1, 0.2])


@final
@dataclass(frozen=True, eq=False)
class Product:
    """Hold what a macro makes of row voltages: column currents (A, vectors x cols) and cell voltages (V)."""

    currents: FloatArray
    cell_voltage: FloatArray


def product_currents(
    array: Array, macro: int, voltages: FloatArray, at: float, rng: np.random.Generator
) -> FloatArray:
    """Return the noisy column currents (A, vectors x cols) for row voltages (V, vectors x rows).

    The vectors follow each other, a sample each. Noise that is slower than the whole call moves every cell
    once, so that no averaging takes it away; the faster part is drawn anew for each vector, output-referred:
    for Gaussian cells the sum of their noise is Gaussian with the summed variance.
    """
    noise, index = array.population.preset.noise, macro_index(array, macro)
    filament = array.population.filament(index.ravel(), at).reshape(index.shape)
    slow = slow_share(noise, SAMPLE * len(voltages))
    paths = polynomials(array, macro, at)
    each = cell_variance(noise, paths[0], filament)
    sigma = np.sqrt(slow * each) / paths[0]
    found = product(
        paths * (1.0 + sigma * rng.standard_normal(sigma.shape)), voltages, array.r_line, array.r_switch
    )
    power = np.einsum("nij,nij,ij->nj", found.cell_voltage, found.cell_voltage, each)
    variance = (1.0 - slow) * power + noise.white_current**2 * noise.white_time / SAMPLE
    return np.asarray(found.currents + np.sqrt(variance) * rng.standard_normal(variance.shape))


def slow_share(noise: Noise, duration: float) -> float:
    """Return the share of the read noise's variance whose correlation time exceeds a duration (s)."""
    taus = noise.tau_min * 10.0 ** np.arange(noise.decades)
    return min(1.0, float(np.count_nonzero(taus > duration)) / noise.effective_decades)


def polynomials(array: Array, macro: int, at: float) -> FloatArray:
    """Return the coefficients of G(V) (S/V^k, 5 x rows x cols) of each path of a macro at time `at` (s)."""
    index = macro_index(array, macro).ravel()
    many, volts = np.tile(index, _NODES.size), np.repeat(_NODES, index.size)
    g = array.population.conductance(many, volts, GATE, at).reshape(_NODES.size, -1)
    coefficients = np.linalg.solve(np.vander(_NODES, increasing=True), g)
    return np.ascontiguousarray(coefficients).reshape(_NODES.size, array.rows, array.cols)


def product(coefficients: FloatArray, voltages: FloatArray, r_line: float, r_switch: float) -> Product:
    """Return currents and operating points of cells G(V) (degree x rows x cols) for vectors (V).

    Row drivers stand at column 0, virtual grounds at row 0; half of the switch of a path is in each line.
    """
    seen, current, done = picard(coefficients, voltages, r_line, 0.5 * r_switch, TOLERANCE, PASSES)
    if not done.all():
        return stiff_product(coefficients, voltages, Wires(r_line, r_line, 0.5 * r_switch))
    return Product(current.sum(axis=1), seen)


def stiff_product(coefficients: FloatArray, voltages: FloatArray, wires: Wires) -> Product:
    """Return the same for wires so resistive that simple iteration does not settle."""
    # The solver has its virtual grounds below the last row: turn the macro over.
    turned = coefficients[:, ::-1]
    found = solve(lambda v: power_series(turned, v), voltages[:, ::-1], wires, cols=coefficients.shape[2])
    return Product(found.currents, found.cell_voltage[:, ::-1])


def power_series(coefficients: FloatArray, volts: FloatArray) -> FloatArray:
    """Return G(V) (S) of cells (degree x rows x cols) at voltages (V, ..., rows, cols)."""
    value = np.zeros_like(volts)
    for coefficient in coefficients[::-1]:
        value = value * volts + coefficient
    return value


def macro_index(array: Array, macro: int) -> NDArray[np.int64]:
    """Return the cell numbers of a macro (rows x cols)."""
    size = array.rows * array.cols
    return np.arange(macro * size, (macro + 1) * size, dtype=np.int64).reshape(array.rows, array.cols)


def cell_variance(noise: Noise, conductance: FloatArray, filament: FloatArray) -> FloatArray:
    """Return the variance (S^2) of the conductance of each path that read noise gives it in 1 ms."""
    relative = noise.relative * math.sqrt(noise.g_reference)
    return np.asarray(relative**2 * conductance * fluctuation_share(conductance, filament) ** 2)


def fluctuation_share(path: FloatArray, filament: FloatArray) -> FloatArray:
    """Return by what sqrt(G) of a path is to be multiplied where a filament fluctuates as its own sqrt(g).

    With a series resistance dG/dg = (G/g)^2, so that sqrt(g) dG/dg = sqrt(G) (G/g)^(3/2).
    """
    return np.asarray((path / filament) ** 1.5)


@compiled(parallel=True)
def picard(
    coefficients: FloatArray, voltages: FloatArray, r_line: float, r_end: float, tolerance: float, passes: int
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return cell voltages (V), cell currents (A), (vectors, rows, cols), and which vectors settled."""
    vectors, rows, cols = len(voltages), coefficients.shape[1], coefficients.shape[2]
    seen = np.empty((vectors, rows, cols))
    current = np.empty((vectors, rows, cols))
    done = np.zeros(vectors, np.bool_)
    for n in prange(vectors):
        for i in range(rows):
            seen[n, i, :] = voltages[n, i]
        for _ in range(passes):
            conduct(coefficients, seen[n], current[n])
            change = drop(current[n], voltages[n], r_line, r_end, seen[n])
            if change <= tolerance * np.abs(voltages[n]).max():
                done[n] = True
                break
        conduct(coefficients, seen[n], current[n])
    return seen, current, done


@compiled()
def conduct(coefficients: FloatArray, seen: FloatArray, current: FloatArray) -> None:
    """Write the current (A) of each cell at its voltage (V)."""
    last = len(coefficients) - 1
    for i in range(seen.shape[0]):
        for j in range(seen.shape[1]):
            current[i, j] = coefficients[last, i, j]
        for k in range(last - 1, -1, -1):
            for j in range(seen.shape[1]):
                current[i, j] = current[i, j] * seen[i, j] + coefficients[k, i, j]
        for j in range(seen.shape[1]):
            current[i, j] *= seen[i, j]


@compiled()
def drop(current: FloatArray, voltage: FloatArray, r_line: float, r_end: float, seen: FloatArray) -> float:
    """Write the voltage (V) left for each cell after the wires, and return the largest change (V)."""
    rows, cols = current.shape
    rise, above = np.zeros(cols), np.zeros(cols)
    for j in range(cols):
        above[j] = current[:, j].sum()
        rise[j] = r_end * above[j]
    change = 0.0
    for i in range(rows):
        ahead = current[i].sum()
        node = voltage[i] - r_end * ahead
        for j in range(cols):
            node -= r_line * ahead
            rise[j] += r_line * above[j]
            change = max(change, abs(node - rise[j] - seen[i, j]))
            seen[i, j] = node - rise[j]
            ahead -= current[i, j]
            above[j] -= current[i, j]
    return change
