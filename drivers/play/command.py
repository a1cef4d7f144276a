"""Play the tables of the published firmware: the command."""

from pathlib import Path
from typing import Annotated

import typer


def play(
    ctx: typer.Context,
    tables: Annotated[
        str,
        typer.Argument(
            help="Tables, separated by commas: ring (0), the letters 1, 2, 3, or any other of the 21."
        ),
    ] = "ring",
    runs: Annotated[int, typer.Option(help="Runs of each table; one takes 6.3 s.")] = 10,
    coef: Annotated[
        float, typer.Option(help="Factor of the network, 0.01 to 3.99: 1 for the ODE, 2 for the SDE.")
    ] = 1.0,
    noise: Annotated[
        float, typer.Option(help="Noise scale, 0 (off, the ODE) to 0.33; 0.28 for the SDE.")
    ] = 0.0,
    bias: Annotated[
        str,
        typer.Option(
            help="Volts of a network unit: 50mV, 100mV, 200mV; the largest that fits the tables if left out."
        ),
    ] = "",
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/play if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
) -> None:
    """Run the closed loop as a board with the published firmware plays it, from its own tables.

    An oscilloscope sees each run. The record holds tables, coefficients, waveforms, and every command with
    its reply. What would overflow a converter of the board is refused before anything is sent.

    Example: rramlab --bench board.toml play ring --runs 20

    Example: rramlab --bench board.toml play 1,2,3 --coef 2 --noise 0.28

    Example, without a board: rramlab virtual-bench --dialect 1, and in another terminal
    rramlab --bench virtual-bench.toml play ring
    """
    from drivers.play.carry_out import carry_out
    from drivers.play.request import PlayRequest, parse_tables
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = PlayRequest(
        tables=parse_tables(tables),
        runs=runs,
        coef=coef,
        noise=noise,
        bias=parse_quantity(bias, "V") if bias else None,
    )
    carry_out(ctx.obj, request, run, resume)
