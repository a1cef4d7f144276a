"""IR drop in a crossbar whose row lines (BL) and column lines (SL) have resistance.

Row i is driven with V_i at column 0, column j is held at virtual ground below the last row. Each cell has
one wire segment of its own before it on the row line and one after it on the column line, so a line of n
cells has n segments, and each line has one switch at its end. Everything here is exact (no perturbation
series); r = 0 on any line, cells of 0 S and a 1 x 1 array are ordinary cases.

Two ways, for two uses:

* `TransferMatrix.of` eliminates the array row by row (a multi-port Thevenin equivalent seen from each row
  of column nodes, in a form that stays finite for r = 0). Price: rows * cols**3 once, then a matrix product;
  meant for up to some 256 lines.
* `cell_currents` and `solve` work on the cell currents c: (1/G + Z_row + Z_col) c = V, made symmetric
  as (1 + s Z s) y = s V with s = sqrt(G), c = s y, by conjugate gradients. Z is applied by running sums, so
  nothing is stored but the cells; its condition number is 1 + max(G Z), small in any array worth reading.
  The way for large arrays and few vectors (1024 x 1024 in seconds), and for what each cell sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Wires:
    """Hold the resistance of one segment of a row line and of a column line, and of a line's switch (ohm)."""

    r_row: float = 0.0
    r_col: float = 0.0
    r_switch: float = 0.0

    def __post_init__(self) -> None:
        for name in ("r_row", "r_col", "r_switch"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{name} = {value} ohm; give a finite resistance, 0 for a perfect line")

    def row_drop(self, currents: FloatArray) -> FloatArray:
        """Return the voltage lost on the row line up to each cell (V), from cell currents (A)."""
        behind = np.cumsum(currents[..., ::-1], axis=-1)[..., ::-1]
        return np.cumsum(behind, axis=-1) * self.r_row + behind[..., :1] * self.r_switch

    def col_rise(self, currents: FloatArray) -> FloatArray:
        """Return the voltage of the column line at each cell (V), from cell currents (..., rows, cols)."""
        above = np.cumsum(currents, axis=-2)
        below = np.cumsum(above[..., ::-1, :], axis=-2)[..., ::-1, :]
        return below * self.r_col + above[..., -1:, :] * self.r_switch


@final
@dataclass(frozen=True)
class TransferMatrix:
    """Hold the exact linear map from row voltages to column currents (S, rows x cols)."""

    matrix: FloatArray

    @staticmethod
    def of(conductance: ArrayLike, r_row: float, r_col: float, r_switch: float = 0.0) -> TransferMatrix:
        """Return the map of cells of `conductance` (S, rows x cols) with these resistances (ohm)."""
        g = checked_conductance(conductance)
        wires = Wires(r_row, r_col, r_switch)
        if g.shape[1] > g.shape[0]:
            # A resistive network is reciprocal: solve it from the other side, where the blocks are smaller.
            turned = eliminate(np.ascontiguousarray(g[::-1, ::-1].T), Wires(r_col, r_row, r_switch))
            return TransferMatrix(np.ascontiguousarray(turned[::-1, ::-1].T))
        return TransferMatrix(eliminate(g, wires))

    def currents(self, voltages: ArrayLike) -> FloatArray:
        """Return the column currents (A, ..., cols) for row voltages (V, ..., rows)."""
        v = np.asarray(voltages, dtype=np.float64)
        if v.shape[-1] != self.matrix.shape[0]:
            raise ValueError(f"{v.shape[-1]} voltages for {self.matrix.shape[0]} rows; give one per row")
        return np.asarray(v @ self.matrix)


@final
@dataclass(frozen=True)
class NodeSolution:
    """Hold what every cell sees: conductance (S), voltage across it (V), current (A); ..., rows, cols."""

    conductance: FloatArray
    cell_voltage: FloatArray
    cell_current: FloatArray
    row_node: FloatArray
    col_node: FloatArray
    iterations: int

    @property
    def currents(self) -> FloatArray:
        """Return the column currents (A, ..., cols)."""
        return np.asarray(self.cell_current.sum(axis=-2))


def checked_conductance(conductance: ArrayLike) -> FloatArray:
    """Return the conductance as a float array, or refuse what is no rows x cols map of passive cells."""
    g = np.asarray(conductance, dtype=np.float64)
    if g.ndim != 2 or g.size == 0:
        raise ValueError(f"conductance has shape {g.shape}; give one map of rows x cols")
    if not np.isfinite(g).all() or (g < 0).any():
        raise ValueError("conductance has negative or non-finite cells; give S >= 0, 0 for an open cell")
    return g


def eliminate(g: FloatArray, wires: Wires) -> FloatArray:
    """Return the transfer matrix (S) by eliminating the rows from the top down."""
    rows, cols = g.shape
    norton = np.zeros((cols, cols + rows))  # [admittance seen upwards | short-circuit current of each source]
    for i in range(rows):
        if i:
            norton[:, : cols + i] = behind_resistance(norton[:, : cols + i], wires.r_col)
        admittance, source = row_norton(g[i], wires)
        norton[:, :cols] += admittance
        norton[:, cols + i] = source
    return np.ascontiguousarray(behind_resistance(norton, wires.r_col + wires.r_switch)[:, cols:].T)


def behind_resistance(norton: FloatArray, resistance: float) -> FloatArray:
    """Return the Norton equivalent [Y | J] seen through a resistance (ohm) in each column line."""
    if resistance == 0.0:
        return norton
    cols = norton.shape[0]
    return linear(np.eye(cols) + resistance * norton[:, :cols], norton)


def row_norton(g: FloatArray, wires: Wires) -> tuple[FloatArray, FloatArray]:
    """Return what one row line shows to the columns: admittance (S, cols x cols) and current per volt (S)."""
    if wires.r_row == 0.0:
        source = g / (1.0 + wires.r_switch * g.sum())
        return np.diag(g) - wires.r_switch * np.outer(g, source), source
    place = np.arange(1, g.size + 1)
    z = wires.r_switch + wires.r_row * np.minimum(place[:, None], place)
    admittance = linear(np.eye(g.size) + g[:, None] * z, np.diag(g))
    return admittance, admittance.sum(axis=1)


def linear(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Return the solution of a dense system."""
    return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)


def cell_currents(
    conductance: FloatArray,
    voltages: FloatArray,
    wires: Wires,
    tolerance: float = 1e-12,
    max_steps: int = 5000,
) -> tuple[FloatArray, int]:
    """Return the current through each cell (A, ..., rows, cols) and the conjugate-gradient steps it took.

    `voltages` (V) has shape (..., rows); every vector is one system, and all are advanced together until the
    residual of each is below `tolerance` of its right-hand side.
    """
    root = np.sqrt(conductance)
    right = root * voltages[..., :, None]
    y = np.zeros(np.broadcast_shapes(right.shape, conductance.shape))
    residual = right + y
    direction = residual.copy()
    square = total(residual * residual)
    goal = tolerance**2 * square
    for step in range(max_steps):
        if (square <= goal).all():
            return root * y, step
        through = root * direction
        image = direction + root * (wires.row_drop(through) + wires.col_rise(through))
        length = square / np.maximum(total(direction * image), np.finfo(float).tiny)
        y += length * direction
        residual -= length * image
        fresh = total(residual * residual)
        direction = residual + fresh / np.maximum(square, np.finfo(float).tiny) * direction
        square = fresh
    raise ValueError(f"IR drop not solved to {tolerance} in {max_steps} steps; raise max_steps or tolerance")


def total(values: FloatArray) -> FloatArray:
    """Return the sum over the cells of each array, kept as (..., 1, 1)."""
    return np.asarray(values.sum(axis=(-2, -1), keepdims=True))


def solve(
    conductance: ArrayLike | Callable[[FloatArray], FloatArray],
    voltages: ArrayLike,
    wires: Wires,
    cols: int | None = None,
    tolerance: float = 1e-10,
    max_passes: int = 50,
) -> NodeSolution:
    """Return what every cell sees for row voltages (V, ..., rows).

    `conductance` is a map (S, rows x cols) or a function from the cell voltages (V, ..., rows, cols) to the
    effective conductance I/V of each cell (S, same shape): then `cols` says how many columns there are, and
    map and voltages are iterated until no cell voltage changes by more than `tolerance` times the largest.
    """
    v = np.asarray(voltages, dtype=np.float64)
    if not callable(conductance):
        return nodes(checked_conductance(conductance), v, wires)
    if cols is None:
        raise ValueError("a conductance given as a function does not tell the number of columns; give cols")
    seen = np.broadcast_to(v[..., :, None], (*v.shape, cols))
    for passes in range(1, max_passes + 1):
        found = nodes(conductance(seen), v, wires)
        change = np.abs(found.cell_voltage - seen).max()
        seen = found.cell_voltage
        if change <= tolerance * np.abs(v).max(initial=0.0):
            return replace(found, iterations=passes)
    raise ValueError(f"cells still move by {change:.3g} V after {max_passes} passes; lower the voltages")


def nodes(g: FloatArray, v: FloatArray, wires: Wires) -> NodeSolution:
    """Return currents and node voltages of a linear crossbar (g in S, v in V)."""
    current, _ = cell_currents(g, v, wires)
    row = v[..., :, None] - wires.row_drop(current)
    col = wires.col_rise(current)
    return NodeSolution(g, row - col, current, row, col, 1)
