"""Lay values of cells out as a map, and cells out of a text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramlab.backend import Backend
from rramlab.cells import Cells

FloatArray = NDArray[np.float64]


def chosen(text: str, backend: Backend) -> Cells:
    """Return the cells of a text such as "r0-31,c4", or with "all" every cell of the bench."""
    return Cells.of_shape(backend.shape) if text == "all" else Cells.parse(text)


def plane_of(cells: Cells, values: NDArray[Any]) -> FloatArray:
    """Return values per cell as a map of the smallest rectangle that holds all cells, NaN elsewhere."""
    row, col = cells.row - cells.row.min(), cells.col - cells.col.min()
    plane = np.full((int(row.max()) + 1, int(col.max()) + 1), np.nan)
    plane[row, col] = values
    return plane
