"""Read conductances: the command."""

from pathlib import Path
from typing import Annotated

import typer


def read(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r0-31,c0-31 or r3c7; all if left out.")] = "all",
    samples: Annotated[
        int | None, typer.Option(help="Samples of 1 ms averaged; the bench file's if left out.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/read if left out.")] = None,
    after: Annotated[Path | None, typer.Option(help="Read the simulated macro as this run left it.")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write the conductances (uS) as a table to this file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Read the conductance of cells, and show them as a map.

    A simulated macro lives in its run: read one that was programmed with --after.

    Example: rramlab read --cells r0-3,c0-7

    Example: rramlab read --after runs/moon_star --cells r0-31,c0-31 --csv moon.csv
    """
    from protocols.read.run import Request, carry_out

    carry_out(ctx.obj, Request(cells, samples, csv), run, after, seed)
