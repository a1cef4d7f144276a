"""Watch conductances over a long time: the command."""

from pathlib import Path
from typing import Annotated

import typer


def retention(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r0-31,c0-31; all if left out.")] = "all",
    levels: Annotated[
        int | None,
        typer.Option(help="Program this many levels first; 0: cells as they are. 8, or 0 with --after."),
    ] = None,
    reads: Annotated[int, typer.Option(help="Number of reads, evenly spread over log time.")] = 60,
    first: Annotated[str, typer.Option(help="Time of the first read after programming.")] = "1s",
    last: Annotated[str, typer.Option(help="Time of the last read, such as 1e6 (s), 11d.")] = "1e6s",
    samples: Annotated[
        int | None, typer.Option(help="Samples per reading; the bench file's if left out.")
    ] = None,
    temperature: Annotated[
        str | None, typer.Option(help="Temperature to note, such as 25C or 298K; it is not measured.")
    ] = None,
    tolerance: Annotated[str, typer.Option(help="Largest error of programming.")] = "1uS",
    passes: Annotated[int, typer.Option(help="Passes of programming; more than one wait 60 s each.")] = 1,
    patience: Annotated[
        str, typer.Option(help="How long to try again when the bench is silent or the disk full.")
    ] = "1d",
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/retention if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run, after any time.")] = None,
    away: Annotated[
        str | None, typer.Option(help="With --resume: how long nothing ran, if the clocks cannot know.")
    ] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Read cells at log-spaced times for days, and fit drift and broadening.

    Each read is taken when it is due and recorded at once. A run that was cut off, by whatever, goes on with
    --resume; reads that fell due meanwhile are marked as gaps.

    Example: rramlab retention --cells r0-31,c0-31 --levels 8

    Example: rramlab retention --after runs/moon_star --last 11d

    Example: rramlab retention --resume runs/retention
    """
    from protocols.ageing.durations import parse_duration
    from protocols.retention.request import Request, parse_temperature
    from protocols.retention.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "away", "patience")
    request = Request(
        cells=cells,
        levels=levels if levels is not None else 8 if after is None else 0,
        reads=reads,
        first=parse_duration(first),
        last=parse_duration(last),
        samples=samples,
        temperature=None if temperature is None else parse_temperature(temperature),
        tolerance=parse_quantity(tolerance, "S"),
        passes=passes,
    )
    gone = None if away is None else parse_duration(away)
    carry_out(ctx.obj, request, run, resume, after, seed, away=gone, patience=parse_duration(patience))
