"""Tell what programming reached: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.certainty import WHAT, Certainty
from protocols.program.request import Request
from protocols.write_verify.programmed import Programmed
from rramlab.cells import Cells
from rramlab.session import Session

FloatArray = NDArray[np.float64]


def summarise(done: Programmed, request: Request, folder: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    alive = done.converged
    return {
        "run": str(folder),
        "cells": len(done.cells),
        "converged_percent": 100 * done.success,
        "within_tolerance_percent": 100 * done.within(request.tolerance),
        "sigma_uS": 1e6 * float(done.error[alive].std()) if alive.sum() > 1 else None,
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


def draw(done: Programmed, request: Request, folder: Path, sure: Certainty) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.programming import conductance_errors, conductance_maps, pulses_per_cell
    from rramlab.page import Page

    target, achieved = plane_of(done, done.target), plane_of(done, done.achieved)
    outcome = plane_of(done, done.outcome.astype(float))
    lead = f"{len(done.cells)} cells by {request.strategy}; run {folder.name}. {WHAT}: {sure.text}."
    page = Page("Programmed", lead)
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
    page.write(folder / "index.html", pictures=True)


def plane_of(done: Programmed, values: NDArray[Any]) -> FloatArray:
    """Return values per cell as a map of the smallest rectangle that holds all cells, NaN elsewhere."""
    row, col = done.cells.row - done.cells.row.min(), done.cells.col - done.cells.col.min()
    plane = np.full((int(row.max()) + 1, int(col.max()) + 1), np.nan)
    plane[row, col] = values
    return plane


def show(session: Session, done: Programmed, summary: dict[str, Any], sure: Certainty) -> None:
    """Print the summary, and the failed cells with their reasons."""
    rows = [
        ["cells", f"{summary['cells']}"],
        ["converged", f"{summary['converged_percent']:.2f} %"],
        ["within tolerance after the last wait", f"{summary['within_tolerance_percent']:.2f} %"],
        ["sigma of the converged", _sigma(summary["sigma_uS"])],
        [WHAT.lower(), sure.text],
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


def _sigma(micro: float | None) -> str:
    return "of fewer than two: none" if micro is None else f"{micro:.3f} uS"


def _first_cells(cells: Cells, most: int = 6) -> str:
    names = [f"r{row}c{col}" for row, col in cells][:most]
    return " ".join(names) + (" ..." if len(cells) > most else "")
