"""Carry out a run of letters: a conditional network into the macros, the loop closed for each class."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocols.letters.baseline import baseline
from protocols.letters.captured import captured
from protocols.letters.judge import Judge, Verdict
from protocols.letters.kept_judge import judge_of_run, kept_judge
from protocols.letters.loop import ClassRuns, run_classes
from protocols.letters.outcome import ANALOG, DATA, DIGITAL, Drawn, Outcome, facts_of
from protocols.letters.request import LettersRequest, check_network, classes_of
from protocols.moving import program_around
from protocols.network import Watch, check_macros
from protocols.sampling import Sampling, starts
from protocols.stages import Stages, kept_score, source_of
from rramlab.contents import Kept
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import from_record
from rramlab.session import Plan, Session, Work, free_folder

FloatArray = NDArray[np.float64]

COMMAND = "letters"
FLOORS = 8
"""Sets of latents whose mean distance to all latents is the floor: one set alone is a matter of luck."""


def plan_of(request: LettersRequest, folder: Path | None, seed: int, resume: Path | None) -> Plan:
    """Return the plan of a run; network and classes of a new one are looked at before anything is made."""
    after = None if request.after is None else Path(request.after)
    if resume is None:
        score = network_of(request, source_of(request.network(), {}).get("score"))
        judge = asked_judge(request)
        check_network(request, score, judge.known)
        judge.knowing(classes_of(request, score))
    place = resume or folder or free_folder(COMMAND)
    return Plan(COMMAND, place, seed, request.parameters(), resume, after, check=check_macros)


def network_of(request: LettersRequest, kept: Kept | None) -> ScoreWeights:
    """Return the network of a run, the kept one or the one asked for."""
    return request.score() if kept is None else from_record(kept.columns, kept.facts)


def asked_judge(request: LettersRequest) -> Judge:
    """Return the judge of a new run: that of the run whose macro it takes, unless a folder was named."""
    inherited = request.letters is None and request.after is not None
    return judge_of_run(str(request.after)) if inherited else Judge.open(request.letters, ())


def carry_out(session: Session, plan: Plan) -> tuple[Outcome, Path]:
    """Return what a run found, and its folder; every stage is kept as it ends."""
    if plan.resume is None:
        LettersRequest(**(plan.parameters or {})).network().spec(session.bench())
    with session.work(plan) as work, session.terminal.progress() as progress:
        found = stages_of(work, LettersRequest(**work.run.start.parameters), progress.update)
        work.run.keep("letters", found.columns(), facts=facts_of(found))
        write_page(found, work.run.folder)
    return found, work.run.folder


def stages_of(work: Work, request: LettersRequest, watch: Watch) -> Outcome:
    """Go through the stages: network into the macros, closed loop, digital baseline, judgement."""
    source, seed = source_of(request.network(), work.found), work.run.start.seed
    score = network_of(request, source.get("score"))
    work.run.keep("score", *kept_score(score))
    classes = classes_of(request, score)
    judge = kept_judge(work, lambda: asked_judge(request)).knowing(classes)
    stages = Stages(work, request.network(), score, np.random.default_rng([seed, 1]))
    new = request.after is None
    macro, programmed = program_around(stages, watch) if new else stages.taken_over(source, watch)
    sampling = Sampling(runs=request.samples, kind=request.kind)
    start = starts(request.samples, stages.rng)
    analog = run_classes(work, score, macro, sampling, start, classes, watch)
    watch("comparing", 0, 1)
    digital, seconds = baseline(score, classes, request.kind, start, seed)
    rng = np.random.default_rng([seed, 2])
    drawn = {name: judged(judge, name, analog[name], digital[name], rng) for name in classes}
    watch("comparing", 1, 1)
    found = request, score, macro, programmed, sampling, start, drawn, judge, seconds
    return Outcome(*found, captured(work.run, classes), work.backend.forgets)


def judged(
    judge: Judge, name: str, analog: ClassRuns, digital: FloatArray, rng: np.random.Generator
) -> Drawn:
    """Return what was drawn of a class with its verdicts; that of the data is the floor."""
    floors = [judge.verdict(judge.data(len(digital), name, rng), name) for _ in range(FLOORS)]
    values = np.mean([(v.accuracy, v.nearest, v.sliced_wasserstein) for v in floors], axis=0)
    verdicts = {
        ANALOG: judge.verdict(analog.end, name),
        DIGITAL: judge.verdict(digital, name),
        DATA: Verdict(*(float(value) for value in values)),
    }
    return Drawn(analog, digital, verdicts)


def write_page(found: Outcome, folder: Path) -> None:
    """Write the page of the run into its folder."""
    from protocols.letters.page import page_of

    page_of(found).write(folder / "index.html", pictures=True)
