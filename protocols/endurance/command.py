"""Cycle cells and watch their window: the command."""

from pathlib import Path
from typing import Annotated, Any

import typer


def endurance(
    ctx: typer.Context,
    cells: Annotated[
        str, typer.Option(help="Cells, such as r0-1,c0-31; with --after, those of that run.")
    ] = "r0-1,c0-31",
    cycles: Annotated[int, typer.Option(help="Cycles of SET and RESET in this run.")] = 100,
    per_decade: Annotated[int, typer.Option(help="Counts per decade at which both states are read.")] = 5,
    set_pulse: Annotated[str, typer.Option("--set", help="SET pulse.")] = "SET 2V gate=1.4V 1us",
    reset_pulse: Annotated[str, typer.Option("--reset", help="RESET pulse.")] = "RESET 1.6V gate=3.3V 1us",
    window: Annotated[
        float, typer.Option(help="Ratio of LRS to HRS conductance below which the window is closed.")
    ] = 2.0,
    samples: Annotated[int, typer.Option(help="Samples of 1 ms averaged per reading.")] = 1,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/endurance if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[
        Path | None, typer.Option(help="Go on counting where this run of endurance ended.")
    ] = None,
    require: Annotated[
        float | None, typer.Option(help="Exit with 1 if fewer per cent of the cells endured.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Cycle cells between SET and RESET, and read both states at counts that are even in log cycles.

    A cell whose window is closed in two cycles in a row has failed and is left alone. The limit of pulses per
    cell holds for one run; decades beyond are reached by further runs with --after.

    Example: rramlab endurance

    Example: rramlab endurance --after runs/endurance --cycles 100

    Example: rramlab endurance --set "SET 1.8V gate=1.3V 1us" --window 3 --run runs/soft
    """
    from protocols.endurance.request import Request
    from protocols.endurance.run import carry_out
    from rramlab.errors import InputError
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "require")
    if after is not None and ctx.get_parameter_source("cells").name == "COMMANDLINE":  # type: ignore[union-attr]
        raise InputError("--after goes on with the cells of that run; leave out --cells")
    request = Request(cells, cycles, per_decade, set_pulse, reset_pulse, window, samples)
    summary: dict[str, Any] = carry_out(ctx.obj, request, run, resume, after, seed)
    if require is not None and not summary["enduring_percent"] >= require:
        found = f"{summary['enduring_percent']:.2f} % of the cells endured"
        ctx.obj.terminal.error(f"{found}, {require:g} % were required; see the outcomes above")
        raise typer.Exit(1)
