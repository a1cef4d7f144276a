"""Hold a run of days together: attempts that end in trouble, and the clocks over all of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

from protocols.ageing.clocks import HostTimes
from protocols.ageing.elapsed import Stopwatch
from protocols.ageing.patience import Patience
from protocols.ageing.series import Series, series_of
from protocols.ageing.start import stopwatch_of
from protocols.ageing.watch import FloatArray, Watch
from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.progress import Progress
from rramlab.reading import ReadSpec
from rramlab.session import Plan, Session, Work

Summary = dict[str, Any]


@final
@dataclass
class LongRun:
    """Carry out a plan in as many attempts as it takes; once it is begun, each goes on with the run.

    `away` (s) is how long nothing ran before this process, for who knows better than the clocks.
    """

    session: Session
    plan: Plan
    host: HostTimes
    patience: float
    away: float | None = None
    _bearing: Patience = field(init=False)
    _stopwatch: Stopwatch | None = field(init=False, default=None)

    def carry_out(self, body: Callable[[Work, Progress], Summary]) -> Summary:
        """Return what the body returns in the end; it may be called several times."""
        if self.away is not None and self.plan.resume is None:
            raise InputError("--away says how long a run stood still; give it together with --resume RUN")
        self._bearing = Patience(self.session.terminal, self.host, self.patience, self.plan.folder)
        self._bearing.armed = self.plan.resume is not None
        return self._bearing.bear(partial(self._attempt, body))

    def zero(self, work: Work) -> None:
        """Start counting time, unless an earlier process did."""
        self._stopwatch = stopwatch_of(work, self.host, self.away)
        self.away = None

    def watch(
        self, work: Work, cells: Cells, spec: ReadSpec, times: FloatArray, progress: Progress
    ) -> Series:
        """Return the readings of cells at times (s) since the zero; those that are missing are taken."""
        self.plan = Plan(self.plan.command, self.plan.folder, self.plan.seed, resume=self.plan.folder)
        # Simulated time stands still while nothing runs: there is no hurry and nothing to bear.
        self._bearing.armed = not work.backend.forgets
        if self._stopwatch is None:
            self.zero(work)
        assert self._stopwatch is not None
        taken = partial(self._taken, progress)
        done = self._found(work, cells, times).done
        Watch(work.backend, self._stopwatch, cells, spec, times, taken).run(done)
        return self._found(work, cells, times)

    def _attempt(self, body: Callable[[Work, Progress], Summary]) -> Summary:
        self._stopwatch = None
        with self.session.work(self.plan) as work, self.session.terminal.progress() as progress:
            return body(work, progress)

    def _found(self, work: Work, cells: Cells, times: FloatArray) -> Series:
        return series_of(work.run.events(), cells, times, work.backend.forgets)

    def _taken(self, progress: Progress, done: int, total: int) -> None:
        self._bearing.progressed()
        progress.update("reads", done, total)
