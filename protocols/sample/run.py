"""Carry out the main job as a run: weights into the macros, the loop closed, samples out, quality beside."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocols.comparison import compare
from protocols.ledger.account import account_of
from protocols.ledger.constants import Constants
from protocols.ledger.waveforms import waveforms_of
from protocols.network import check_macros
from protocols.sample.outcome import Outcome, facts_of
from protocols.sample.request import Request
from protocols.stages import Stages, kept_score, network_of, source_of
from rramlab.session import Plan, Session, free_folder

FloatArray = NDArray[np.float64]


def plan_of(command: str, request: Request, folder: Path | None, seed: int, resume: Path | None) -> Plan:
    """Return the plan of a run; the network of a new one is looked at before anything is made."""
    after = None if request.after is None else Path(request.after)
    if resume is None:
        network_of(request, source_of(request, {}))
    place = resume or folder or free_folder(command)
    return Plan(command, place, seed, asdict(request), resume, after, check=check_macros)


def carry_out(session: Session, plan: Plan) -> tuple[Outcome, Path]:
    """Return what a run found, and its folder; every stage is kept as it ends."""
    if plan.resume is None:
        Request(**(plan.parameters or {})).spec(session.bench())
    with session.work(plan) as work, session.terminal.progress() as progress:
        request = Request(**work.run.start.parameters)
        source = source_of(request, work.found)
        score = network_of(request, source)
        work.run.keep("score", *kept_score(score))
        stages = Stages(work, request, score, np.random.default_rng([work.run.start.seed, 1]))
        watch = progress.update
        taken = request.after is not None
        macro, programmed = stages.taken_over(source, watch) if taken else stages.program(watch)
        run, result, sampling = stages.sample(macro)
        progress.update("comparing", 0, 1)
        comparison = compare(request, score, run.start, result, work.run.start.seed)
        progress.update("comparing", 1, 1)
        account = account_of(waveforms_of(run, result, macro.measured), Constants.load("bench"))
        found = Outcome(request, score, macro, programmed, sampling, result, comparison, account)
        work.run.keep("samples", dict(comparison.points), facts=facts_of(found))
        fields = stages.vector_field(macro, sampling)
        write_page(found, fields, work.run.folder)
    return found, work.run.folder


def write_page(found: Outcome, fields: tuple[FloatArray, FloatArray, FloatArray], folder: Path) -> None:
    """Write the page of the run into its folder."""
    from protocols.sample.page import page_of

    page_of(found, fields).write(folder / "index.html", pictures=True)
