"""Tell how programming ended, cell by cell and pass by pass."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.outcome import Outcome
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

UNITS = {"target": "S", "achieved": "S", "written": "S", "energy": "J"}
"""Units of the columns of a record; the others are numbers."""


@final
@dataclass(frozen=True)
class PassStatistics:
    """Hold what one pass did to the cells that answer: errors (S) right after writing and after the wait.

    `pulses` and `reads` are sums over all cells of the run up to the end of this pass.
    """

    pulses: int
    reads: int
    open_after: int
    sigma_written: float
    sigma_settled: float
    share_settled: float

    @staticmethod
    def table(passes: Sequence["PassStatistics"]) -> FloatArray:
        """Return passes as a table (passes, 6) for the record."""
        return np.array([astuple(line) for line in passes], dtype=float).reshape(-1, 6)

    @classmethod
    def of_table(cls, table: FloatArray) -> "list[PassStatistics]":
        """Return the passes that `table` wrote down."""
        lines = np.asarray(table, dtype=float).reshape(-1, 6).tolist()
        return [cls(*(int(count) for count in line[:3]), *line[3:]) for line in lines]


@final
@dataclass(frozen=True, eq=False)
class Programmed:
    """Hold the end of a run: per cell target and achieved (S), outcome, pulses, reads, energy (J).

    `achieved` is the last reading of many samples, `written` the one before the last wait; `reads` counts the
    readings taken while writing, not the one that ends each pass. `seconds` is the time of the bench.
    """

    cells: Cells
    target: FloatArray
    achieved: FloatArray
    written: FloatArray
    outcome: NDArray[np.uint8]
    pulses: NDArray[np.int32]
    reads: NDArray[np.int32]
    energy: FloatArray
    seconds: float
    passes: tuple[PassStatistics, ...]

    @property
    def error(self) -> FloatArray:
        """Return achieved minus target (S)."""
        return self.achieved - self.target

    @property
    def converged(self) -> BoolArray:
        """Return which cells were within tolerance in two readings in a row."""
        return np.asarray(self.outcome == Outcome.CONVERGED)

    @property
    def success(self) -> float:
        """Return the share of cells that converged."""
        return float(self.converged.mean()) if len(self.cells) else 1.0

    def within(self, tolerance: float) -> float:
        """Return the share of all cells whose last reading lies within `tolerance` (S) of the target."""
        return float((np.abs(self.error) <= tolerance).mean()) if len(self.cells) else 1.0

    def by_outcome(self) -> dict[Outcome, Cells]:
        """Return the cells of each outcome that occurred."""
        found = (Outcome(int(code)) for code in np.unique(self.outcome))
        return {outcome: self.cells.take(self.outcome == outcome) for outcome in found}

    def columns(self) -> Columns:
        """Return the cells as named columns for the record."""
        return {
            "row": self.cells.row.astype(np.int32),
            "col": self.cells.col.astype(np.int32),
            "target": self.target,
            "achieved": self.achieved,
            "written": self.written,
            "outcome": self.outcome,
            "pulses": self.pulses,
            "reads": self.reads,
            "energy": self.energy,
            "seconds": np.array(self.seconds),
            "statistics": PassStatistics.table(self.passes),
        }

    @classmethod
    def from_columns(cls, columns: Columns) -> "Programmed":
        """Return the end of a run from the columns of its record."""
        passes = tuple(PassStatistics.of_table(columns["statistics"]))
        c, cells = columns, Cells(columns["row"], columns["col"])
        return cls(
            cells, c["target"], c["achieved"], c["written"], c["outcome"],
            c["pulses"], c["reads"], c["energy"], float(c["seconds"]), passes,
        )  # fmt: skip
