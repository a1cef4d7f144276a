"""Sweep cells quasi-statically, up and down: the command."""

from pathlib import Path
from typing import Annotated

import typer


def iv(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r3c7 or r0-3,c0-3.")] = "r0c0",
    cycles: Annotated[int, typer.Option(help="Cycles per cell: 0 to +V to 0 to -V to 0.")] = 10,
    v_set: Annotated[str, typer.Option(help="Top of the sweep upwards (SET).")] = "1.5V",
    gate_set: Annotated[str, typer.Option(help="WL voltage of the sweep upwards.")] = "1.4V",
    compliance: Annotated[str, typer.Option(help="Compliance of the sweep upwards.")] = "100uA",
    v_reset: Annotated[str, typer.Option(help="Top of the sweep downwards (RESET), without sign.")] = "1V",
    gate_reset: Annotated[
        str, typer.Option(help="WL voltage of the sweep downwards; the limit if left out.")
    ] = "",
    compliance_reset: Annotated[
        str, typer.Option(help="Compliance of the sweep downwards; the limit if left out.")
    ] = "",
    step: Annotated[str, typer.Option(help="Step of the voltage.")] = "20mV",
    dwell: Annotated[str, typer.Option(help="Time per step.")] = "1ms",
    skip: Annotated[
        int, typer.Option(help="First cycles that do not count: they begin from the state a cell came in.")
    ] = 1,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/iv if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Go on with the macro as this run left it.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Sweep the I-V of cells in bipolar cycles, and find their SET and RESET voltages.

    V_SET is where ln(I/V) rises most on the way up, V_RESET where the current is largest on the way down.

    Example: rramlab iv --cells r3c7 --cycles 50

    Example: rramlab iv --cells r0-3,c0-7 --v-set 1.2V --gate-set 1.6V --run runs/iv7

    Example: rramlab iv --resume runs/iv7
    """
    from protocols.iv.request import Request
    from protocols.iv.run import carry_out
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = Request(
        cells=cells,
        cycles=cycles,
        v_set=parse_quantity(v_set, "V"),
        gate_set=parse_quantity(gate_set, "V"),
        compliance=parse_quantity(compliance, "A"),
        v_reset=parse_quantity(v_reset, "V"),
        gate_reset=parse_quantity(gate_reset, "V") if gate_reset else None,
        compliance_reset=parse_quantity(compliance_reset, "A") if compliance_reset else None,
        step=parse_quantity(step, "V"),
        dwell=parse_quantity(dwell, "s"),
        skip=skip,
    )
    carry_out(ctx.obj, request, run, resume, after, seed)
