"""Sweep cells up and down, cycle by cycle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.ending import Ending
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.reading import Curve, ReadSpec, Staircase

FloatArray = NDArray[np.float64]

PATIENCE = 3
"""Cycles in a row without a SET after which a cell is left alone."""


@final
class Swept(Ending):
    """Tell how the sweeps of a cell ended; `cure` is the sentence for the person at the bench."""

    SWITCHES = 0
    NO_SET = 1
    NO_RESET = 2
    UNFORMED = 3
    UNREADABLE = 4

    @property
    def cure(self) -> str:
        """Return what this outcome means and what to try."""
        return _CURES[self]


_CURES = {
    Swept.SWITCHES: "Most cycles went both ways.",
    Swept.NO_SET: "Most sweeps did not raise it. Raise --v-set or --gate-set, or leave the cell.",
    Swept.NO_RESET: "Most sweeps did not lower it. Raise --v-reset, or lower --gate-set: a weaker SET.",
    Swept.UNFORMED: "It conducts less than 1 uS and was not swept. Form it: rramlab forming.",
    Swept.UNREADABLE: "A reading was no number. Look at its lines, then try again.",
}


@final
@dataclass(frozen=True, eq=False)
class Sweeps:
    """Hold the I-V of cells: voltage (V) and current (A), (cells, cycles, steps), NaN where none was taken.

    `up` is 0 -> +V -> 0 (SET), `down` 0 -> -V -> 0 (RESET); `ended` is the `Swept` of cells that were not
    swept to the end, or -1.
    """

    cells: Cells
    up: FloatArray
    down: FloatArray
    ended: NDArray[np.int8]

    @classmethod
    def empty(cls, cells: Cells, cycles: int, steps: tuple[int, int]) -> "Sweeps":
        """Return room for sweeps of so many steps; axis 0 of `up` and `down` is voltage, current."""
        up, down = (np.full((2, len(cells), cycles, count), np.nan) for count in steps)
        return cls(cells, up, down, np.full(len(cells), -1, np.int8))


@final
class Sweeper:
    """Sweep cells of a bench; `watch` is called with (cycles done, all cycles) after each."""

    def __init__(
        self,
        bench: Retold,
        stairs: tuple[Staircase, Staircase],
        limits: Limits,
        reading: ReadSpec,
        watch: Callable[[int, int], None],
    ) -> None:
        self._bench, self._up, self._down = bench, *stairs
        self._limits, self._reading, self._watch = limits, reading, watch

    def sweep(self, cells: Cells, cycles: int) -> Sweeps:
        """Return the I-V of each cell, cell by cell."""
        found = Sweeps.empty(cells, cycles, (len(self._up.voltages), len(self._down.voltages)))
        for number in range(len(cells)):
            self._cell(found, number, cells.take(np.array([number])))
            self._watch((number + 1) * cycles, len(cells) * cycles)
        return found

    def _cell(self, found: Sweeps, number: int, cell: Cells) -> None:
        first = float(self._bench.read(cell, self._reading)[0])
        if not first >= self._limits.form_ceiling:
            found.ended[number] = Swept.UNFORMED if np.isfinite(first) else Swept.UNREADABLE
            return
        idle, cycles = 0, found.up.shape[2]
        for cycle in range(cycles):
            conducts = self._cycle(found, number, cell, cycle)
            idle = 0 if conducts else idle + 1
            if idle == PATIENCE or found.ended[number] >= 0:
                return
            self._watch(number * cycles + cycle + 1, len(found.cells) * cycles)

    def _cycle(self, found: Sweeps, number: int, cell: Cells, cycle: int) -> bool:
        """Take one cycle; return whether the cell conducts enough after its SET to be RESET."""
        _lay(found.up[:, number, cycle], self._bench.sweep(cell, self._up))
        reading = float(self._bench.read(cell, self._reading)[0])
        if not np.isfinite(reading):
            found.ended[number] = Swept.UNREADABLE
        # The door refuses a negative sweep below this reading: it could burn the cell.
        if not reading >= self._limits.reset_floor:
            return False
        _lay(found.down[:, number, cycle], self._bench.sweep(cell, self._down))
        return True


def _lay(room: FloatArray, curve: Curve) -> None:
    """Lay a curve into its room, which a curve that its bench cut short does not fill."""
    count = min(len(curve.voltage), room.shape[1])
    room[0, :count], room[1, :count] = curve.voltage[:count], curve.current[:count]
