"""Look for what reading and writing does to cells that are not written: the command."""

from pathlib import Path
from typing import Annotated

import typer


def disturb(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="A rectangle of cells; the first macro if left out.")] = "macro",
    kind: Annotated[str, typer.Option(help="read, half-select or both.")] = "both",
    levels: Annotated[int, typer.Option(help="States to which cells are programmed first.")] = 4,
    voltages: Annotated[
        str, typer.Option(help="Read voltages that stress, within the limits.")
    ] = "0.1V,0.2V",
    reads: Annotated[int, typer.Option(help="Stress: readings of 1 ms per cell.")] = 10_000,
    aggressors: Annotated[int, typer.Option(help="Half-select: cells that are pulsed.")] = 4,
    pulses: Annotated[int, typer.Option(help="Half-select: pulses per aggressor, SET and RESET.")] = 100,
    set_pulse: Annotated[
        str, typer.Option("--set", help="SET of the aggressors.")
    ] = "SET 1.6V gate=1.6V 1us",
    reset_pulse: Annotated[
        str, typer.Option("--reset", help="RESET of the aggressors.")
    ] = "RESET 1.6V gate=3.3V 1us",
    samples: Annotated[int, typer.Option(help="Samples averaged at each look at the cells.")] = 16,
    tolerance: Annotated[str, typer.Option(help="Largest error of programming.")] = "1uS",
    wait: Annotated[str, typer.Option(help="Rest after programming, for the cells to relax.")] = "60s",
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/disturb if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Stress cells by reading them, and the neighbours of cells that are pulsed; compare with cells at rest.

    Example: rramlab disturb

    Example: rramlab disturb --kind read --voltages 0.1V,0.2V,0.3V --reads 100000

    Example: rramlab disturb --resume runs/disturb
    """
    from protocols.ageing.durations import parse_duration
    from protocols.disturb.request import Request
    from protocols.disturb.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = Request(
        cells=cells,
        kind=kind,
        levels=levels,
        voltages=tuple(parse_quantity(text, "V") for text in voltages.split(",")),
        reads=reads,
        aggressors=aggressors,
        pulses=pulses,
        set_pulse=set_pulse,
        reset_pulse=reset_pulse,
        samples=samples,
        tolerance=parse_quantity(tolerance, "S"),
        wait=parse_duration(wait),
    )
    carry_out(ctx.obj, request, run, resume, after, seed)
