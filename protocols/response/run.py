"""Carry out a pulse response as a run: pulses, readings, curves over gate, SL voltage and width."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.characterise.retold import Retold
from protocols.response.cells import UNITS, Responder, Response
from protocols.response.report import draw, show, summarise
from protocols.response.request import Request
from protocols.response.statistics import Curves
from rramlab.progress import Progress
from rramlab.session import Plan, Session, Work, free_folder


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of `response`; everything is kept in its folder."""
    place = resume or folder or free_folder("response")
    check = needs(request.cells, "read", "pulse", also=lambda backend: request.steps(backend.limits))
    plan = Plan("response", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work:
        request = Request(**work.run.start.parameters)
        with session.terminal.progress() as progress:
            found = measure(work, request, progress)
        told = Curves.of(found, np.random.default_rng([work.run.start.seed, 1]))
        summary = summarise(found, told, work.run.folder)
        work.run.keep("response", found.columns(), UNITS, summary)
        draw(found, told, request, work.run.folder)
    show(session, found, told, summary)
    return summary


def measure(work: Work, request: Request, progress: Progress) -> Response:
    """Return the response, from where an earlier process was cut off if there was one."""
    bench, limits = Retold(work.backend, work.run.events()), work.backend.limits
    responder = Responder(bench, limits, request.reading(work.bench), partial(progress.update, "pulses"))
    return responder.measure(chosen(request.cells, work.backend), request.steps(limits))
