"""Program cells to many levels and see how well they are told apart: the command."""

from pathlib import Path
from typing import Annotated, Any

import typer


def levels(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r3c7 or r0-31,c0-31.")] = "r0-15,c0-15",
    count: Annotated[int, typer.Option("--levels", help="Levels over the window.")] = 64,
    low: Annotated[str, typer.Option(help="Lowest level; the bench's window if left out.")] = "",
    high: Annotated[str, typer.Option(help="Highest level; the bench's window if left out.")] = "",
    rounds: Annotated[
        int | None,
        typer.Option(help="Times that each cell is programmed; enough for all levels if left out."),
    ] = None,
    tolerance: Annotated[str, typer.Option(help="Largest error; 0.3 of the pitch if left out.")] = "",
    passes: Annotated[int, typer.Option(help="Passes of write-verify.")] = 3,
    wait: Annotated[str, typer.Option(help="Time between passes.")] = "10s",
    max_pulses: Annotated[int, typer.Option(help="Pulses per cell and level at most.")] = 60,
    times: Annotated[str, typer.Option(help="Times after programming at which all is read.")] = "1s,10s,100s",
    reads: Annotated[int, typer.Option(help="Readings of each cell at each time.")] = 5,
    curves: Annotated[int, typer.Option(help="I-V per level; 0 for none.")] = 1,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/levels if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    require: Annotated[
        float | None, typer.Option(help="Exit with 1 if fewer effective bits at the last time.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Program cells to many levels, take the I-V of each, and read them over time.

    Tells the overlap of neighbouring levels and the effective number of bits against the time after
    programming.

    Example: rramlab levels --cells r0-31,c0-31 --levels 64

    Example: rramlab levels --cells r0-3,c0 --levels 64 --times 1s,60s --run runs/four

    Example: rramlab levels --resume runs/four
    """
    from protocols.levels.request import Request
    from protocols.levels.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "require")
    request = Request(
        cells=cells,
        levels=count,
        low=parse_quantity(low, "S") if low else None,
        high=parse_quantity(high, "S") if high else None,
        rounds=rounds,
        tolerance=parse_quantity(tolerance, "S") if tolerance else None,
        passes=passes,
        wait=parse_quantity(wait, "s"),
        max_pulses=max_pulses,
        times=tuple(parse_quantity(text, "s") for text in times.split(",")),
        reads=reads,
        curves=curves,
    )
    summary: dict[str, Any] = carry_out(ctx.obj, request, run, resume, after, seed)
    bits = summary["bits"][-1] if summary["bits"] else 0.0
    if require is not None and bits < require:
        found = f"{bits:.2f} effective bits at the last time"
        ctx.obj.terminal.error(f"{found}, {require:g} were required; see the figures above")
        raise typer.Exit(1)
