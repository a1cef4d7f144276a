"""Carry out levels as a run: programmed, read over time, swept; discernibility out."""

from pathlib import Path
from typing import Any

from protocols.certainty import Certainty
from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.levels.cells import UNITS, Leveller
from protocols.levels.figures import moments, straightness
from protocols.levels.report import draw, show, summarise
from protocols.levels.request import Request
from rramlab.backend import Backend
from rramlab.session import Plan, Session, free_folder


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of `levels`; everything is kept in its folder."""
    place = resume or folder or free_folder("levels")
    plan = Plan(
        "levels", place, seed, request.parameters(), resume, after, check=_check(session, request, resume)
    )
    with session.work(plan) as work:
        request = Request(**work.run.start.parameters)
        with session.terminal.progress() as progress:
            leveller = Leveller(work, request, progress.update)
            found = leveller.measure(chosen(request.cells, work.backend))
        told = moments(found, work.run.start.seed)
        straight = straightness(found)
        last, reading = found.reading[-1, -1].mean(axis=-1), work.bench.reading.spec()
        sure = Certainty.of(work.backend, found.cells, last, reading)
        summary = summarise(found, told, straight, work.run.folder) | sure.facts()
        work.run.keep("levels", found.columns(), UNITS, summary)
        draw(found, told, straight, work.run.folder, sure)
    show(session, found, told, summary, sure)
    return summary


def _check(session: Session, request: Request, resume: Path | None) -> Any:
    verbs = ("read", "pulse", "wait", "sweep") if request.curves else ("read", "pulse", "wait")
    bench = session.bench() if resume is None else None

    def fits(backend: Backend) -> None:
        if bench is not None:
            request.check(len(chosen(request.cells, backend)), bench)

    return needs(request.cells, *verbs, also=fits)
