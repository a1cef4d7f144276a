"""List the parts of an array that one fault of a rig can take: lines, blocks, address bits, macros."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.rig import lines
from protocols.rig.lines import LineSets

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

ROW, COL = "word line", "column"


@final
@dataclass(frozen=True, eq=False)
class Family:
    """Hold parts of one kind: each set of rows with each set of columns.

    A part is what lies in both, or with `crossed` in either and not in both.
    """

    rows: LineSets
    cols: LineSets
    crossed: bool = False

    @property
    def size(self) -> int:
        """Return how many parts there are."""
        return len(self.rows) * len(self.cols)

    def count(self, plane: BoolArray) -> FloatArray:
        """Return how many cells of a map lie in each part."""
        within = self.rows.members.astype(np.float64) @ plane.astype(np.float64)
        both = within @ self.cols.members.T
        if not self.crossed:
            return np.asarray(both.ravel())
        across = plane.sum(axis=0) @ self.cols.members.T
        return np.asarray((within.sum(axis=1)[:, None] + across[None, :] - 2 * both).ravel())

    def mask(self, index: int) -> BoolArray:
        """Return the cells of a part as a map."""
        i, j = divmod(index, len(self.cols))
        row, col = self.rows.members[i][:, None], self.cols.members[j][None, :]
        return np.asarray(row ^ col if self.crossed else row & col)

    def name(self, index: int) -> str:
        """Return a part in words."""
        i, j = divmod(index, len(self.cols))
        first, second = self.rows.names[i], self.cols.names[j]
        if self.crossed:
            return f"{first.removesuffix(' = 1')} XOR {second}"
        return f"{first}, {second}" if first and second else first or second


def families(shape: tuple[int, int], macro_rows: int) -> list[Family]:
    """Return all parts that are tested on an array of this shape, simple ones first."""
    found = _lines(shape, macro_rows) + _bits(shape)
    found += _macros(shape, macro_rows) if macro_rows < shape[0] else []
    return [family for family in found if family.size]


def _lines(shape: tuple[int, int], macro_rows: int) -> list[Family]:
    rows, cols = shape
    every_row, every_col = lines.every(rows), lines.every(cols)
    found = [
        Family(lines.single(rows, ROW), every_col),
        Family(every_row, lines.single(cols, COL)),
        Family(lines.neighbours(rows, ROW), every_col),
        Family(every_row, lines.neighbours(cols, COL)),
    ]
    if min(shape) > 1:
        upper, left = ("upper half", "lower half"), ("left half", "right half")
        found.append(Family(lines.halves(rows, upper), lines.halves(cols, left)))
        found.append(Family(lines.single(rows, ROW), lines.ends(cols, cols, COL)))
        found.append(Family(lines.ends(rows, macro_rows, ROW), lines.single(cols, COL)))
    return found


def _bits(shape: tuple[int, int]) -> list[Family]:
    rows, cols = shape
    wide = cols & (cols - 1) == 0
    above, below = (cols.bit_length() - 1, 0) if wide else (None, None)
    every_row, every_col = lines.every(rows), lines.every(cols)
    row_bits, col_bits = lines.bits(rows, above, "row"), lines.bits(cols, below, "column")
    odd = LineSets(row_bits.members[::2], row_bits.names[::2])
    return [
        Family(row_bits, every_col),
        Family(every_row, col_bits),
        Family(lines.bit_pairs(rows, above, "row"), every_col),
        Family(every_row, lines.bit_pairs(cols, below, "column")),
        Family(odd, col_bits, crossed=True),
    ]


def _macros(shape: tuple[int, int], size: int) -> list[Family]:
    rows, cols = shape
    macros, every_col = lines.parts(rows, size, "macro"), lines.every(cols)
    found = [
        Family(macros, every_col),
        Family(macros, lines.single(cols, COL)),
        Family(macros, lines.neighbours(cols, COL)),
    ]
    if rows % size == 0:
        inner = (lines.single(size, ROW), lines.neighbours(size, ROW))
        found += [Family(lines.repeated(sets, rows, "of every macro"), every_col) for sets in inner]
    return found
