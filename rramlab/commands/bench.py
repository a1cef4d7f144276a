"""Write and check bench files, and find what could stand in one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

import typer

from rramlab.errors import BenchFileError, CalibrationError, LinkError, LinkFault

if TYPE_CHECKING:  # loaded by the commands that open a bench, not by --help
    from rramlab.attached import Attached
    from rramlab.backend import Backend
    from rramlab.bench import Bench
    from rramlab.finding import Finding
    from rramlab.terminal import Terminal

bench = typer.Typer(
    help="Write and check bench files, find what is attached.\n\nExample: rramlab bench init mine.toml",
    no_args_is_help=True,
    add_completion=False,
)


@final
class Template(StrEnum):
    """Name the bench files that can be written."""

    SIM = "sim"
    UNKNOWN = "unknown"


@bench.command()
def init(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("bench.toml"),
    like: Annotated[
        Template, typer.Option("--template", help="sim: as it is built in; unknown: one with hidden errors.")
    ] = Template.SIM,
) -> None:
    """Write a commented copy of a simulated bench, ready to be changed.

    Example: rramlab bench init mine.toml && rramlab --bench mine.toml demo

    Example, a bench to be calibrated: rramlab bench init unknown.toml --template unknown
    """
    from rramlab.benches import template

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template(like.value))
    except FileExistsError:
        raise BenchFileError(f"{path} exists already and is left as it is; name another file") from None
    except OSError as error:
        raise BenchFileError(f"{path} cannot be written: {error.strerror}") from None
    ctx.obj.terminal.say(f"wrote {path}; next: rramlab --bench {path} bench check")
    ctx.obj.terminal.document({"path": str(path)})


@bench.command()
def check(ctx: typer.Context) -> None:
    """Open every instrument, compare it with the bench file, test it with outputs off; say what is wrong.

    Example: rramlab --bench mine.toml bench check
    """
    from rramlab.corrections.correction import Correction

    session = ctx.obj
    bench_file = session.bench()
    backend = bench_file.open(correction=Correction())
    found = backend.examine()
    told = {finding.part: finding.answer for finding in reversed(found)}  # the first of a part says who it is
    known = _calibration(bench_file, backend.identify() | told)
    facts = {
        "shape": f"{backend.shape[0]} x {backend.shape[1]}",
        "can": ", ".join(sorted(backend.capabilities)),
        **_first_cells(bench_file, backend),
    }
    rows = [each.row() for each in (*found, *known)] + [[name, value, ""] for name, value in facts.items()]
    name = bench_file.bench.id
    session.terminal.table(f"Bench '{name}'", ["part", "answer", "verdict"], rows)
    findings = [asdict(finding) for finding in (*found, *known)]
    session.terminal.document({"bench": name, **backend.identify(), **told, **facts, "findings": findings})
    _refuse_bad(name, found)
    _refuse_uncalibrated(name, known)


@bench.command(name="list")
def list_attached(
    ctx: typer.Context,
    ask: Annotated[
        bool, typer.Option("--ask", help="Also ask who is at each serial port: it writes to all of them.")
    ] = False,
) -> None:
    """Find serial ports and VISA resources, say who answers, and print lines for a bench file.

    A serial port is not written to unless asked for: whatever is there may take any byte for a command.

    Example: rramlab bench list
    """
    terminal = ctx.obj.terminal
    found = _find(ask, terminal)
    if found:
        terminal.table("Attached", ["where", "who answers", "driver"], [one.row() for one in found])
    else:
        terminal.say("nothing was found; an instrument on the network is named by its address")
    for one in found:
        if one.lines:
            terminal.say(f"\n{one.lines}")
    terminal.document({"attached": [asdict(one) for one in found]})


def _find(ask: bool, terminal: Terminal) -> list[Attached]:
    """Return what the finders of all installed packages find; a broken one does not hide the others."""
    from importlib.metadata import entry_points

    found: list[Attached] = []
    for point in entry_points(group="rramlab.finders"):
        try:
            found += point.load()(ask)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            terminal.hint(
                f"finder '{point.name}' failed ({why}); repair or remove the package that brings it"
            )
    return found


def _first_cells(bench_file: Bench, backend: Backend) -> dict[str, str]:
    """Return readings of a simulated macro, as reported; on a real one the outputs stay off."""
    from rramlab.cells import Cells

    if not (backend.forgets and "read" in backend.capabilities):
        return {}
    with backend:
        readings = backend.read(Cells.grid(range(2), range(2)), bench_file.reading.spec())
    return {"first cells": ", ".join(f"{g * 1e6:.2f} uS" for g in readings)}


def _calibration(bench_file: Bench, who: Mapping[str, str]) -> list[Finding]:
    """Return how it is with each calibration record of the bench, or that there are none."""
    from rramlab.corrections.state import state_of
    from rramlab.finding import Finding

    shelf = {} if bench_file.calibration is None else bench_file.library().look()
    if not shelf:
        return [Finding("calibration", "none: readings are as reported", True, "rramlab calibrate all")]
    states = {kind: state_of(kind, shelf, who, time.time()) for kind in shelf}
    return [
        Finding(
            f"calibration '{kind}'", state.words, not state.refused, _renewal(kind) if state.refused else ""
        )
        for kind, state in states.items()
    ]


def _renewal(kind: str) -> str:
    return f"renew it: rramlab calibrate {kind}"


def _refuse_uncalibrated(name: str, known: list[Finding]) -> None:
    bad = [finding.part for finding in known if not finding.good]
    if bad:
        raise CalibrationError(
            f"bench '{name}' will be refused: {', '.join(bad)} (see the table); renew: rramlab calibrate all"
        )


def _refuse_bad(name: str, found: list[Finding]) -> None:
    bad = [finding for finding in found if not finding.good]
    if bad:
        told = "; ".join(dict.fromkeys(finding.part for finding in bad))
        raise LinkError(
            LinkFault.MISMATCH,
            f"bench '{name}' is not ready: {told} (see the table); nothing was switched on",
        )
