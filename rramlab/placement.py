"""Place a layer in a macro: rows for its inputs, columns for its outputs, copies below each other."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.loop import Region

MACRO_SIDE = 32


@final
@dataclass(frozen=True)
class Placement:
    """Hold where one layer stands: macro, its rows, its columns with that of the references last, and copies.

    Copy r of input i has row r * inputs + i of `rows`, so all copies of an input carry its voltage and their
    currents add up. The macros of a bench are stacked: a global row is 32 * macro + row.
    """

    macro: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    copies: int = 1

    def __post_init__(self) -> None:
        """Refuse a layer that does not fit into one macro beside its reference column."""
        fits = max(self.rows + self.columns, default=MACRO_SIDE) < MACRO_SIDE and self.macro >= 0
        if not fits:
            raise InputError(
                f"{len(self.rows)} rows and {len(self.columns)} columns of macro {self.macro} were asked "
                f"for; possible are {MACRO_SIDE} x {MACRO_SIDE}, one column being kept for the references"
            )
        Region(self.rows, self.columns, self.copies)  # refuses a line named twice, and half a copy

    @classmethod
    def first(cls, macro: int, inputs: int, outputs: int, copies: int = 1) -> "Placement":
        """Return the place in the first rows and columns of a macro."""
        return cls(macro, tuple(range(copies * inputs)), tuple(range(outputs + 1)), copies)

    @property
    def inputs(self) -> int:
        """Return the number of inputs."""
        return self.region.inputs

    @property
    def outputs(self) -> int:
        """Return the number of outputs."""
        return self.region.outputs

    @property
    def region(self) -> Region:
        """Return the place as a closed-loop run names it."""
        rows = tuple(MACRO_SIDE * self.macro + row for row in self.rows)
        return Region(rows, self.columns, self.copies)

    def weight_cells(self, copy: int) -> Cells:
        """Return the cells of one copy of the weights, row by row."""
        rows = self.region.rows[copy * self.inputs : (copy + 1) * self.inputs]
        return Cells(np.repeat(rows, self.outputs), np.tile(self.columns[:-1], self.inputs))

    def reference_cells(self) -> Cells:
        """Return the cells of the references, one for each row of each copy."""
        return Cells(np.array(self.region.rows), np.full(len(self.rows), self.columns[-1]))

    def moved(self, usable: NDArray[np.bool_]) -> "Placement":
        """Return a place in its macro with few or no unusable cells, for a map of the whole bench."""
        bad = ~usable[MACRO_SIDE * self.macro : MACRO_SIDE * (self.macro + 1)]
        columns = fewest(bad.sum(axis=0), len(self.columns))
        rows = fewest(bad[:, columns].sum(axis=1), len(self.rows))
        return replace(self, rows=tuple(rows.tolist()), columns=tuple(columns.tolist()))


def fewest(counts: NDArray[np.int64], number: int) -> NDArray[np.intp]:
    """Return the lines with the fewest counts, in rising order."""
    return np.sort(np.argsort(counts, kind="stable")[:number])
