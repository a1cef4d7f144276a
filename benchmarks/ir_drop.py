"""Time IR drop of a crossbar against a sparse direct solve of the same nodes, in the same process."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.product import product
from sim_backend.wires import TransferMatrix, Wires, cell_currents

R = 1.0
"""Set the resistance of each segment (ohm)."""


def best(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the shortest time of several (s)."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def sparse_currents(g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the column currents (A) of vectors v (V) by nodal analysis and a sparse LU."""
    rows, cols = g.shape
    a = np.arange(rows * cols).reshape(rows, cols)
    b = a + a.size
    pairs = [(a[:, :-1], a[:, 1:]), (b[:-1], b[1:])]
    i = np.concatenate([p.ravel() for p, _ in pairs] + [a.ravel()])
    j = np.concatenate([q.ravel() for _, q in pairs] + [b.ravel()])
    c = np.concatenate([np.full(i.size - a.size, 1 / R), g.ravel()])
    ends = np.concatenate([a[:, 0], b[-1]])
    row = np.concatenate([i, j, i, j, ends])
    col = np.concatenate([i, j, j, i, ends])
    value = np.concatenate([c, c, -c, -c, np.full(ends.size, 1 / R)])
    right = np.zeros((2 * a.size, len(v)))
    right[a[:, 0]] = v.T / R
    nodes = splu(coo_matrix((value, (row, col))).tocsc()).solve(right)
    return np.asarray(nodes[b[-1]].T / R)


def main() -> None:
    """Print time, ratio and agreement for some sizes."""
    rng = np.random.default_rng(0)
    print(f"IR drop, {R} ohm per segment, 100 input vectors (goal for 32 x 32: 5 ms, agreement 1e-9)")
    print(f"{'array':>12} {'ours':>10} {'sparse LU':>10} {'ratio':>7} {'agreement':>10}")
    for rows, cols in ((32, 32), (64, 64), (128, 128), (32, 256)):
        g = rng.uniform(20e-6, 100e-6, (rows, cols))
        v = rng.uniform(-0.2, 0.2, (100, rows))
        ours = TransferMatrix.of(g, R, R).currents(v)
        peer = sparse_currents(g, v)
        fast = best(lambda g=g, v=v: TransferMatrix.of(g, R, R).currents(v))
        slow = best(lambda g=g, v=v: sparse_currents(g, v), 3)
        error = np.abs(ours - peer).max() / np.abs(peer).max()
        size = f"{rows} x {cols}"
        print(f"{size:>12} {fast * 1e3:>7.2f} ms {slow * 1e3:>7.1f} ms {slow / fast:>6.1f}x {error:>10.1e}")
    nonlinear(rng)
    g = rng.uniform(20e-6, 100e-6, (1024, 1024))
    v = rng.uniform(-0.2, 0.2, 1024)
    start = time.perf_counter()
    _, steps = cell_currents(g, v, Wires(R, R), 1e-10)
    print(f"1024 x 1024, one vector, all cell currents: {time.perf_counter() - start:.1f} s, {steps} steps")


def nonlinear(rng: np.random.Generator) -> None:
    """Print the time of a product with cells whose conductance depends on their voltage."""
    v = rng.uniform(-0.2, 0.2, (100, 32))
    linear = rng.uniform(20e-6, 100e-6, (32, 32))
    cells = np.stack([linear, 0 * linear, 2.0 * linear, 0 * linear, 0 * linear])
    fast = best(lambda: product(cells, v, R, 0.0))
    still = product(np.stack([linear, *[0 * linear] * 4]), v, R, 0.0).currents
    # The iteration has its drivers at the first column and row, the direct solve its ground at the last row.
    peer = sparse_currents(linear[::-1], v[:, ::-1])
    error = np.abs(still - peer).max() / np.abs(peer).max()
    print(f"32 x 32, operating points of nonlinear cells iterated: {fast * 1e3:.2f} ms; linear {error:.1e}")
    with SimBackend(Options(macros=1)) as backend:
        whole = best(lambda: backend.multiply(v), 20)
    print(f"the whole verb `multiply`: cell model, wires and noise: {whole * 1e3:.2f} ms (goal 5 ms)")


if __name__ == "__main__":
    main()
