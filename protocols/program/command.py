"""Program target conductances into a macro: the command."""

from pathlib import Path
from typing import Annotated, Any

import typer

Seconds = Annotated[str, typer.Option(help="Time between passes, for the cells to relax.")]


def program(
    ctx: typer.Context,
    targets: Annotated[
        Path | None, typer.Argument(help="Map of targets: .npy, .csv or a picture (black = low end).")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/NAME if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    at: Annotated[str, typer.Option(help="First cell of the map.")] = "r0c0",
    unit: Annotated[str, typer.Option(help="Unit of .npy and .csv: auto, S or uS.")] = "auto",
    strategy: Annotated[str, typer.Option(help="adaptive, ping-pong, gate-staircase or ispva.")] = "adaptive",
    tolerance: Annotated[str, typer.Option(help="Largest error, seen in two readings.")] = "1uS",
    passes: Annotated[int, typer.Option(help="Passes over the array.")] = 3,
    wait: Seconds = "60s",
    max_pulses: Annotated[int, typer.Option(help="Pulses per cell at most.")] = 100,
    require: Annotated[
        float | None, typer.Option(help="Exit with 1 if fewer per cent of the cells are within tolerance.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Program a map of target conductances by write-verify, and show what came out.

    An empty or nan entry leaves its cell alone. Pictures, figures and the run file land in one folder.

    Example: rramlab program examples/moon_star.png

    Example: rramlab program mine.csv --unit uS --tolerance 0.5uS --run runs/mine

    Example: rramlab program --resume runs/mine
    """
    from protocols.program.request import Request
    from protocols.program.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "require")
    request = Request(
        targets=targets,
        at=at,
        unit=unit,
        strategy=strategy,
        tolerance=parse_quantity(tolerance, "S"),
        passes=passes,
        wait=parse_quantity(wait, "s"),
        max_pulses=max_pulses,
    )
    summary: dict[str, Any] = carry_out(ctx.obj, request, run, resume, after, seed)
    if require is not None and summary["within_tolerance_percent"] < require:
        found = f"{summary['within_tolerance_percent']:.2f} % of the cells are within tolerance"
        ctx.obj.terminal.error(f"{found}, {require:g} % were required; see the outcomes above")
        raise typer.Exit(1)
