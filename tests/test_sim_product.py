"""A multiplication agrees with the exact solution of the network, linear or not."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from rramlab.cells import Cells
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.product import polynomials, product, stiff_product
from sim_backend.wires import Wires

FloatArray = NDArray[np.float64]


def direct(g: FloatArray, v: FloatArray, r: float, r_end: float) -> FloatArray:
    """Return column currents by nodal analysis: row nodes, then column nodes, drivers at index 0."""
    rows, cols = g.shape
    entries: list[tuple[int, int, float]] = []
    right = np.zeros(2 * rows * cols)

    def link(a: int, b: int, y: float) -> None:
        entries.extend([(a, a, y), (b, b, y), (a, b, -y), (b, a, -y)])

    for i in range(rows):
        for j in range(cols):
            top, bottom = i * cols + j, rows * cols + i * cols + j
            link(top, bottom, g[i, j])
            if j:
                link(top, top - 1, 1 / r)
            else:
                entries.append((top, top, 1 / (r + r_end)))
                right[top] = v[i] / (r + r_end)
            if i:
                link(bottom, bottom - cols, 1 / r)
            else:
                entries.append((bottom, bottom, 1 / (r + r_end)))
    a, b, y = zip(*entries, strict=True)
    nodes = spsolve(coo_array((y, (a, b))).tocsc(), right)
    return np.asarray(nodes[rows * cols : rows * cols + cols] / (r + r_end))


@pytest.mark.parametrize(("r_line", "r_switch"), [(1.0, 0.0), (1.0, 20.0), (5.0, 100.0)])
def test_linear_cells_agree_with_a_sparse_direct_solve(r_line: float, r_switch: float) -> None:
    rng = np.random.default_rng(1)
    g, v = rng.uniform(20e-6, 100e-6, (32, 32)), rng.uniform(-0.2, 0.2, (4, 32))
    ours = product(np.stack([g, *[0 * g] * 4]), v, r_line, r_switch).currents
    exact = np.array([direct(g, vector, r_line, 0.5 * r_switch) for vector in v])
    assert np.abs(ours - exact).max() < 1e-9 * np.abs(exact).max()


def test_nonlinear_cells_agree_with_the_solver_for_stiff_wires() -> None:
    rng = np.random.default_rng(2)
    coefficients = np.stack([rng.uniform(20e-6, 100e-6, (16, 24)) * s for s in (1, 0.1, 2.0, 0, 0)])
    v = rng.uniform(-0.2, 0.2, (5, 16))
    quick, slow = product(coefficients, v, 2.0, 30.0), stiff_product(coefficients, v, Wires(2.0, 2.0, 15.0))
    assert np.allclose(quick.currents, slow.currents, rtol=1e-7, atol=1e-14)


def test_the_polynomial_of_a_path_is_its_conductance() -> None:
    array = SimBackend(Options(macros=1), seed=0).array
    c = polynomials(array, 0, 0.0)
    index, volts = np.arange(1024), np.full(1024, 0.15)
    exact = array.population.conductance(index, volts, 3.3, 0.0).reshape(32, 32)
    assert np.allclose(np.polynomial.polynomial.polyval(0.15, c), exact, rtol=1e-4)


def test_one_cell_gives_what_a_read_of_it_gives() -> None:
    with SimBackend(Options(macros=1), seed=0) as backend:
        reading = backend.read(Cells.parse("r3c5"))[0]
        volts = np.zeros((400, 32))
        volts[:, 3] = 0.2
        current = backend.multiply(volts)[:, 5].mean()
    # Noise of a read and of the mean, both known: 0.1 uS white and below 0.4 % at HRS; five sigma.
    assert abs(current / 0.2 - reading) < 5 * 0.15e-6
