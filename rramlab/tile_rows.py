"""Share the rows of a macro among its tiles, so that their columns can go around unusable cells."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
Owners = NDArray[np.int64]
SPARE = -1
"""Owner of a row that no tile has."""


def shared(bad: BoolArray, owners: Owners, widths: Sequence[int]) -> Owners:
    """Return the owner of each row after exchanges of rows, as long as fewer unusable cells are left.

    `bad` (rows, columns) marks unusable cells, `owners` (rows,) names the tile of each row, and tile k needs
    `widths[k]` columns. Each exchange is the best one; what is left over has no better neighbour.
    """
    while left(bad, owners, widths) > 0:
        pairs = [(a, b) for a, b in combinations(range(len(owners)), 2) if owners[a] != owners[b]]
        tried = [exchanged(owners, a, b) for a, b in pairs]
        best = min(tried, key=lambda new: left(bad, new, widths), default=owners)
        if left(bad, best, widths) >= left(bad, owners, widths):
            break
        owners = best
    return owners


def left(bad: BoolArray, owners: Owners, widths: Sequence[int]) -> int:
    """Return how many unusable cells the tiles cannot go around, each on the best columns of its rows."""
    counts = [np.sort(bad[owners == k].sum(axis=0))[:width] for k, width in enumerate(widths)]
    return int(sum(count.sum() for count in counts))


def exchanged(owners: Owners, a: int, b: int) -> Owners:
    """Return the owners with those of two rows exchanged."""
    new = owners.copy()
    new[[a, b]] = owners[[b, a]]
    return new
