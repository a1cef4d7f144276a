"""Carry out a calibration as a run: procedures in order, records into the library, a page."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from calibration.command_report import draw, show
from calibration.order import Listed, before, left_out, loaded, named, refining
from calibration.procedure import Procedure
from calibration.runner import Result, Runner
from calibration.show.report import library_of
from rramlab.backend import Backend
from rramlab.bench import Bench
from rramlab.corrections.correction import Correction
from rramlab.corrections.library import Library
from rramlab.disk import clear_errors
from rramlab.errors import InputError, Unsupported
from rramlab.session import Plan, Session, free_folder


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for: a procedure or "all", and how the cells are made ready.

    `card` is a table of resistors that are in the sockets, `library` the folder that takes the records.
    """

    name: str = "all"
    prepare: bool = False
    card: str = ""
    library: str = ""

    def __post_init__(self) -> None:
        if self.card and not Path(self.card).is_file():
            raise InputError(f"--card {self.card}: there is no such file; name a table row,col,ohm")


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    seed: int,
    listed: Mapping[str, Listed],
) -> list[Result]:
    """Return what became of each procedure; records and measurements are kept in the run."""
    named([request.name], listed)
    plan = _plan(session, request, folder, resume, seed, listed)
    with session.work(plan) as work, session.terminal.progress() as progress:
        request = Request(**work.run.start.parameters)
        known = dict(work.backend.correction.records)
        runner = Runner(work, listed, known, Library(Path(request.library)), progress)
        results = [runner.result(each) for each in _procedures(request, work.bench, listed)]
        draw(results, work)
    show(session, results, plan.folder)
    return results


def _plan(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    seed: int,
    listed: Mapping[str, Listed],
) -> Plan:
    """Return the plan of a run; a new one begins with the records that it builds upon, and no others."""
    command, place = f"calibrate {request.name}", resume or folder or free_folder("calibrate")
    if resume is not None:
        return Plan(command, place, resume=resume, in_parts=True)
    bench = session.bench()
    library = library_of(session, bench)
    names = named([request.name], listed)
    upon = before(names, loaded(listed))
    known = library.known(upon, time.time(), refining(upon, listed))
    told = replace(request, library=str(library.folder), card=_absolute(request.card))
    parameters: dict[str, Any] = asdict(told)
    _refuse_idle(request, names, listed)
    _procedures(told, bench, listed)  # options that make no sense are refused before a folder is made
    check = _fits(library, names, listed, parameters)
    return Plan(command, place, seed, parameters, check=check, correction=Correction(known), in_parts=True)


def _procedures(request: Request, bench: Bench, listed: Mapping[str, Listed]) -> list[Procedure]:
    """Return the procedures that were asked for, in order."""
    reading, options = bench.reading.spec(), asdict(request)
    return [listed[name].make(reading, options) for name in named([request.name], listed)]


def _refuse_idle(request: Request, names: Sequence[str], listed: Mapping[str, Listed]) -> None:
    """Refuse an option that none of the procedures would take."""
    for option in ("prepare", "card"):
        if getattr(request, option) and not any(option in listed[name].takes for name in names):
            raise InputError(f"'{request.name}' does not need --{option}; leave it out")


def _fits(
    library: Library, names: list[str], listed: Mapping[str, Listed], options: Mapping[str, Any]
) -> Callable[[Backend], None]:
    """Return a check of a plan: something can be measured here, and the library can take a record."""

    def check(backend: Backend) -> None:
        told = left_out(names, listed, backend, options)
        if len(told) == len(names):
            raise Unsupported(told[names[0]])
        with clear_errors(library.folder):
            library.folder.mkdir(parents=True, exist_ok=True)

    return check


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""
