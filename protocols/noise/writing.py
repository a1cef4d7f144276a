"""Write cells to levels again and again, and read what is left, at once and later."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.noise.rotation import levels_of
from protocols.write_verify.adaptive import Adaptive
from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.programmed import UNITS, Programmed
from protocols.write_verify.spec import Spec
from rramlab.cells import Cells
from rramlab.outcome import Outcome
from rramlab.reading import ReadSpec
from rramlab.session import Work

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Writes:
    """Hold repeated writes: levels (S), the level of each cell in each write, (writes, cells).

    `error` (S) is (writes, times, cells), the first time right after writing, NaN where a write did not
    converge; `again` (S) is a second reading right after the first; `pulses` spent, (writes, cells).
    """

    levels: FloatArray
    level: NDArray[np.intp]
    error: FloatArray
    again: FloatArray
    pulses: NDArray[np.int32]

    @property
    def converged(self) -> float:
        """Return the share of writes that converged."""
        return float(np.isfinite(self.error[:, 0]).mean()) if self.error.size else float("nan")

    def at(self, level: int, time: int) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return the errors (S) of a level at a time, and the cell of each."""
        write, cell = np.nonzero(self.level == level)
        return self.error[write, time, cell], cell

    def reading_sigma(self, level: int) -> float:
        """Return sigma (S) of one reading at a level, from pairs of readings (the median difference)."""
        apart = (self.error[:, 0] - self.again)[self.level == level]
        known = np.abs(apart[np.isfinite(apart)])
        return 1.4826 * float(np.median(known)) / 2**0.5 if known.size else float("nan")


@final
class Writer:
    """Write and read; what an earlier process of the run did is taken from its record."""

    def __init__(
        self, work: Work, bench: Retold, spec: Spec, reading: ReadSpec, watch: Callable[[int, int], None]
    ) -> None:
        self._work, self._bench, self._spec = work, bench, spec
        self._reading, self._watch = reading, watch

    def write(self, cells: Cells, levels: FloatArray, writes: int, waits: tuple[float, ...]) -> Writes:
        """Return what is left of so many writes of all cells, each time to another level (S)."""
        level = np.array([levels_of(len(cells), len(levels), k) for k in range(writes)])
        error = np.full((writes, 1 + len(waits), len(cells)), np.nan)
        again, pulses = np.full((writes, len(cells)), np.nan), np.zeros((writes, len(cells)), np.int32)
        for k in range(writes):
            target = levels[level[k]]
            done = self._once(f"write_{k}", cells, target)
            pulses[k] = done.pulses
            readings = self._watched(cells, waits)
            missed = done.outcome != Outcome.CONVERGED
            error[k] = np.where(missed, np.nan, np.delete(readings, 1, axis=0) - target)
            again[k] = np.where(missed, np.nan, readings[1] - target)
        return Writes(levels, level, error, again, pulses)

    def _once(self, name: str, cells: Cells, target: FloatArray) -> Programmed:
        kept = self._work.kept(name)
        if self._bench.pass_over(name) and kept is not None:
            return Programmed.from_columns(kept.columns)
        engine = WriteVerify(self._work.backend, Adaptive(), self._spec, self._watch)
        done = engine.program(cells, target, resume=self._work.resume_point())
        self._work.run.keep(name, done.columns(), UNITS)
        return done

    def _watched(self, cells: Cells, waits: tuple[float, ...]) -> FloatArray:
        """Return readings (S) right after, once more, and at each time after writing, (times, cells)."""
        zero = self._bench.now()
        found = [self._bench.read(cells, self._reading) for _ in range(2)]
        for wait in waits:
            self._bench.wait_until(zero + wait)
            found.append(self._bench.read(cells, self._reading))
        return np.array(found)
