"""Take every cell to every level in turn, so that cells and levels do not mix."""

import numpy as np
from numpy.typing import NDArray


def levels_of(cells: int, levels: int, turn: int) -> NDArray[np.intp]:
    """Return the level of each cell in a turn; each turn spreads all levels over the cells.

    The order is scattered (a stride without common factor), so that levels do not lie along columns.
    """
    stride = next(k for k in range(max(levels // 2, 1), 2 * levels + 2) if np.gcd(k, levels) == 1)
    return (np.arange(cells) * stride + np.arange(cells) // levels + turn) % levels
