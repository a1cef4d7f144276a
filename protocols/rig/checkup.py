"""Look a bench over: read twice, move a little if asked, sort and explain."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.rig.aliases import DeadBit, dead_bits
from protocols.rig.condition import Bounds, Condition
from protocols.rig.faults import Fault, faults_of
from protocols.rig.nudge import Nudge
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
UNITS = {"conductance": "S", "moved": "S"}


@final
@dataclass(frozen=True, eq=False)
class Checkup:
    """Hold maps of conductance (S), `Condition` and movement by test pulses (S), and what explains them."""

    conductance: FloatArray
    condition: NDArray[np.uint8]
    moved: FloatArray
    faults: list[Fault]
    dead_bits: list[DeadBit]

    @classmethod
    def of(cls, conductance: FloatArray, bounds: Bounds, macro_rows: int | None = None) -> "Checkup":
        """Return what a map (S, NaN: not read) tells by itself."""
        condition = bounds.sort(conductance, np.isfinite(conductance))
        still = np.full(conductance.shape, np.nan)
        return cls(conductance, condition, still, faults_of(condition, macro_rows), [])

    def sentences(self) -> list[str]:
        """Return what is wrong with the rig, a sentence each."""
        return [fault.sentence for fault in self.faults] + [bit.sentence for bit in self.dead_bits]

    def count(self, condition: Condition) -> int:
        """Return how many cells are in a condition."""
        return int((self.condition == condition).sum())

    def unexplained(self) -> int:
        """Return how many cells at fault no explanation covers."""
        left = ~np.isin(self.condition, (Condition.ANSWERS, Condition.NOT_EXAMINED))
        for fault in self.faults:
            left &= ~(fault.explanation.mask & (self.condition == fault.condition))
        return int(left.sum())

    def columns(self) -> Columns:
        """Return the examined cells as named columns for the record."""
        row, col = np.nonzero(self.condition != Condition.NOT_EXAMINED)
        return {
            **Cells(row, col).columns(),
            "conductance": self.conductance[row, col],
            "condition": self.condition[row, col],
            "moved": self.moved[row, col],
        }


def check_up(
    bench: Retold, limits: Limits, cells: Cells, reading: ReadSpec, bounds: Bounds, test: bool
) -> Checkup:
    """Return what two readings of the cells, and test pulses if asked, tell about the rig."""
    shape, macro_rows = bench.backend.shape, bench.backend.macro_shape[0]
    first, second = (_plane(shape, cells, bench.read(cells, reading)) for _ in range(2))
    conductance, examined = (first + second) / 2, _plane(shape, cells, np.ones(len(cells))) == 1
    condition, moved = bounds.sort(conductance, examined), np.full(shape, np.nan)
    alive = np.nonzero(condition == Condition.ANSWERS)
    if test and alive[0].size:
        nudge, noise = Nudge(bench, limits, reading), _noise(first - second)
        listed = Cells(*alive)
        moved[alive] = nudge.moved(listed, conductance[alive], noise)[1]
        condition[alive] = np.where(nudge.is_move(moved[alive], noise), Condition.ANSWERS, Condition.STUCK)
    return Checkup(conductance, condition, moved, faults_of(condition, macro_rows), dead_bits(first, second))


def _plane(shape: tuple[int, int], cells: Cells, values: FloatArray) -> FloatArray:
    plane = np.full(shape, np.nan)
    plane[cells.row, cells.col] = values
    return plane


def _noise(difference: FloatArray) -> float:
    """Return sigma (S) of one reading, from the median difference of two (a telegraph cell says little)."""
    known = np.abs(difference[np.isfinite(difference)])
    return 1.4826 * float(np.median(known)) / 2**0.5 if known.size else 0.0
