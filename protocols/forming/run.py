"""Carry out forming as a run: ramps in rounds over the cells, yield map and forming voltages out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.characterise.retold import Retold
from protocols.forming.cells import UNITS, FormedCells, Former
from protocols.forming.report import draw, show, summarise
from protocols.forming.request import Ramp, Request
from rramlab.session import Plan, Session, Work, free_folder


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of `forming`; everything is kept in its folder."""
    place = resume or folder or free_folder("forming")
    check = needs(request.cells, "read", "pulse", also=lambda backend: request.plan(backend.limits))
    plan = Plan("forming", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work:
        request = Request(**work.run.start.parameters)
        ramp = request.plan(work.backend.limits)
        with session.terminal.progress() as progress:
            done = form(work, request, ramp, lambda n, of: progress.update("forming", n, of))
        summary = summarise(done, ramp, work.run.folder)
        work.run.keep("forming", done.columns(), UNITS, summary)
        draw(done, ramp, work.run.folder)
    show(session, done, summary)
    return summary


def form(work: Work, request: Request, ramp: Ramp, watch: Callable[[int, int], None]) -> FormedCells:
    """Return what became of the cells, from where an earlier process was cut off if there was one."""
    bench, reading = Retold(work.backend, work.run.events()), work.bench.reading.spec()
    former = Former(bench, ramp, work.backend.limits, reading, work.bench.window.high, watch)
    return former.form(chosen(request.cells, work.backend))
