"""Program cells round by round, read them over time, and take the I-V of each level."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.levels.request import Request
from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.programmed import UNITS as WRITTEN
from protocols.write_verify.programmed import Programmed
from rramlab.cells import Cells
from rramlab.pulse import Columns
from rramlab.session import Work

FloatArray = NDArray[np.float64]

UNITS = {
    "target": "S", "time": "s", "reading": "S", "curve_voltage": "V", "curve_current": "A", "bits": "bit",
}  # fmt: skip
"""Units of the columns of a record; the others are numbers."""


@final
@dataclass(frozen=True, eq=False)
class Levels:
    """Hold cells at levels: `level` and `outcome` of write-verify (rounds, cells), readings over time.

    `target` (S) of each level; `time` (s) after programming (rounds, times), the middle of the readings;
    `reading` (S), (rounds, times, cells, reads); `pulses` (rounds, cells). Of the I-V the level, and voltage
    (V) and current (A), (curves, steps).
    """

    cells: Cells
    target: FloatArray
    level: NDArray[np.int64]
    outcome: NDArray[np.uint8]
    pulses: NDArray[np.int32]
    time: FloatArray
    reading: FloatArray
    curve_level: NDArray[np.int64]
    curve_voltage: FloatArray
    curve_current: FloatArray

    def columns(self) -> Columns:
        """Return all as named columns for the record."""
        names = (
            "target", "level", "outcome", "pulses", "time", "reading",
            "curve_level", "curve_voltage", "curve_current",
        )  # fmt: skip
        return {**self.cells.columns(), **{name: getattr(self, name) for name in names}}


@final
class Leveller:
    """Program and read the cells of a run; `watch` is called with what, done and total."""

    def __init__(self, work: Work, request: Request, watch: Callable[[str, float, float], None]) -> None:
        self._work, self._request, self._watch = work, request, watch
        self._bench = Retold(work.backend, work.run.events())
        self._target = request.targets(work.bench)
        self._stairs = request.staircase(work.bench)
        self._left = np.full(request.levels, request.curves)
        # Of the round in which an earlier process was cut off; the later ones begin anew.
        self._resume = work.resume_point()

    def measure(self, cells: Cells) -> Levels:
        """Return the cells at their levels, from where an earlier process was cut off if there was one."""
        plan = self._request.schedule(len(cells), self._work.run.start.seed)
        times, readings, written, curves = [], [], [], []
        for number, level in enumerate(plan):
            done, ended = self._write(number, cells, self._target[level])
            written.append(done)
            time, reading = self._read(cells, ended)
            times.append(time)
            readings.append(reading)
            curves += self._sweep(cells, level, done.converged)
            self._watch("rounds", number + 1, len(plan))
        steps = len(self._stairs.voltages)
        table = np.array([np.stack(points) for _, *points in curves]).reshape(-1, 2, steps)
        return Levels(
            cells,
            self._target,
            plan,
            np.stack([done.outcome for done in written]),
            np.stack([done.pulses for done in written]),
            np.array(times),
            np.array(readings),
            np.array([level for level, *_ in curves], dtype=np.int64),
            table[:, 0],
            table[:, 1],
        )

    def _write(self, number: int, cells: Cells, targets: FloatArray) -> tuple[Programmed, float]:
        """Return what write-verify made of a round, and when it ended (s)."""
        name = f"written-{number}"
        if self._bench.pass_over(name):
            kept = self._work.kept(name)
            assert kept is not None
            return Programmed.from_columns(kept.columns), float(kept.facts["ended"])
        backend, spec = self._work.backend, self._request.spec(self._work.bench)
        engine = WriteVerify(backend, spec=spec, progress=lambda n, of: self._watch("programming", n, of))
        done, self._resume = engine.program(cells, targets, resume=self._resume), None
        ended = backend.now()
        self._work.run.keep(name, done.columns(), WRITTEN, {"ended": ended})
        return done, ended

    def _read(self, cells: Cells, ended: float) -> tuple[FloatArray, FloatArray]:
        """Return times after programming (s), (times), and readings (S), (times, cells, reads)."""
        request, spec = self._request, self._work.bench.reading.spec()
        times, found = [], []
        for due in request.times:
            self._bench.wait_until(ended + due, due)
            began = self._bench.now()
            found.append([self._bench.read(cells, spec) for _ in range(request.reads)])
            times.append(0.5 * (began + self._bench.now()) - ended)
        return np.array(times), np.array(found).transpose(0, 2, 1)

    def _sweep(
        self, cells: Cells, level: NDArray[np.int64], good: NDArray[np.bool_]
    ) -> list[tuple[int, FloatArray, FloatArray]]:
        """Return level, voltage (V) and current (A) of the I-V that are still wanted."""
        curves: list[tuple[int, FloatArray, FloatArray]] = []
        for place in np.flatnonzero(good):
            which = int(level[place])
            if self._left[which] > 0:
                self._left[which] -= 1
                curve = self._bench.sweep(cells.take(np.array([place])), self._stairs)
                curves.append((which, self._whole(curve.voltage), self._whole(curve.current)))
        return curves

    def _whole(self, column: FloatArray) -> FloatArray:
        """Return a column as long as the staircase, also where its bench cut the sweep short."""
        missing = max(len(self._stairs.voltages) - len(column), 0)
        return np.pad(column, (0, missing), constant_values=np.nan)[: len(self._stairs.voltages)]
