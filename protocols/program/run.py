"""Carry out programming as a run: targets in, write-verify, pictures and figures out."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols import certainty
from protocols.certainty import Certainty
from protocols.program.report import draw, show, summarise
from protocols.program.request import Request
from protocols.targets import load_targets
from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.programmed import UNITS, Programmed
from protocols.write_verify.spec import Spec
from protocols.write_verify.strategy import Strategy
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.contents import Kept
from rramlab.errors import InputError
from rramlab.progress import Progress
from rramlab.session import Plan, Session, Work, fits, free_folder

FloatArray = NDArray[np.float64]


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of `program`; everything is kept in its folder."""
    if (request.targets is None) == (resume is None):
        raise InputError("name a map of targets, or continue a run with --resume RUN; one of the two")
    request.strategy_object()
    given = None if request.targets is None else placed(request, session.bench())
    name = "program" if request.targets is None else request.targets.stem
    check = fits(None if given is None else given[0])
    place = resume or folder or free_folder(name)
    begun = None if given is None else {"targets": as_kept(*given)}
    plan = Plan("program", place, seed, request.parameters(), resume, after, check=check, given=begun)
    with session.work(plan) as work:
        request = Request(None, **work.run.start.parameters)
        cells, targets = given or kept_targets(work)
        with session.terminal.progress() as progress:
            done = write(work, request.strategy_object(), request.spec(work.bench), cells, targets, progress)
        sure = Certainty.of(work.backend, cells, done.achieved, request.spec(work.bench).final_reading)
        summary = summarise(done, request, work.run.folder) | sure.facts()
        units = UNITS | certainty.UNITS
        work.run.keep("program", {**done.columns(), **sure.columns()}, units, summary)
        draw(done, request, work.run.folder, sure)
    show(session, done, summary, sure)
    return summary


def placed(request: Request, bench: Bench) -> tuple[Cells, FloatArray]:
    """Return the cells and targets (S) of a map, placed at its first cell."""
    assert request.targets is not None
    if request.unit not in ("auto", "S", "uS"):
        raise InputError(f"--unit {request.unit} is not known; possible: auto, S, uS")
    window = bench.window.low, bench.window.high
    plane = load_targets(request.targets, window, request.unit)  # type: ignore[arg-type]
    corner = Cells.parse(request.at)
    if len(corner) != 1:
        raise InputError(f"--at {request.at} names {len(corner)} cells; name the first one, such as r0c0")
    used = Cells(*np.nonzero(np.isfinite(plane)))
    cells = used.shifted(int(corner.row[0]), int(corner.col[0]))
    targets = plane[used.row, used.col]
    request.spec(bench).check(targets, bench.limits.reset_floor)
    return cells, targets


def as_kept(cells: Cells, targets: FloatArray) -> Kept:
    """Return cells and targets (S) as a run keeps them, for its reader and for its continuation."""
    return Kept({"row": cells.row, "col": cells.col, "target": targets}, {"target": "S"}, {})


def kept_targets(work: Work) -> tuple[Cells, FloatArray]:
    """Return the cells and targets (S) that a run was begun with."""
    kept = work.kept("targets")
    if kept is None:
        raise InputError("this run has no targets; begin it anew under another name")
    columns = kept.columns
    return Cells(columns["row"], columns["col"]), columns["target"].astype(float)


def write(
    work: Work, strategy: Strategy, spec: Spec, cells: Cells, targets: FloatArray, progress: Progress
) -> Programmed:
    """Return what write-verify made of the cells, from the last resume point if there is one."""
    engine = WriteVerify(
        work.backend, strategy, spec, lambda done, total: progress.update("programming", done, total)
    )
    return engine.program(cells, targets, resume=work.resume_point())
