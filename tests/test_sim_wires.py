"""IR drop: against a sparse direct solve, and where the answer is known."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import splu

from sim_backend.wires import TransferMatrix, Wires, cell_currents, solve


def sparse_nodes(g, v, wires):
    """Solve Kirchhoff's current law at all nodes; rows driven at column 0, columns grounded below."""
    rows, cols = g.shape
    row_node = np.arange(rows * cols).reshape(rows, cols)
    col_node = row_node + rows * cols
    entries, right = [], np.zeros(2 * rows * cols)

    def resistor(a, b, conductance):
        entries.extend([(a, a, conductance), (b, b, conductance), (a, b, -conductance), (b, a, -conductance)])

    for i in range(rows):
        end = 1 / (wires.r_row + wires.r_switch)
        entries.append((row_node[i, 0], row_node[i, 0], end))
        right[row_node[i, 0]] = end * v[i]
        for j in range(1, cols):
            resistor(row_node[i, j - 1], row_node[i, j], 1 / wires.r_row)
    for j in range(cols):
        last = col_node[-1, j]
        entries.append((last, last, 1 / (wires.r_col + wires.r_switch)))
        for i in range(1, rows):
            resistor(col_node[i - 1, j], col_node[i, j], 1 / wires.r_col)
    for i, j in np.ndindex(g.shape):
        resistor(row_node[i, j], col_node[i, j], g[i, j])
    a, b, value = (np.array(part) for part in zip(*entries, strict=True))
    nodes = splu(csr_matrix((value, (a, b)), shape=(right.size, right.size)).tocsc()).solve(right)
    row, col = nodes.reshape(2, rows, cols)
    return row, col, col[-1] / (wires.r_col + wires.r_switch)


def cells(rng, rows, cols):
    g = rng.uniform(20e-6, 100e-6, (rows, cols))
    g[rng.random((rows, cols)) < 0.1] = 0.0
    return g


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (5, 9), (9, 5), (32, 32)])
@pytest.mark.parametrize("wires", [Wires(1, 1), Wires(0.5, 2, 100), Wires(300, 50, 10)])
def test_currents_agree_with_a_sparse_direct_solve(shape, wires):
    rng = np.random.default_rng(1)
    g, v = cells(rng, *shape), rng.normal(0, 0.2, shape[0])
    _, _, exact = sparse_nodes(g, v, wires)
    got = TransferMatrix.of(g, wires.r_row, wires.r_col, wires.r_switch).currents(v)
    assert np.abs(got - exact).max() <= 1e-9 * np.abs(exact).max()


def test_node_voltages_agree_with_a_sparse_direct_solve():
    rng = np.random.default_rng(2)
    g, v, wires = cells(rng, 12, 20), rng.normal(0, 0.2, (3, 12)), Wires(2, 3, 50)
    found = solve(g, v, wires)
    for k in range(3):
        row, col, currents = sparse_nodes(g, v[k], wires)
        np.testing.assert_allclose(found.row_node[k], row, atol=1e-11)
        np.testing.assert_allclose(found.col_node[k], col, atol=1e-11)
        np.testing.assert_allclose(found.currents[k], currents, atol=1e-15)


@pytest.mark.parametrize(
    "wires", [Wires(), Wires(r_row=4), Wires(r_col=4), Wires(r_switch=200), Wires(4, 0, 9)]
)
def test_perfect_lines_are_the_limit_of_good_ones(wires):
    rng = np.random.default_rng(3)
    g, v = cells(rng, 7, 10), rng.normal(0, 0.2, 7)
    got = TransferMatrix.of(g, wires.r_row, wires.r_col, wires.r_switch).currents(v)
    near = Wires(wires.r_row + 1e-5, wires.r_col + 1e-5, wires.r_switch)
    _, _, exact = sparse_nodes(g, v, near)
    np.testing.assert_allclose(got, exact, atol=1e-6 * np.abs(exact).max())
    np.testing.assert_allclose(solve(g, v, wires).currents, got, rtol=1e-10, atol=1e-18)


def test_perfect_wires_give_the_plain_product():
    rng = np.random.default_rng(4)
    g, v = cells(rng, 8, 5), rng.normal(0, 0.2, (3, 8))
    np.testing.assert_allclose(TransferMatrix.of(g, 0, 0).currents(v), v @ g, rtol=1e-14)


def test_one_cell_is_a_series_of_resistors():
    current = TransferMatrix.of([[50e-6]], 3.0, 5.0, 100.0).currents([0.2])
    assert current == pytest.approx(0.2 / (20e3 + 3 + 5 + 200), rel=1e-14)


def test_an_open_array_carries_nothing():
    g = np.zeros((4, 3))
    assert (TransferMatrix.of(g, 1, 1, 1).matrix == 0).all()
    assert (solve(g, np.ones(4), Wires(1, 1, 1)).currents == 0).all()


def test_a_large_array_is_solved_by_currents():
    rng = np.random.default_rng(5)
    g, v, wires = cells(rng, 200, 300), rng.normal(0, 0.2, 200), Wires(1, 1, 30)
    current, steps = cell_currents(g, v, wires)
    expected = TransferMatrix.of(g, 1, 1, 30).currents(v)
    np.testing.assert_allclose(current.sum(axis=0), expected, atol=1e-11 * np.abs(expected).max())
    assert steps < 60


def test_nonlinear_cells_end_where_voltage_and_current_agree():
    rng = np.random.default_rng(6)
    g, v, wires = cells(rng, 16, 16), rng.uniform(0, 0.3, (2, 16)), Wires(5, 5, 100)

    def cubic(seen):
        return g * (1 + 2.0 * seen**2)

    found = solve(cubic, v, wires, cols=16)
    law = g * found.cell_voltage * (1 + 2.0 * found.cell_voltage**2)
    np.testing.assert_allclose(found.cell_current, law, atol=1e-9 * law.max())
    assert 2 <= found.iterations < 15


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Wires(-1.0), "r_row = -1.0 ohm"),
        (lambda: TransferMatrix.of([[-1e-6]], 1, 1), "negative"),
        (lambda: TransferMatrix.of([1e-6], 1, 1), "rows x cols"),
        (lambda: TransferMatrix.of([[1e-6]], 1, 1).currents([1.0, 2.0]), "2 voltages for 1 rows"),
        (lambda: solve(lambda v: v, [1.0], Wires()), "give cols"),
    ],
)
def test_nonsense_is_refused_with_the_reason(make, words):
    with pytest.raises(ValueError, match=words):
        make()
