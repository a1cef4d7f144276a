"""Measure what pulses do to cells, over gate, SL voltage and width: the command."""

from pathlib import Path
from typing import Annotated

import typer


def response(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r0-7,c0-31, or all.")] = "r0-7,c0-31",
    gates: Annotated[
        str, typer.Option(help="WL voltages of the gate staircase, each a SET from the erased state.")
    ] = "1V,1.1V,1.2V,1.3V,1.4V,1.5V,1.6V,1.7V,1.8V,1.9V",
    ladder: Annotated[
        str, typer.Option(help="SL voltages of the ladder of RESETs, one after the other.")
    ] = "0.6V,0.8V,1V,1.2V,1.4V,1.6V,1.8V,2V",
    widths: Annotated[
        str, typer.Option(help="Widths of the width sweep, each a SET from the erased state.")
    ] = "100ns,300ns,1us,3us,10us",
    repeats: Annotated[int, typer.Option(help="Times that all is done: tells cycles from cells.")] = 2,
    v_set: Annotated[str, typer.Option(help="BL voltage of each SET.")] = "2V",
    gate_width: Annotated[str, typer.Option(help="WL voltage of the width sweep.")] = "1.4V",
    v_erase: Annotated[str, typer.Option(help="SL voltage of the RESET that erases.")] = "2V",
    gate_reset: Annotated[str, typer.Option(help="WL voltage of each RESET; the limit if left out.")] = "",
    width: Annotated[str, typer.Option(help="Width of all pulses but those of the width sweep.")] = "1us",
    samples: Annotated[
        int | None, typer.Option(help="Samples per reading; the bench file's if left out.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/response if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Measure the response to single pulses: gate staircase, SL ladder, width sweep, on many cells.

    Median and spread of the conductance over gate, SL voltage and width; with rramlab fit runs the simulated
    device is fitted to them. At the end each cell is SET at one of the gates, dealt out in turn.

    Example: rramlab response --cells r0-31,c0-31

    Example: rramlab response --gates 1V,1.2V,1.4V --ladder 0.8V,1.2V,1.6V --widths 1us --run runs/short

    Example: rramlab response --resume runs/short
    """
    from protocols.response.request import Request, parse_list
    from protocols.response.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = Request(
        cells=cells,
        gates=parse_list(gates, "V"),
        ladder=parse_list(ladder, "V"),
        widths=parse_list(widths, "s"),
        repeats=repeats,
        v_set=parse_quantity(v_set, "V"),
        gate_width=parse_quantity(gate_width, "V"),
        v_erase=parse_quantity(v_erase, "V"),
        gate_reset=parse_quantity(gate_reset, "V") if gate_reset else None,
        width=parse_quantity(width, "s"),
        samples=samples,
    )
    carry_out(ctx.obj, request, run, resume, after, seed)
