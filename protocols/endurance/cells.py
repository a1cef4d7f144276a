"""Cycle cells, read them at the counts that are due, and leave alone what failed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.endurance.outcome import Endured
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Columns, Pulse, PulseTrain
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
Index = NDArray[np.intp]

UNITS = {"lrs": "S", "hrs": "S", "middle": "S"}
"""Units of the columns of a record; the others are numbers."""
_UNFORMED, _LEAST = 1e-6, 1e-9
_ACTIVE = (Endured.ENDURED, Endured.SUSPECT)


@final
@dataclass(eq=False)
class History:
    """Hold cells over all their cycles, also those of earlier runs.

    Per cell: outcome, cycles done, the cycle of its failure (0: none). Per reading: its cycle and both states
    (S), (readings, cells), NaN where a cell was not read. `middle` (S) parts LRS from HRS.
    """

    cells: Cells
    outcome: NDArray[np.uint8]
    cycles: NDArray[np.int64]
    failed_at: NDArray[np.int64]
    cycle: list[int] = field(default_factory=list)
    lrs: list[FloatArray] = field(default_factory=list)
    hrs: list[FloatArray] = field(default_factory=list)
    middle: float = float("nan")

    @classmethod
    def begin(cls, cells: Cells) -> "History":
        """Return the history of cells that were never cycled."""
        n = len(cells)
        return cls(cells, np.zeros(n, np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int64))

    @property
    def done(self) -> int:
        """Return how many cycles the cells had that are still cycled, or had at most."""
        return int(self.cycles.max(initial=0))

    def active(self) -> Index:
        """Return the places of the cells that are cycled."""
        return np.flatnonzero(np.isin(self.outcome, _ACTIVE))

    def planes(self) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
        """Return the cycle of each reading, and both states (S), (readings, cells)."""
        shape = (-1, len(self.cells))
        lrs, hrs = np.array(self.lrs, float).reshape(shape), np.array(self.hrs, float).reshape(shape)
        return np.array(self.cycle, np.int64), lrs, hrs

    def columns(self) -> Columns:
        """Return all as named columns for the record."""
        cycle, lrs, hrs = self.planes()
        return {
            **self.cells.columns(),
            "outcome": self.outcome,
            "cycles": self.cycles,
            "failed_at": self.failed_at,
            "cycle": cycle,
            "lrs": lrs,
            "hrs": hrs,
            "middle": np.array(self.middle),
        }

    @classmethod
    def from_columns(cls, columns: Mapping[str, NDArray[Any]]) -> "History":
        """Return the history of a record."""
        c = {name: np.array(column) for name, column in columns.items()}
        cells, read = Cells(c["row"], c["col"]), (c["cycle"].tolist(), list(c["lrs"]), list(c["hrs"]))
        return cls(cells, c["outcome"], c["cycles"], c["failed_at"], *read, float(c["middle"]))


@final
class Cycler:
    """Cycle the cells of a history; `watch` is called with (cycles done, all) after every cycle."""

    def __init__(
        self,
        bench: Retold,
        pulses: tuple[Pulse, Pulse],
        window: float,
        reading: ReadSpec,
        watch: Callable[[int, int], None],
    ) -> None:
        self._bench, self._pulses, self._window = bench, pulses, window
        self._reading, self._watch = reading, watch
        self._limits: Limits = bench.backend.limits

    def run(self, history: History, due: NDArray[np.int64]) -> None:
        """Cycle up to the last of the counts that are due; cells are read after each of them.

        A cell whose window is closed is read again after the next cycle, whether it is due or not.
        """
        if not history.cycle:
            self._sort_out(history)
        first, last, planned = history.done + 1, int(due[-1]), set(due.tolist())
        for count in range(first, last + 1):
            active = history.active()
            if not active.size:
                break
            suspect = history.outcome[active] == Endured.SUSPECT
            self._cycle(history, active, np.ones(active.size, bool) if count in planned else suspect, count)
            self._watch(count - first + 1, last - first + 1)

    def _sort_out(self, history: History) -> None:
        """Read all cells before the first cycle and leave alone those that were never formed."""
        before = self._bench.read(history.cells, self._reading)
        history.outcome[before < _UNFORMED] = Endured.UNFORMED
        history.outcome[~np.isfinite(before)] = Endured.UNREADABLE

    def _cycle(self, history: History, active: Index, read: NDArray[np.bool_], count: int) -> None:
        places, cells = active[read], history.cells.take(active)
        self._bench.pulse(PulseTrain.of(cells, self._pulses[0]))
        lrs, low = np.full(len(history.cells), np.nan), np.zeros(len(history.cells), bool)
        if places.size:
            lrs[places] = self._bench.read(history.cells.take(places), self._reading)
            low = lrs < self._limits.reset_floor  # a RESET could burn it
        taken = active[~low[active]]
        if taken.size:
            self._bench.pulse(PulseTrain.of(history.cells.take(taken), self._pulses[1]))
        history.cycles[active] = count
        if places.size:
            hrs = np.full(len(history.cells), np.nan)
            hrs[places] = self._bench.read(history.cells.take(places), self._reading)
            self._judge(history, places, lrs, hrs, count)

    def _judge(self, history: History, places: Index, lrs: FloatArray, hrs: FloatArray, count: int) -> None:
        history.cycle.append(count)
        history.lrs.append(lrs)
        history.hrs.append(hrs)
        if not np.isfinite(history.middle):
            history.middle = float(np.sqrt(np.nanmedian(lrs) * max(np.nanmedian(hrs), _LEAST)))
        up, down = lrs[places], hrs[places]
        closed = ~(up >= self._window * np.maximum(down, _LEAST))
        failed = closed & (history.outcome[places] == Endured.SUSPECT)
        history.outcome[places] = np.where(closed, Endured.SUSPECT, Endured.ENDURED)
        kind = np.select(
            [
                ~np.isfinite(up + down),
                np.minimum(up, down) > history.middle,
                np.maximum(up, down) < history.middle,
            ],
            [Endured.UNREADABLE, Endured.STUCK_HIGH, Endured.STUCK_LOW],
            Endured.WINDOW_CLOSED,
        )
        history.outcome[places[failed]] = kind[failed]
        history.failed_at[places[failed]] = count
