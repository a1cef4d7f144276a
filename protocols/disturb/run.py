"""Carry out disturb as a run: program states, stress, look, compare."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.written import kept_target, written
from protocols.characterise.retold import Retold
from protocols.disturb.layout import AGGRESSOR, Layout, choose_aggressors, parts_of
from protocols.disturb.report import Found, draw, show, summarise
from protocols.disturb.request import Request
from protocols.disturb.steps import Looks, Steps
from protocols.write_verify.programmed import UNITS as PROGRAMMED_UNITS
from protocols.write_verify.programmed import Programmed
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.errors import RunError
from rramlab.outcome import Outcome
from rramlab.progress import Progress
from rramlab.session import Plan, Session, Work, free_folder

BoolArray = NDArray[np.bool_]


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of disturb; everything is kept in its folder."""
    place = resume or folder or free_folder("disturb")

    def check(backend: Backend) -> None:
        request.check(backend, session.bench())

    plan = Plan("disturb", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work:
        asked = Request.from_parameters(work.run.start.parameters)
        with session.terminal.progress() as progress:
            found = _measured(work, asked, progress)
        summary = summarise(found, asked, work.run.folder)
        work.run.keep("disturb", found.columns(), found.units(), summary)
        draw(found, asked, work.run.folder)
    show(session, summary)
    return summary


def _measured(work: Work, request: Request, progress: Progress) -> Found:
    """Return what both kinds of stress did, as far as they were asked for."""
    layout, cells, done = _programmed(work, request, progress)
    told = Retold(work.backend, work.run.events())
    if not told.pass_over("program"):
        raise RunError("this run lost what it programmed; begin it anew under another name")
    usable = np.asarray(done.outcome == Outcome.CONVERGED)
    steps = Steps(told, work.bench, request)
    read = None
    if request.does("read"):
        read = steps.by_reading(cells, layout.arm, partial(progress.update, "reading"))
    part, select = _half_selected(work, steps, cells, usable, done, progress)
    return Found(cells, usable, done.target, layout.state, layout.arm, read, part, select)


def _half_selected(
    work: Work, steps: Steps, cells: Cells, usable: BoolArray, done: Programmed, progress: Progress
) -> tuple[Any, Looks | None]:
    request, allowed = steps.request, work.backend.limits.pulses_per_cell
    if not request.does("half-select"):
        return np.zeros(len(cells), np.intp), None
    # By what programming took, which a continued run finds again.
    worn = done.pulses.astype(np.int64)
    aggressors = choose_aggressors(
        cells, usable & (worn + request.pulses <= allowed), worn, request.aggressors
    )
    if not aggressors.size:
        raise RunError("no cell is left that could be pulsed so often; ask for fewer --pulses or other cells")
    watched = partial(progress.update, "pulsing")
    looks = steps.by_pulsing(cells, aggressors, request.pulses // 2 * 2, watched)
    part = parts_of(cells, aggressors)
    assert (part == AGGRESSOR).sum() == aggressors.size
    return part, looks


def _programmed(work: Work, request: Request, progress: Progress) -> tuple[Layout, Cells, Programmed]:
    cells, window = request.chosen(work.backend), work.bench.window
    arms = 1 + len(request.voltages)
    layout = Layout.deal(len(cells), request.levels, arms, work.run.start.seed)
    levels = np.linspace(window.low, window.high, request.levels + 2)[1:-1]
    cells, targets = kept_target(work, cells, levels[layout.state])
    watched = partial(progress.update, "programming")
    done = written(work, request.spec(work.bench), cells, targets, watched)
    if work.kept("program") is None:
        work.run.keep("program", done.columns(), PROGRAMMED_UNITS)
    return layout, cells, done
