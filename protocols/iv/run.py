"""Carry out quasi-static sweeps as a run: curves, switching voltages, figures out."""

from pathlib import Path
from typing import Any

from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.characterise.retold import Retold
from protocols.iv.cells import Sweeper, Sweeps
from protocols.iv.figures import UNITS, Switching
from protocols.iv.report import draw, show, summarise
from protocols.iv.request import Request
from rramlab.progress import Progress
from rramlab.session import Plan, Session, Work, free_folder

SPAN = 0.3
"""Voltage (V) up to which the nonlinearity of a state is fitted."""


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of `iv`; everything is kept in its folder."""
    place = resume or folder or free_folder("iv")
    check = needs(request.cells, "read", "sweep", also=lambda backend: request.plan(backend.limits))
    plan = Plan("iv", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work:
        request = Request(**work.run.start.parameters)
        with session.terminal.progress() as progress:
            sweeps = sweep(work, request, progress)
        found = Switching.of(sweeps, work.bench.reading.v_read, SPAN)
        summary = summarise(sweeps, found, request, work.run.folder)
        work.run.keep("iv", found.columns(sweeps), UNITS, summary)
        draw(sweeps, found, request, work.backend.limits, work.run.folder)
    show(session, sweeps, found, request, summary)
    return summary


def sweep(work: Work, request: Request, progress: Progress) -> Sweeps:
    """Return the sweeps, from where an earlier process was cut off if there was one."""
    bench, limits = Retold(work.backend, work.run.events()), work.backend.limits
    sweeper = Sweeper(
        bench,
        request.plan(limits),
        limits,
        work.bench.reading.spec(),
        lambda done, of: progress.update("cycles", done, of),
    )
    return sweeper.sweep(chosen(request.cells, work.backend), request.cycles)
