"""Carry out endurance as a run: cycle, read, count failures, draw; or go on with an earlier run."""

from functools import partial
from pathlib import Path
from typing import Any

from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.characterise.retold import Retold
from protocols.endurance.cells import UNITS, Cycler, History
from protocols.endurance.report import draw, show, summarise
from protocols.endurance.request import Request, counts
from rramlab.backend import Backend
from rramlab.errors import RunError
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile
from rramlab.session import Plan, Session, Work, free_folder

BEFORE, RESULT = "cycles_before", "endurance"


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of endurance; everything is kept in its folder."""
    earlier = None if after is None else _history_of(after)
    place = resume or folder or free_folder("endurance")

    def also(backend: Backend) -> None:
        request.check(backend.limits)
        if earlier is not None:
            earlier.cells.check(backend.shape)

    text = request.cells if earlier is None else str(earlier.cells)
    check = needs(text, "read", "pulse", also=also)
    plan = Plan("endurance", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work, session.terminal.progress() as progress:
        request = Request(**work.run.start.parameters)
        history = _begin(work, request, earlier)
        before = history.done
        usual = work.bench.reading.spec()
        reading = ReadSpec(usual.v_read, usual.gate, request.samples)
        bench = Retold(work.backend, work.run.events())
        cycler = Cycler(bench, request.pulses(), request.window, reading, partial(progress.update, "cycling"))
        cycler.run(history, counts(before, request.cycles, request.per_decade))
        summary = summarise(history, before, request, place)
        work.run.keep(RESULT, history.columns(), UNITS, summary)
        draw(history, request, place)
    show(session, history, summary)
    return summary


def _begin(work: Work, request: Request, earlier: History | None) -> History:
    """Return the history that this run began with, kept in it for its continuation."""
    kept = work.kept(BEFORE)
    if kept is not None:
        return History.from_columns(kept.columns)
    history = earlier or History.begin(chosen(request.cells, work.backend))
    work.run.keep(BEFORE, history.columns(), UNITS)
    return History.from_columns(history.columns())


def _history_of(run: Path) -> History:
    kept = RunFile.open(run).kept.get(RESULT)
    if kept is None:
        raise RunError(
            f"run '{run}' holds no cycles to go on counting from; name a run of endurance that is complete"
        )
    return History.from_columns(kept.columns)
