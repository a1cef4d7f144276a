"""Carry out retention as a run: program, watch for days, fit, show."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols import certainty
from protocols.ageing.clocks import HostTimes, ThisHost
from protocols.ageing.long_run import LongRun
from protocols.ageing.series import UNITS, Series
from protocols.ageing.written import kept_target, level_targets, written
from protocols.certainty import Certainty
from protocols.retention.report import draw, show, summarise
from protocols.retention.request import Request
from protocols.retention.states import States, states_of
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
    place = resume or folder or free_folder("retention")
    plan = Plan("retention", place, seed, request.parameters(), resume, after, check=_fits(request, place))
    long_run = LongRun(session, plan, host or ThisHost(), patience, away)
    summary = long_run.carry_out(partial(_measured, long_run))
    show(session, summary)
    return summary


def _measured(long_run: LongRun, work: Work, progress: Progress) -> dict[str, Any]:
    """Return the summary of one attempt; what an earlier one did is not done again."""
    request = Request(**work.run.start.parameters)
    cells, targets = _targets(work, request)
    usable = np.ones(len(cells), bool)
    if np.isfinite(targets).any():
        done = written(
            work, request.spec(work.bench), cells, targets, partial(progress.update, "programming")
        )
        usable = np.asarray(done.outcome == Outcome.CONVERGED)
        if work.kept("program") is None:
            long_run.zero(work)
            work.run.keep("program", done.columns(), PROGRAMMED_UNITS)
    reading = request.reading(work.bench)
    series = long_run.watch(work, cells, reading, request.times(), progress)
    return _concluded(work, request, series, states_of(series, targets, usable))


def _concluded(work: Work, request: Request, series: Series, states: States) -> dict[str, Any]:
    """Fit, keep, draw; return the summary."""
    run = work.run
    laws = states.laws(series, np.random.default_rng([run.start.seed, 1]))
    sure = Certainty.of(work.backend, series.cells, _last(series), request.reading(work.bench))
    summary = summarise(series, states, laws, request, work, run.folder) | sure.facts()
    columns = {**series.columns(), "state": states.of_cell, **sure.columns()}
    run.keep("retention", columns, {**UNITS, **certainty.UNITS}, summary)
    draw(series, states, laws, request, run.folder, sure)
    return summary


def _last(series: Series) -> FloatArray:
    """Return the last reading (S) of each cell; NaN where none was taken."""
    taken = np.flatnonzero(series.taken)
    return series.conductance[taken[-1]] if taken.size else np.full(len(series.cells), np.nan)


def _targets(work: Work, request: Request) -> tuple[Cells, FloatArray]:
    cells, window = request.chosen(work.backend.shape), work.bench.window
    levels = request.levels
    as_they_are = np.full(len(cells), np.nan)
    wanted = level_targets(len(cells), levels, (window.low, window.high)) if levels else as_they_are
    return kept_target(work, cells, wanted)


def _fits(request: Request, place: Path) -> Callable[[Backend], None]:
    """Return a check of a plan: the cells lie on the bench, and the disk has room for all reads."""

    def check(backend: Backend) -> None:
        cells = request.chosen(backend.shape)
        fits(cells)(backend)
        room = BYTES_PER_READING * len(cells) * (request.reads + 20)
        above = next(folder for folder in (place.parent, *place.parent.parents, Path()) if folder.is_dir())
        check_room(above, room + MINIMUM_FREE)

    return check
