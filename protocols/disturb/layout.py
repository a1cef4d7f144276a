"""Say which cell has which state and which part in a disturb measurement."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import InputError

IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

NULL, ROW, COLUMN, AGGRESSOR = 0, 1, 2, 3
"""Parts in half-select disturb: cells that share no line with an aggressor, its row, its column, itself."""
PARTS = ("null", "row", "column", "aggressor")


@final
@dataclass(frozen=True, eq=False)
class Layout:
    """Hold the state of each cell and its arm in read disturb (0: null), dealt out at random and evenly."""

    state: IntArray
    arm: IntArray

    @classmethod
    def deal(cls, count: int, states: int, arms: int, seed: int) -> "Layout":
        """Return a layout of so many cells; the same seed deals the same."""
        turn, order = np.arange(count), np.random.default_rng([seed, 2]).permutation(count)
        state, arm = np.empty(count, np.intp), np.empty(count, np.intp)
        state[order], arm[order] = turn % states, turn // states % arms
        return cls(state, arm)


def choose_aggressors(cells: Cells, usable: BoolArray, pulses: NDArray[np.int64], count: int) -> IntArray:
    """Return the places of `count` aggressors in the list, on rows and columns of their own.

    They are spread over the rectangle; of the usable cells near each place the least pulsed one is taken.
    """
    rows, cols = np.unique(cells.row), np.unique(cells.col)
    if count * 2 > min(rows.size, cols.size):
        raise InputError(
            f"{count} aggressors were asked for among {rows.size} rows and {cols.size} columns; each needs a "
            f"row and a column of its own and as many must stay free: give at most "
            f"{min(rows.size, cols.size) // 2}, or more cells"
        )
    chosen: list[int] = []
    for r, c in zip(np.array_split(rows, count), np.array_split(cols, count), strict=True):
        near = np.flatnonzero(usable & np.isin(cells.row, r) & np.isin(cells.col, c))
        if near.size:
            chosen.append(int(near[np.argmin(pulses[near])]))
    return np.array(chosen, np.intp)


def parts_of(cells: Cells, aggressors: IntArray) -> IntArray:
    """Return the part of each cell; a cell on the lines of two aggressors belongs to that of its row."""
    part = np.full(len(cells), NULL, np.intp)
    part[np.isin(cells.col, cells.col[aggressors])] = COLUMN
    part[np.isin(cells.row, cells.row[aggressors])] = ROW
    part[aggressors] = AGGRESSOR
    return part
