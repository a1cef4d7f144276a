"""Cut long lists of cells into blocks, so that temporary arrays stay small."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_backend.cells import FloatArray

BLOCK = 65_536
"""Cells per kernel call."""

IndexArray = NDArray[np.int64]


def as_index(index: ArrayLike, count: int) -> IndexArray:
    """Return cell numbers as a flat array; refuse those outside 0 to `count` - 1."""
    cells = np.ascontiguousarray(np.asarray(index, np.int64).ravel())
    if len(cells) and (cells.min() < 0 or cells.max() >= count):
        asked = f"{int(cells.min())} to {int(cells.max())}"
        raise ValueError(f"cells {asked} were asked for; 0 to {count - 1} is possible")
    return cells


def blocks_of(index: IndexArray, *values: ArrayLike) -> Iterator[tuple[slice, list[FloatArray]]]:
    """Yield each block as a slice of `index`, with its part of each of `values` (one, or one per cell)."""
    arrays = [np.asarray(v, np.float64).ravel() for v in values]
    for begin in range(0, len(index), BLOCK):
        span = slice(begin, min(begin + BLOCK, len(index)))
        yield span, [_part(a, span, len(index)) for a in arrays]


def _part(values: FloatArray, span: slice, total: int) -> FloatArray:
    if len(values) == 1:
        return np.full(span.stop - span.start, values[0])
    if len(values) != total:
        raise ValueError(f"{len(values)} values were given for {total} cells; give one, or one per cell")
    return np.ascontiguousarray(values[span])
