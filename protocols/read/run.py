"""Carry out a reading as a run: conductances, a map, a table."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.certainty import UNITS, WHAT, Certainty, with_uncertainty
from protocols.characterise.planes import plane_of
from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.session import Plan, Session, Work, fits, free_folder

FloatArray = NDArray[np.float64]

MOST_SAMPLES = 10_000
"""Samples of one reading, as many as a bench file may ask for."""
PRINTED = 8
"""Rows and columns up to which values are printed one by one."""
BESIDE = 4
"""Columns up to which each has its uncertainty beside it."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what was asked for: cells as text or "all", samples per reading, and a file for the table."""

    cells: str
    samples: int | None = None
    csv: Path | None = None

    def __post_init__(self) -> None:
        if self.samples is not None and not 1 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to {MOST_SAMPLES}")
        if self.csv is not None and (self.csv.is_dir() or not self.csv.parent.is_dir()):
            raise InputError(f"--csv {self.csv} cannot be written; name a file in a folder that exists")


def carry_out(
    session: Session, request: Request, folder: Path | None, after: Path | None, seed: int
) -> FloatArray:
    """Return the conductances as a map (S) of the smallest rectangle around the cells, NaN between."""
    chosen = None if request.cells == "all" else Cells.parse(request.cells)
    place, options = folder or free_folder("read"), {"cells": request.cells}
    plan = Plan("read", place, seed, options, after=after, resumable=False, check=fits(chosen))
    with session.work(plan) as work:
        plane, sure = read_plane(work, chosen, request.samples)
        _draw(plane, sure, work.run.folder)
        dead = _dead(plane, chosen, work.backend.macro_shape[0])
    if request.csv is not None:
        _write_table(plane, request.csv)
    _show(session, plane, sure, plan.folder)
    for sentence in dead:
        session.terminal.say(f"look at the rig: {sentence}; more with rramlab health")
    return plane


def read_plane(work: Work, chosen: Cells | None, samples: int | None) -> tuple[FloatArray, Certainty]:
    """Return the map (S) of the chosen cells and how sure it is, as a map, and keep both in the run."""
    cells = Cells.of_shape(work.backend.shape) if chosen is None else chosen
    usual = work.bench.reading.spec()
    spec = usual if samples is None else replace(usual, samples=samples)
    found = work.backend.read(cells, spec)
    sure = Certainty.of(work.backend, cells, found, spec)
    columns = {"row": cells.row, "col": cells.col, "conductance": found, **sure.columns()}
    work.run.keep("conductances", columns, {"conductance": "S", **UNITS}, sure.facts())
    return plane_of(cells, found), Certainty(plane_of(cells, sure.uncertainty))


def _draw(plane: FloatArray, sure: Certainty, folder: Path) -> None:
    from rramlab.figures.reading import conductance_map
    from rramlab.page import Page

    cells = int(np.isfinite(plane).sum())
    page = Page("Conductances", f"{cells} cells; run {folder.name}. {WHAT}: {sure.text}.")
    page.figure("Conductance map and histogram", conductance_map(plane))
    page.write(folder / "index.html")


def _write_table(plane: FloatArray, path: Path) -> None:
    try:
        np.savetxt(path, plane * 1e6, fmt="%.4f", delimiter=",", header="conductance (uS)", encoding="utf-8")
    except OSError as error:
        raise InputError(f"the table cannot be written to {path}: {error.strerror}") from None


def _dead(plane: FloatArray, chosen: Cells | None, macro_rows: int) -> list[str]:
    """Return a sentence for each line, or other part of the array, that reads as none would by chance."""
    from protocols.rig.faults import dead_lines

    corner = (0, 0) if chosen is None else (int(chosen.row.min()), int(chosen.col.min()))
    whole = np.pad(plane, ((corner[0], 0), (corner[1], 0)), constant_values=np.nan)
    return dead_lines(whole, macro_rows)


def _show(session: Session, plane: FloatArray, sure: Certainty, folder: Path) -> None:
    micro = plane[np.isfinite(plane)] * 1e6
    names = ("least", "median", "mean", "most")
    values = (micro.min(), float(np.median(micro)), micro.mean(), micro.max())
    terminal = session.terminal
    if max(plane.shape) <= PRINTED:
        head = ["uS", *(f"c{c}" for c in range(plane.shape[1]))]
        terminal.table("Conductances, from the first cell on", head, _lines(plane, sure))
    figures = [[n, f"{v:.3f} uS"] for n, v in zip(names, values, strict=True)]
    terminal.table(f"{micro.size} cells", ["conductance", "value"], figures)
    terminal.say(f"{WHAT.lower()}: {sure.text}")
    terminal.say(f"page: {folder}/index.html   run file: {folder}/run.h5")
    summary = dict(zip((f"{n}_uS" for n in names), map(float, values), strict=True)) | sure.facts()
    maps = {"conductance_uS": plane * 1e6, "standard_uncertainty_uS": sure.uncertainty * 1e6}
    terminal.document({"run": str(folder), "cells": micro.size, **summary, **maps})


def _lines(plane: FloatArray, sure: Certainty) -> list[list[str]]:
    """Return the values row by row, each with its uncertainty where there is room."""
    u = sure.uncertainty if plane.shape[1] <= BESIDE else np.full(plane.shape, np.nan)
    told = [
        [with_uncertainty(*pair) for pair in zip(*line, strict=True)] for line in zip(plane, u, strict=True)
    ]
    return [[f"r{r}", *line] for r, line in enumerate(told)]
