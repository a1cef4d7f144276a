"""Program an image and watch it age: the command."""

from pathlib import Path
from typing import Annotated

import typer


def pattern(
    ctx: typer.Context,
    targets: Annotated[
        Path | None, typer.Argument(help="Picture, .npy or .csv; moon and star (32x32) if left out.")
    ] = None,
    times: Annotated[str, typer.Option(help="When to read after programming.")] = "1s,1min,1h,1d",
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/pattern if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run, after any time.")] = None,
    away: Annotated[
        str | None, typer.Option(help="With --resume: how long nothing ran, if the clocks cannot know.")
    ] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    at: Annotated[str, typer.Option(help="First cell of the picture.")] = "r0c0",
    unit: Annotated[str, typer.Option(help="Unit of .npy and .csv: auto, S or uS.")] = "auto",
    strategy: Annotated[str, typer.Option(help="adaptive, ping-pong, gate-staircase or ispva.")] = "adaptive",
    tolerance: Annotated[str, typer.Option(help="Largest error, seen in two readings.")] = "1uS",
    passes: Annotated[int, typer.Option(help="Passes of programming.")] = 3,
    wait: Annotated[str, typer.Option(help="Time between passes, for the cells to relax.")] = "60s",
    max_pulses: Annotated[int, typer.Option(help="Pulses per cell at most.")] = 100,
    samples: Annotated[int, typer.Option(help="Samples averaged in each reading of the picture.")] = 16,
    patience: Annotated[
        str, typer.Option(help="How long to try again when the bench is silent or the disk full.")
    ] = "1d",
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Program a picture, read it back at several times, and show how its errors spread.

    Example: rramlab pattern

    Example: rramlab pattern mine.png --times 1s,1h,1d,7d --tolerance 0.5uS

    Example: rramlab pattern --resume runs/pattern
    """
    from protocols.ageing.durations import parse_duration, parse_durations
    from protocols.pattern.run import Request, carry_out
    from protocols.program.request import Request as Writing
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "away", "patience")
    writing = Writing(
        targets=targets,
        at=at,
        unit=unit,
        strategy=strategy,
        tolerance=parse_quantity(tolerance, "S"),
        passes=passes,
        wait=parse_quantity(wait, "s"),
        max_pulses=max_pulses,
    )
    request = Request(writing, parse_durations(times), samples)
    gone = None if away is None else parse_duration(away)
    carry_out(ctx.obj, request, run, resume, after, seed, away=gone, patience=parse_duration(patience))
