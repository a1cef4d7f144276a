"""Carry out a run that decodes letters: the decoder into the macros, points through it, class by class."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocols.decoder.outcome import IMAGE, SHOWN, Compared, Decoded, Outcome, compare, facts_of
from protocols.decoder.points import points_of
from protocols.decoder.product import MacroProduct, ranges_of
from protocols.decoder.request import DecodeRequest
from protocols.decoder.stages import MATRICES, Programming, Stages, check_bench, earlier
from protocols.letters.judge import Judge
from protocols.letters.kept_judge import check_command, judge_of_run, kept_judge
from protocols.network import Watch
from rramlab.backend import Backend
from rramlab.session import Plan, Session, Work, free_folder

FloatArray = NDArray[np.float64]

COMMAND, POINTS, KEPT = "decode", "points", "letters {}"
BATCH = 32
"""Letters of one request: a simulated product of a thousand pixels takes 20 MB."""
RANGING = 2000
"""Latents that tell the range of each layer's inputs."""
BEFORE = ("fc1", "fc2", "up1")
"""Layers whose outputs are kept beside the image."""


def plan_of(request: DecodeRequest, folder: Path | None, seed: int, resume: Path | None) -> Plan:
    """Return the plan of a run; all that a new one names is looked at before anything is made."""
    after = None if request.after is None else Path(request.after)
    place = resume or folder or free_folder(COMMAND)
    if resume is not None:
        return Plan(COMMAND, place, seed, request.parameters(), resume)
    judge = asked_judge(request).knowing(request.classes)
    points = points_of(request, judge, np.random.default_rng(seed))
    matrices = judge.knowing(points).decoder.matrices
    if request.after is not None:
        earlier(request.after, matrices)
    check = check_bench(matrices, request.copies)
    return Plan(COMMAND, place, seed, request.parameters(), after=after, check=check)


def asked_judge(request: DecodeRequest) -> Judge:
    """Return the judge in the folder that was named, else that of the run that this one goes on from."""
    if request.letters is None and request.latents is not None:
        check_command(request.latents, "letters", "--latents")
        return judge_of_run(request.latents)
    if request.letters is None and request.after is not None:
        check_command(request.after, COMMAND, "--after")
        return judge_of_run(request.after)
    return Judge.open(request.letters, ())


def carry_out(session: Session, plan: Plan) -> tuple[Outcome, Path]:
    """Return what a run found, and its folder; every stage is kept as it ends."""
    if plan.resume is None:
        DecodeRequest(**(plan.parameters or {})).spec(session.bench())
    with session.work(plan) as work, session.terminal.progress() as progress:
        found = stages_of(work, DecodeRequest(**work.run.start.parameters), progress.update)
        work.run.keep(COMMAND, {}, facts=facts_of(found))
        write_page(found, work.run.folder)
    return found, work.run.folder


def stages_of(work: Work, request: DecodeRequest, watch: Watch) -> Outcome:
    """Go through the stages: decoder into the macros, letters through it, digital ones beside them."""
    judge = kept_judge(work, lambda: asked_judge(request)).knowing(request.classes)
    points = kept_points(work, request, judge)
    matrices = judge.decoder.matrices
    work.run.keep(MATRICES, dict(matrices))
    stages = Stages(work, request, matrices, watch)
    source = None if request.after is None else earlier(request.after, matrices)
    programming = stages.program() if source is None else stages.taken_over(source)
    return Outcome(request, judge, programming, decode_classes(work, judge, programming, points, watch))


def kept_points(work: Work, request: DecodeRequest, judge: Judge) -> Mapping[str, FloatArray]:
    """Return the points of each class, and keep them: the run that they came from may be gone one day."""
    kept = work.kept(POINTS)
    if kept is not None:
        return {name: np.asarray(x, float) for name, x in kept.columns.items()}
    points = points_of(request, judge, np.random.default_rng([work.run.start.seed, 1]))
    work.run.keep(POINTS, points)
    return points


def decode_classes(
    work: Work, judge: Judge, programming: Programming, points: Mapping[str, FloatArray], watch: Watch
) -> dict[str, Compared]:
    """Return the letters of each class, analog beside digital; each class is kept as it ends."""
    ranges = ranges_of(judge.decoder, judge.latents.x[:: max(1, len(judge.latents) // RANGING)])
    found = {}
    for number, (name, x) in enumerate(points.items()):
        watch("decoding letters", number, len(points))
        kept = work.kept(KEPT.format(name))
        if kept is None:
            product = MacroProduct(work.backend, programming.tiling, ranges)
            decoded = decode(work.backend, judge, product, x)
            work.run.keep(KEPT.format(name), decoded.columns(), facts=decoded.facts())
        else:
            decoded = Decoded.of(kept.columns, kept.facts)
        found[name] = compare(judge, name, decoded, programming)
    watch("decoding letters", len(points), len(points))
    return found


def decode(backend: Backend, judge: Judge, product: MacroProduct, points: FloatArray) -> Decoded:
    """Return points (n, 2) decoded on macros, some letters at a time."""
    begun = backend.now()
    parts = [points[k : k + BATCH] for k in range(0, len(points), BATCH)]
    batches = [judge.decoder.activations(part, product) for part in parts]
    images = np.concatenate([batch[IMAGE] for batch in batches])
    maps = {layer: batches[0][layer][:SHOWN] for layer in BEFORE}
    return Decoded(points, images, maps, product.clipped, product.products, backend.now() - begun)


def write_page(found: Outcome, folder: Path) -> None:
    """Write the page of the run into its folder."""
    from protocols.decoder.page import page_of

    page_of(found).write(folder / "index.html", pictures=True)
