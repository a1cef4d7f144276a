"""Measure the noise of reading: the command."""

from pathlib import Path
from typing import Annotated

import typer


def read_noise(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r0-1,c0-31.")] = "r0-1,c0-31",
    levels: Annotated[
        int | None, typer.Option(help="Levels programmed first; 0: the cells as they are (with --after).")
    ] = None,
    reads: Annotated[int, typer.Option(help="Readings of every cell, one after the other.")] = 2048,
    averaging: Annotated[
        str, typer.Option(help="Samples of 1 ms per reading, for sigma over averaging time.")
    ] = "1,4,16,64",
    settle: Annotated[
        str, typer.Option(help="Time after programming, for relaxation to slow down.")
    ] = "10min",
    false_alarm: Annotated[
        float, typer.Option(help="Odds per cell at which a telegraph may be a false alarm.")
    ] = 1e-3,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/read-noise if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Read cells again and again, and part their noise: white, 1/f, random telegraph.

    Sigma over conductance with its interval, power spectrum and its slope, Allan deviation, sigma at all time
    scales, two-level cells with step and dwell times, histograms.

    Example: rramlab read-noise

    Example: rramlab read-noise --after runs/moon_star --cells r0-31,c0-7 --reads 4096
    """
    from protocols.ageing.durations import parse_duration
    from protocols.read_noise.request import Request, parse_counts
    from protocols.read_noise.run import carry_out
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = Request(
        cells=cells,
        levels=levels if levels is not None else 8 if after is None else 0,
        reads=reads,
        averaging=parse_counts(averaging),
        settle=parse_duration(settle),
        false_alarm=false_alarm,
    )
    carry_out(ctx.obj, request, run, resume, after, seed)
