"""Form fresh cells: the command."""

from pathlib import Path
from typing import Annotated, Any

import typer


def forming(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r0-31,c0-31; all if left out.")] = "all",
    width: Annotated[str, typer.Option(help="Width of the forming pulses, 1us to 1ms.")] = "1us",
    start: Annotated[str, typer.Option(help="First BL voltage of the ramp.")] = "1.8V",
    stop: Annotated[str, typer.Option(help="Last BL voltage of the ramp.")] = "3.3V",
    step: Annotated[str, typer.Option(help="Step of the ramp.")] = "50mV",
    gate: Annotated[
        str, typer.Option(help="WL voltage; left out, the highest that the limits admit at this width.")
    ] = "",
    formed_at: Annotated[str, typer.Option(help="A reading above this is a formed cell.")] = "20uS",
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/forming if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    require: Annotated[
        float | None, typer.Option(help="Exit with 1 if fewer per cent of the fresh cells formed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Form fresh cells by a ramp of pulses, RESET each at once, and map the yield.

    A cell that conducts 1 uS or more at the first reading is left alone. The ramp of a cell ends at the first
    reading above 20 uS.

    Example: rramlab forming --cells r0-31,c0-31

    Example: rramlab forming --width 10us --stop 3V --run runs/chip7

    Example: rramlab forming --resume runs/chip7
    """
    from protocols.forming.request import Request
    from protocols.forming.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "require")
    request = Request(
        cells=cells,
        width=parse_quantity(width, "s"),
        start=parse_quantity(start, "V"),
        stop=parse_quantity(stop, "V"),
        step=parse_quantity(step, "V"),
        gate=parse_quantity(gate, "V") if gate else None,
        formed_at=parse_quantity(formed_at, "S"),
    )
    summary: dict[str, Any] = carry_out(ctx.obj, request, run, resume, after, seed)
    share = summary["yield_percent"]
    if require is not None and (share is None or share < require):
        found = "there was no fresh cell" if share is None else f"{share:.2f} % of the fresh cells formed"
        ctx.obj.terminal.error(f"{found}, {require:g} % were required; see the outcomes above")
        raise typer.Exit(1)
