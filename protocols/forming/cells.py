"""Form cells in rounds: one pulse per cell that is open, RESET of those that formed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.forming.outcome import Formed
from protocols.forming.request import Ramp
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Columns, Delivery
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
Index = NDArray[np.intp]

MOST_LOST = 5
"""Rounds beyond the ramp that pulses may take that were not applied."""
UNITS = {
    "before": "S", "formed": "S", "after": "S", "forming_voltage": "V", "reset_voltage": "V",
}  # fmt: skip
"""Units of the columns of a record; the others are numbers."""


@final
@dataclass(frozen=True, eq=False)
class FormedCells:
    """Hold what became of each cell.

    Conductances (S) before the first pulse, at the first reading of a formed cell, and after the RESET;
    `forming_voltage` (V) of the BL pulse that formed it and `reset_voltage` (V) of the last RESET, NaN where
    there was none; `pulses` of forming.
    """

    cells: Cells
    outcome: NDArray[np.uint8]
    before: FloatArray
    formed: FloatArray
    after: FloatArray
    forming_voltage: FloatArray
    reset_voltage: FloatArray
    pulses: NDArray[np.int32]

    @classmethod
    def begin(cls, cells: Cells) -> "FormedCells":
        """Return the account of cells to which nothing was done."""
        before, formed, after, forming, reset = np.full((5, len(cells)), np.nan)
        outcome, pulses = np.zeros(len(cells), np.uint8), np.zeros(len(cells), np.int32)
        return cls(cells, outcome, before, formed, after, forming, reset, pulses)

    def open(self) -> Index:
        """Return the places of the cells that are not finished."""
        return np.flatnonzero(self.outcome == Formed.OPEN)

    def close(self, places: Index, outcome: Formed) -> None:
        """End cells with an outcome."""
        self.outcome[places] = outcome

    def columns(self) -> Columns:
        """Return the cells as named columns for the record."""
        names = ("outcome", "before", "formed", "after", "forming_voltage", "reset_voltage", "pulses")
        return {**self.cells.columns(), **{name: getattr(self, name) for name in names}}


@final
class Former:
    """Form cells of a bench by a ramp; `watch` is called with (finished, all) after every round."""

    def __init__(
        self,
        bench: Retold,
        ramp: Ramp,
        limits: Limits,
        reading: ReadSpec,
        most: float,
        watch: Callable[[int, int], None],
    ) -> None:
        self._bench, self._ramp, self._limits = bench, ramp, limits
        self._reading, self._most, self._watch = reading, most, watch

    def form(self, cells: Cells) -> FormedCells:
        """Return what became of the cells."""
        found = FormedCells.begin(cells)
        self._sort_out(found)
        for _ in range(len(self._ramp.drive) + MOST_LOST):
            self._watch(len(cells) - found.open().size, len(cells))
            places = self._due(found)
            if not places.size:
                break
            self._round(found, places)
        found.close(found.open(), Formed.NOT_DELIVERED)
        self._watch(len(cells), len(cells))
        return found

    def _sort_out(self, found: FormedCells) -> None:
        """Read all cells and leave alone those that conduct; only a fresh one is formed."""
        before = self._bench.read(found.cells, self._reading)
        found.before[:] = found.after[:] = before
        found.close(np.flatnonzero(~(before < self._limits.form_ceiling)), Formed.ALREADY_FORMED)
        found.close(np.flatnonzero(before > self._most), Formed.STUCK_LOW_RESISTANCE)
        found.close(np.flatnonzero(~np.isfinite(before)), Formed.UNREADABLE)

    def _due(self, found: FormedCells) -> Index:
        """Return the cells that take a pulse; those that had the whole ramp are unformed."""
        places = found.open()
        through = found.pulses[places] >= len(self._ramp.drive)
        found.close(places[through], Formed.UNFORMED)
        return places[~through]

    def _round(self, found: FormedCells, places: Index) -> None:
        cells = found.cells.take(places)
        train = self._ramp.forms(cells, found.pulses[places].astype(np.intp))
        delivery = self._bench.pulse(train)
        found.pulses[places] += delivery != Delivery.NOT_APPLIED
        reading = self._bench.read(cells, self._reading)
        found.after[places] = reading
        self._judge(found, places, reading, train.drive)

    def _judge(self, found: FormedCells, places: Index, reading: FloatArray, drive: FloatArray) -> None:
        found.close(places[~(reading < self._limits.form_ceiling)], Formed.PARTLY_FORMED)
        found.close(places[~np.isfinite(reading)], Formed.UNREADABLE)
        formed = reading > self._ramp.formed_at
        if formed.any():
            done = places[formed]
            found.forming_voltage[done], found.formed[done] = drive[formed], reading[formed]
            found.close(done, Formed.FORMED)
            self._reset(found, done)

    def _reset(self, found: FormedCells, places: Index) -> None:
        """RESET formed cells at once, by a staircase, until they read below the mark of a formed cell."""
        for place in range(len(self._ramp.reset)):
            cells = found.cells.take(places)
            train = self._ramp.resets(cells, place)
            self._bench.pulse(train)
            reading = self._bench.read(cells, self._reading)
            found.after[places], found.reset_voltage[places] = reading, train.drive
            places = places[~(reading < self._ramp.formed_at)]
            if not places.size:
                return
        found.close(places, Formed.STUCK_LOW_RESISTANCE)
