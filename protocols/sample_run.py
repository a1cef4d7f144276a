"""Carry out the main job as a run: weights into the macros, the loop closed, samples out, quality beside."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.comparison import Comparison, compare
from protocols.ledger import Ledger, account
from protocols.network import Macro, check_macros
from protocols.sample_request import Request
from protocols.sampling import Sampling
from protocols.stages import Stages
from protocols.write_verify.programmed import Programmed
from rramlab.diffusion.network import ScoreWeights
from rramlab.loop import LoopResult
from rramlab.session import Plan, Session, free_folder

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold everything that a run of the main job found, for its page and its summary."""

    request: Request
    score: ScoreWeights
    macro: Macro
    programmed: list[Programmed]
    sampling: Sampling
    result: LoopResult
    comparison: Comparison
    ledger: Ledger


def plan_of(
    command: str,
    request: Request,
    folder: Path | None,
    seed: int,
    resume: Path | None,
    after: Path | None = None,
) -> Plan:
    """Return the plan of a run; the weights of a new one are looked at before anything is made."""
    if resume is None:
        request.score()
    place = resume or folder or free_folder(command)
    return Plan(command, place, seed, asdict(request), resume, after, check=check_macros)


def carry_out(session: Session, plan: Plan) -> tuple[Outcome, Path]:
    """Return what a run found, and its folder; every stage is kept as it ends."""
    with session.work(plan) as work, session.terminal.progress() as progress:
        request = Request(**work.run.start.parameters)
        stages = Stages(work, request, request.score(), np.random.default_rng([work.run.start.seed, 1]))
        macro, programmed = stages.taken_over(plan.after) if plan.after else stages.program(progress.update)
        run, result, sampling = stages.sample(macro)
        progress.update("comparing", 0, 1)
        comparison = compare(request, stages.score, run.start, result, work.run.start.seed)
        progress.update("comparing", 1, 1)
        seconds = sampling.seconds
        ledger = account(float(result.energy.mean()), seconds, comparison.digital_seconds)
        found = Outcome(request, stages.score, macro, programmed, sampling, result, comparison, ledger)
        work.run.keep("samples", dict(comparison.points), facts=facts_of(found))
        fields = stages.vector_field(macro, sampling)
        write_page(found, fields, work.run.folder)
    return found, work.run.folder


def facts_of(found: Outcome) -> dict[str, Any]:
    """Return the figures of a run as plain numbers."""
    error = np.concatenate(
        [(a - b).ravel() for a, b in zip(found.macro.written.layers, found.score.layers, strict=True)]
    )
    return {
        "runs": found.request.runs,
        "kind": found.request.kind,
        "compared_with": "fresh data of the ring" if found.request.weights is None else "the digital sampler",
        "quality": {name: asdict(q) for name, q in found.comparison.quality.items()},
        "weight_error_rms": float(np.sqrt(np.mean(error**2))),
        "analog_seconds_per_sample": found.ledger.analog_seconds,
        "digital_seconds_per_sample": found.ledger.digital_seconds,
        "array_joule_per_sample": found.ledger.analog[0].joule,
        "analog_joule_per_sample": found.ledger.analog_joule,
        "digital_joule_per_sample": found.ledger.digital.joule,
    }


def write_page(found: Outcome, fields: tuple[FloatArray, FloatArray, FloatArray], folder: Path) -> None:
    """Write the page of the run into its folder."""
    from protocols.sample_page import page_of

    page_of(found, fields).write(folder / "index.html", pictures=True)
