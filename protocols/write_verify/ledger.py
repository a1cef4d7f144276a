"""Keep the account of every cell of a run: outcome, pulses, reads, energy."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify.programmed import PassStatistics, Programmed
from protocols.write_verify.strategy import Arrays, Which
from rramlab.cells import Cells
from rramlab.outcome import Outcome
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]
Index = NDArray[np.intp]
_ACCOUNTS = {
    "outcome": np.uint8, "pulses": np.int32, "reads": np.int32, "energy": np.float64, "reading": np.float32,
    "written": np.float32,
}  # fmt: skip


@final
class Ledger:
    """Hold one entry per cell of the run, in the order in which the cells were named.

    `reading` (S) is the last one, `written` (S) the last before the wait of the pass, `energy` (J) the
    estimate of what the pulses cost, `memory` what the strategy keeps of a cell between passes; `number`
    counts the passes that are over, `finished` the cells that are not open, `seconds` the time of the bench.
    """

    def __init__(self, cells: Cells, targets: FloatArray, base: NDArray[np.int64]) -> None:
        n = len(cells)
        self.cells, self.targets, self.base = cells, targets, base.astype(np.int32)
        self.outcome = np.zeros(n, np.uint8)
        self.pulses, self.reads = np.zeros(n, np.int32), np.zeros(n, np.int32)
        self.energy, self.reading = np.zeros(n), np.full(n, np.nan, np.float32)
        self.written = np.full(n, np.nan, np.float32)
        self.memory: Arrays = {}
        self.number, self.finished = 0, 0
        self.seconds = 0.0
        self.statistics: list[PassStatistics] = []

    def pending(self) -> Index:
        """Return the places of the cells that are not finished."""
        return np.flatnonzero(self.outcome == Outcome.PENDING)

    def is_about(self, cells: Cells, targets: FloatArray) -> bool:
        """Tell whether this account is one of these cells with these targets (S)."""
        same = np.array_equal(self.cells.row, cells.row) and np.array_equal(self.cells.col, cells.col)
        return same and np.array_equal(self.targets, targets)

    def remember(self, index: Index, columns: Arrays, names: tuple[str, ...], which: Which) -> None:
        """Keep what the strategy wants to know of these cells in the next pass."""
        for name in names:
            kept = self.memory.setdefault(name, np.zeros(len(self.cells), columns[name].dtype))
            kept[index] = columns[name][which]

    def recall(self, index: Index) -> Arrays:
        """Return what was kept of these cells; in the first pass they are new."""
        if self.number == 0:
            return {}
        return {name: column[index] for name, column in self.memory.items()}

    def programmed(self) -> Programmed:
        """Return the end of the run."""
        return Programmed(
            self.cells, self.targets, self.reading.astype(float), self.written.astype(float), self.outcome,
            self.pulses, self.reads, self.energy, self.seconds, tuple(self.statistics),
        )  # fmt: skip

    def columns(self) -> Columns:
        """Return the account as named columns for a resume point."""
        columns: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _ACCOUNTS}
        columns |= {"row": self.cells.row, "col": self.cells.col, "target": self.targets, "base": self.base}
        columns |= {f"memory_{name}": column for name, column in self.memory.items()}
        return columns | {
            "pass": np.array([self.number]),
            "seconds": np.array([self.seconds]),
            "statistics": PassStatistics.table(self.statistics),
        }

    @classmethod
    def from_columns(cls, columns: Columns) -> "Ledger":
        """Return the account of a resume point."""
        cells = Cells(columns["row"].astype(np.intp), columns["col"].astype(np.intp))
        ledger = cls(cells, columns["target"].astype(float), columns["base"].astype(np.int64))
        for name, dtype in _ACCOUNTS.items():
            setattr(ledger, name, np.array(columns[name], dtype=dtype))
        for name, column in columns.items():
            if name.startswith("memory_"):
                ledger.memory[name.removeprefix("memory_")] = np.array(column)
        ledger.number = int(columns["pass"][0])
        ledger.seconds = float(columns["seconds"][0])
        ledger.finished = len(cells) - ledger.pending().size
        ledger.statistics = PassStatistics.of_table(columns["statistics"])
        return ledger
