"""Carry out programming as a run: targets in, write-verify, pictures and figures out."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.targets import load_targets
from protocols.write_verify.adaptive import Adaptive
from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.gate_staircase import GateStaircase
from protocols.write_verify.ispva import Ispva
from protocols.write_verify.ping_pong import PingPong
from protocols.write_verify.programmed import Programmed
from protocols.write_verify.spec import Spec
from protocols.write_verify.strategy import Strategy
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.errors import InputError, did_you_mean
from rramlab.progress import Progress
from rramlab.session import Plan, Session, Work, fits, free_folder

FloatArray = NDArray[np.float64]

STRATEGIES: dict[str, type[Strategy]] = {
    "adaptive": Adaptive,
    "ping-pong": PingPong,
    "gate-staircase": GateStaircase,
    "ispva": Ispva,
}


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI)."""

    targets: Path | None
    at: str = "r0c0"
    unit: str = "auto"
    strategy: str = "adaptive"
    tolerance: float = 1e-6
    passes: int = 3
    wait: float = 60.0
    max_pulses: int = 100

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return {name: value for name, value in asdict(self).items() if name not in ("targets", "at", "unit")}

    def spec(self, bench: Bench) -> Spec:
        """Return what write-verify is to reach on this bench."""
        return Spec(
            tolerance=self.tolerance,
            window=(bench.window.low, bench.window.high),
            reading=bench.reading.spec(),
            max_pulses=self.max_pulses,
            passes=self.passes,
            wait=self.wait,
        )

    def strategy_object(self) -> Strategy:
        """Return the strategy of this name."""
        if self.strategy not in STRATEGIES:
            hint = did_you_mean(self.strategy, list(STRATEGIES))
            raise InputError(f"there is no strategy '{self.strategy}'; {hint}")
        return STRATEGIES[self.strategy]()


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
    given = None if request.targets is None else placed(request, session.bench())
    request.strategy_object()
    name = "program" if request.targets is None else request.targets.stem
    check = fits(None if given is None else given[0])
    plan = Plan(
        "program", resume or folder or free_folder(name), seed, request.parameters(), resume, after, check
    )
    with session.work(plan) as work:
        request = Request(None, **work.run.start.parameters)
        cells, targets = kept_targets(work) if given is None else keep_targets(work, *given)
        with session.terminal.progress() as progress:
            done = write(work, request.strategy_object(), request.spec(work.bench), cells, targets, progress)
        summary = summarise(done, request, work.run.folder)
        work.run.keep("program", done.columns(), PROGRAM_UNITS, summary)
        draw(done, request, work)
    show(session, done, summary)
    return summary


PROGRAM_UNITS = {"target": "S", "achieved": "S", "written": "S", "energy": "J"}


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
    Spec(window=window).check(targets, bench.limits.reset_floor)
    return cells, targets


def keep_targets(work: Work, cells: Cells, targets: FloatArray) -> tuple[Cells, FloatArray]:
    """Keep cells and targets (S) in the run, for its reader and for its continuation."""
    work.run.keep("targets", {"row": cells.row, "col": cells.col, "target": targets}, {"target": "S"})
    return cells, targets


def kept_targets(work: Work) -> tuple[Cells, FloatArray]:
    """Return the cells and targets (S) that a run was begun with."""
    kept = work.kept("targets")
    if kept is None:
        raise InputError("this run was cut off before it had its targets; begin it anew under another name")
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


def summarise(done: Programmed, request: Request, folder: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    alive = done.converged
    return {
        "run": str(folder),
        "cells": len(done.cells),
        "converged_percent": 100 * done.success,
        "within_tolerance_percent": 100 * done.within(request.tolerance),
        "sigma_uS": 1e6 * float(done.error[alive].std()) if alive.any() else None,
        "mean_pulses": float(done.pulses.mean()),
        "mean_reads": float(done.reads.mean()),
        "energy_per_cell_nJ": 1e9 * float(done.energy.mean()),
        "bench_seconds": done.seconds,
        "outcomes": {outcome.name: len(cells) for outcome, cells in done.by_outcome().items()},
        "failed": {
            f"r{row}c{col}": outcome.name
            for outcome, cells in done.by_outcome().items()
            if outcome.name != "CONVERGED"
            for row, col in cells
        },
    }


def draw(done: Programmed, request: Request, work: Work) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.programming import conductance_errors, conductance_maps, pulses_per_cell
    from rramlab.page import Page

    target, achieved = plane_of(done, done.target), plane_of(done, done.achieved)
    outcome = plane_of(done, done.outcome.astype(float))
    page = Page("Programmed", f"{len(done.cells)} cells by {request.strategy}; run {work.run.folder.name}.")
    page.figure("Target, achieved and error", conductance_maps(target, achieved, outcome, request.tolerance))
    page.figure(
        "Error right after programming and after the wait",
        conductance_errors(
            target,
            plane_of(done, done.written),
            achieved,
            tolerance=request.tolerance,
            wait=request.wait,
            outcome=outcome,
        ),
    )
    page.figure("Pulses per cell", pulses_per_cell(plane_of(done, done.pulses.astype(float))))
    page.write(work.run.folder / "index.html", pictures=True)


def plane_of(done: Programmed, values: NDArray[Any]) -> FloatArray:
    """Return values per cell as a map of the smallest rectangle that holds all cells, NaN elsewhere."""
    row, col = done.cells.row - done.cells.row.min(), done.cells.col - done.cells.col.min()
    plane = np.full((int(row.max()) + 1, int(col.max()) + 1), np.nan)
    plane[row, col] = values
    return plane


def show(session: Session, done: Programmed, summary: dict[str, Any]) -> None:
    """Print the summary, and the failed cells with their reasons."""
    rows = [
        ["cells", f"{summary['cells']}"],
        ["converged", f"{summary['converged_percent']:.2f} %"],
        ["within tolerance after the last wait", f"{summary['within_tolerance_percent']:.2f} %"],
        ["sigma of the converged", f"{summary['sigma_uS'] or float('nan'):.3f} uS"],
        ["pulses per cell", f"{summary['mean_pulses']:.2f}"],
        ["reads per cell", f"{summary['mean_reads']:.2f}"],
        ["energy per cell", f"{summary['energy_per_cell_nJ']:.3f} nJ"],
        ["time on the bench", f"{summary['bench_seconds']:.0f} s"],
    ]
    terminal = session.terminal
    terminal.table("Programmed", ["what", "value"], rows)
    missed = {o: c for o, c in done.by_outcome().items() if o.name != "CONVERGED"}
    if missed:
        reasons = [[o.name, str(len(c)), _first_cells(c), o.cure] for o, c in missed.items()]
        terminal.table("Not programmed", ["outcome", "cells", "which", "what to do"], reasons)
    terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    terminal.document(summary)


def _first_cells(cells: Cells, most: int = 6) -> str:
    names = [f"r{row}c{col}" for row, col in cells][:most]
    return " ".join(names) + (" ..." if len(cells) > most else "")
