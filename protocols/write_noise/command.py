"""Measure the noise of writing: the command."""

from pathlib import Path
from typing import Annotated

import typer


def write_noise(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r0-3,c0-31.")] = "r0-3,c0-31",
    levels: Annotated[int, typer.Option(help="Levels over the window.")] = 8,
    single: Annotated[
        int, typer.Option(help="Times each cell is taken to each level by one RESET and one SET pulse.")
    ] = 3,
    writes: Annotated[int, typer.Option(help="Times each cell is written, to another level each time.")] = 4,
    waits: Annotated[
        str, typer.Option(help="Times after a write at which cells are read.")
    ] = "1s,1min,10min",
    tolerance: Annotated[str, typer.Option(help="Tolerance of write-verify.")] = "1uS",
    samples: Annotated[int, typer.Option(help="Samples of 1 ms averaged per reading.")] = 16,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/write-noise if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Write cells to levels again and again, and tell sigma of what is left, over conductance and time.

    First single pulses, without correction: their spread from cycle to cycle and from cell to cell. Then
    write-verify: the error right after writing and after waits, per level with 95 % intervals.

    Example: rramlab write-noise

    Example: rramlab write-noise --writes 8 --waits 1s,1h --tolerance 0.5uS --run runs/fine
    """
    from protocols.ageing.durations import parse_durations
    from protocols.write_noise.request import Request
    from protocols.write_noise.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    times = parse_durations(waits) if waits.strip() else ()
    sigma = parse_quantity(tolerance, "S")
    request = Request(cells, levels, single, writes, times, sigma, samples)
    carry_out(ctx.obj, request, run, resume, after, seed)
