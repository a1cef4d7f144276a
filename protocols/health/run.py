"""Carry out a look at the rig: on a bench, in the readings of a run, or in a table of others."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.characterise.retold import Retold
from protocols.health.report import draw, show, summarise
from protocols.health.request import Request
from protocols.rig.checkup import UNITS, Checkup, check_up
from protocols.rig.tables import Layout, load_map
from rramlab.errors import InputError, RunError
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile
from rramlab.session import Plan, Session, free_folder

FloatArray = NDArray[np.float64]


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a look at a bench; everything is kept in its run."""
    place = resume or folder or free_folder("health")
    verbs = ("read", "pulse") if request.test else ("read",)
    check = needs(request.cells, *verbs)
    plan = Plan("health", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work:
        request = Request(**work.run.start.parameters)
        usual = work.bench.reading.spec()
        reading = ReadSpec(usual.v_read, usual.gate, request.samples)
        cells, bench = chosen(request.cells, work.backend), Retold(work.backend, work.run.events())
        found = check_up(bench, work.backend.limits, cells, reading, request.bounds(), request.test)
        summary = summarise(found, place)
        work.run.keep("health", found.columns(), UNITS, summary)
        draw(found, place)
    show(session, found, summary)
    return summary


def look_at(
    session: Session,
    request: Request,
    csv: Path | None,
    layout: Layout,
    readings: Path | None,
    folder: Path | None,
) -> dict[str, Any]:
    """Return the summary of a look at readings that were taken before; no bench is opened."""
    if (csv is None) == (readings is None):
        raise InputError("name a table with --csv or a run with --readings; one of the two")
    if request.test:
        raise InputError("test pulses need a bench; leave out --test, or leave out the readings")
    plane = load_map(csv, layout) if csv is not None else last_readings(readings or Path())
    found = Checkup.of(plane, request.bounds())
    summary = summarise(found, folder or csv or readings or Path())
    if folder is not None:
        draw(found, folder)
    show(session, found, summary)
    return summary


def last_readings(run: Path) -> FloatArray:
    """Return the map (S, NaN: never read) of the last reading of each cell in a run."""
    reads = RunFile.open(run).tables["reads"]
    if "conductance" not in reads or not len(reads["conductance"]):
        raise RunError(f"run '{run}' holds no readings; name one in which cells were read")
    row, col = reads["row"].astype(int), reads["col"].astype(int)
    plane = np.full((int(row.max()) + 1, int(col.max()) + 1), np.nan)
    plane[row, col] = reads["conductance"]  # of a cell that was read twice the last one stays
    return plane
