"""Carry out a play as a run: table by table, run by run, each kept as it ends."""

from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

import numpy as np

from drivers.play.firmware import Firmware
from drivers.play.outcome import UNITS, Outcome, Seen, facts_of, table_columns
from drivers.play.report import show
from drivers.play.request import PlayRequest
from drivers.published_log import SAID
from drivers.published_schedule import PublishedSettings
from rramlab.loop import LoopRun
from rramlab.pulse import Columns
from rramlab.session import Plan, Session, Work, free_folder

COMMAND = "play"
TABLE, RUN = "table {}", "table {} run {}"
"""Names of what is kept: all of a table, and a run of it, counted from 1."""


def carry_out(session: Session, request: PlayRequest, folder: Path | None, resume: Path | None) -> None:
    """Play what is asked for, write the page, and tell what came out."""
    if resume is None:  # the board and what it can play are looked at before anything is made
        Firmware.of(session.bench()).settings(request)
    place = resume or folder or free_folder(COMMAND)
    plan = Plan(COMMAND, place, 0, request.parameters(), resume)
    with session.work(plan) as work, session.terminal.progress() as progress:
        found = played(work, PlayRequest(**work.run.start.parameters), progress.update)
        work.run.keep("said", found.talk, {"moment": "s"}, facts_of(found))
        write_page(found, work.run.folder)
    show(session, found, work.run.folder)


def played(work: Work, request: PlayRequest, watch: Callable[[str, float, float], None]) -> Outcome:
    """Return all runs of all tables; those that an earlier process kept are not played again."""
    firmware = Firmware.of(work.bench)
    settings = firmware.settings(request)
    runs = {table: firmware.run(each) for table, each in settings.items()}
    seen = _each(work, request, runs, watch)
    for table, each in settings.items():
        _keep(work, each, runs[table], seen[table])
    coefficients = {table: run.coefficients for table, run in runs.items()}
    return Outcome(request, settings, coefficients, seen, said(work))


def _each(
    work: Work,
    request: PlayRequest,
    runs: Mapping[str, LoopRun],
    watch: Callable[[str, float, float], None],
) -> dict[str, Seen]:
    done: dict[str, list[Seen]] = {table: [] for table in runs}
    for place, (table, number) in enumerate(product(runs, range(1, request.runs + 1))):
        watch("playing", place, len(runs) * request.runs)
        done[table].append(_one(work, RUN.format(table, number), runs[table]))
    watch("playing", 1, 1)
    return {table: Seen.together(listed) for table, listed in done.items()}


def _one(work: Work, name: str, run: LoopRun) -> Seen:
    """Return one run: the kept one, or a new one that is kept."""
    kept = work.kept(name)
    if kept is not None:
        return Seen.of(kept.columns)
    seen = Seen.of(work.backend.solve(run).record())
    work.run.keep(name, seen.columns(), _units(seen.columns()))
    return seen


def _keep(work: Work, settings: PublishedSettings, run: LoopRun, seen: Seen) -> None:
    facts = {"settings": settings.text(), "tick": run.coefficients.tick, "v_bias": settings.v_bias}
    columns = dict(table_columns(settings, run.coefficients)) | dict(seen.columns())
    work.run.keep(TABLE.format(settings.table), columns, _units(columns), facts)


def _units(columns: Columns) -> dict[str, str]:
    return {name: UNITS[name] for name in columns}


def said(work: Work) -> Columns:
    """Return every command with its reply, and when (s) it came, in all sessions of the run."""
    notes = [event.columns for event in work.run.events() if event.stage == "note" and event.verb == SAID]
    names = ("moment", "asked", "replied")
    return {name: np.concatenate([columns[name] for columns in notes]) for name in names}


def write_page(found: Outcome, folder: Path) -> None:
    """Write the page of the run into its folder."""
    from drivers.play.page import page_of

    page_of(found).write(folder / "index.html", pictures=True)
