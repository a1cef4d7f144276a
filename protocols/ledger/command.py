"""Account for time and energy of a finished run: the command."""

from pathlib import Path
from typing import Annotated

import typer


def ledger(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="Folder of a run of demo, sample or letters.")],
    page: Annotated[
        Path | None, typer.Option(help="Page to write; ledger.html in the run if left out.")
    ] = None,
    watt: Annotated[
        str | None, typer.Option(help="Power of the digital machine, where no counter can be read.")
    ] = None,
) -> None:
    """Account for time and energy per sample: bench as built, projected version, digital on this machine.

    Reads a finished run and needs no bench. The digital baselines are measured now; what is assumed says so.

    Example: rramlab ledger runs/demo

    Example: rramlab ledger runs/demo --watt 8W --json
    """
    from protocols.ledger.findings import findings_of
    from protocols.ledger.page import page_of
    from protocols.ledger.report import show
    from protocols.ledger.sampled import Sampled
    from rramlab.errors import InputError
    from rramlab.quantity import parse_quantity

    power = None if watt is None else parse_quantity(watt, "W")
    if power is not None and not power > 0:
        raise InputError(f"--watt {watt} is no power of a machine; give one above 0 W, such as 15W")
    terminal, sampled = ctx.obj.terminal, Sampled.open(run)
    with terminal.progress() as progress:
        found = findings_of(sampled, progress.update, power)
    place = page_of(found).write(page or sampled.folder / "ledger.html", pictures=False)
    show(terminal, found, place)
