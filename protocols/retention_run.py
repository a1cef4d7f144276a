"""Carry out retention as a run: program, watch for days, fit, show."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.clocks import HostTimes, ThisHost
from protocols.ageing.elapsed import Stopwatch
from protocols.ageing.patience import Patience
from protocols.ageing.series import UNITS, Series, series_of
from protocols.ageing.start import stopwatch_of
from protocols.ageing.watch import Watch
from protocols.ageing.written import kept_target, level_targets, written
from protocols.retention_report import draw, show, summarise
from protocols.retention_request import Request
from protocols.retention_states import States, states_of
from protocols.write_verify.programmed import UNITS as PROGRAMMED_UNITS
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.disk import MINIMUM_FREE, check_room
from rramlab.outcome import Outcome
from rramlab.progress import Progress
from rramlab.session import Plan, Session, Work, fits, free_folder

FloatArray = NDArray[np.float64]

BYTES_PER_READING = 64
"""Room that one reading of one cell takes in the journal and in the file, generously."""


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
    *,
    away: float | None = None,
    patience: float = 0.0,
    host: HostTimes | None = None,
) -> dict[str, Any]:
    """Return the summary of a run of retention; everything is kept in its folder.

    `away` (s) is how long nothing ran, and `patience` (s) how long troubles that pass are borne.
    """
    host, place = host or ThisHost(), resume or folder or free_folder("retention")
    plan = Plan("retention", place, seed, request.parameters(), resume, after, check=_fits(request, place))
    bearing = Patience(session.terminal, host, patience, place)
    bearing.armed = resume is not None
    return bearing.bear(_Attempt(session, plan, host, bearing, away).go)


@final
@dataclass
class _Attempt:
    """Open bench and run and go through the stages; once begun, the next attempt goes on with the run."""

    session: Session
    plan: Plan
    host: HostTimes
    patience: Patience
    away: float | None

    def go(self) -> dict[str, Any]:
        """Return the summary of the run, begun or gone on with."""
        with self.session.work(self.plan) as work, self.session.terminal.progress() as progress:
            stages = _Stages(work, Request(**work.run.start.parameters), self.host)
            stages.program(progress)
            self.plan = Plan(self.plan.command, self.plan.folder, self.plan.seed, resume=self.plan.folder)
            # Simulated time stands still while nothing runs: there is no hurry and nothing to bear.
            self.patience.armed = not work.backend.forgets
            away, self.away = self.away, None
            series, states = stages.watch(away, self._taken(progress))
            summary = stages.conclude(series, states)
        show(self.session, summary)
        return summary

    def _taken(self, progress: Progress) -> Callable[[int, int], None]:
        def taken(done: int, total: int) -> None:
            self.patience.progressed()
            progress.update("reads", done, total)

        return taken


@final
@dataclass
class _Stages:
    """Hold the stages of a run; each knows from the record what was done before."""

    work: Work
    request: Request
    host: HostTimes
    stopwatch: Stopwatch | None = None

    def program(self, progress: Progress) -> None:
        """Program the levels, unless the cells stay as they are or it was done before."""
        cells, targets = self._targets()
        if not np.isfinite(targets).any():
            return
        spec = self.request.spec(self.work.bench)
        done = written(self.work, spec, cells, targets, partial(progress.update, "programming"))
        if self.work.kept("program") is None:
            self.stopwatch = stopwatch_of(self.work, self.host)
            self.work.run.keep("program", done.columns(), PROGRAMMED_UNITS)

    def watch(self, away: float | None, taken: Callable[[int, int], None]) -> tuple[Series, States]:
        """Take the reads that are left, and return all of them with the states of their cells."""
        cells, targets = self._targets()
        stopwatch = self.stopwatch or stopwatch_of(self.work, self.host, away)
        times, spec = self.request.times(), self.request.reading(self.work.bench)
        watch = Watch(self.work.backend, stopwatch, cells, spec, times, taken)
        watch.run(self._series(cells).done)
        series = self._series(cells)
        return series, states_of(series, targets, self._usable(cells))

    def conclude(self, series: Series, states: States) -> dict[str, Any]:
        """Fit, keep, draw; return the summary."""
        run = self.work.run
        rng = np.random.default_rng([run.start.seed, 1])
        laws = states.laws(series, rng)
        summary = summarise(series, states, laws, self.request, self.work, run.folder)
        run.keep("retention", {**series.columns(), "state": states.of_cell}, UNITS, summary)
        draw(series, states, laws, self.request, run.folder)
        return summary

    def _targets(self) -> tuple[Cells, FloatArray]:
        cells = self.request.chosen(self.work.backend.shape)
        window = self.work.bench.window
        levels = self.request.levels
        wanted = level_targets(len(cells), levels, (window.low, window.high)) if levels else None
        return kept_target(self.work, cells, np.full(len(cells), np.nan) if wanted is None else wanted)

    def _series(self, cells: Cells) -> Series:
        events = self.work.run.events()
        return series_of(events, cells, self.request.times(), self.work.backend.forgets)

    def _usable(self, cells: Cells) -> NDArray[np.bool_]:
        for event in self.work.run.events():
            if event.verb == "keep" and event.facts["name"] == "program":
                return np.asarray(event.columns["outcome"] == Outcome.CONVERGED)
        return np.ones(len(cells), bool)


def _fits(request: Request, place: Path) -> Callable[[Backend], None]:
    """Return a check of a plan: the cells lie on the bench, and the disk has room for all reads."""

    def check(backend: Backend) -> None:
        cells = request.chosen(backend.shape)
        fits(cells)(backend)
        room = BYTES_PER_READING * len(cells) * (request.reads + 20)
        above = next(folder for folder in (place.parent, *place.parent.parents, Path()) if folder.is_dir())
        check_room(above, room + MINIMUM_FREE)

    return check
