"""Look a rig over: the command."""

from pathlib import Path
from typing import Annotated

import typer


def health(
    ctx: typer.Context,
    cells: Annotated[str, typer.Option(help="Cells, such as r0-31,c0-31; all if left out.")] = "all",
    samples: Annotated[int, typer.Option(help="Samples of 1 ms averaged per reading.")] = 4,
    test: Annotated[
        bool, typer.Option("--test", help="Also move each cell a little, to see whether pulses reach it.")
    ] = False,
    open_below: Annotated[str, typer.Option(help="A reading below this is an open cell.")] = "1uS",
    short_above: Annotated[str, typer.Option(help="A reading above this is a short.")] = "150uS",
    csv: Annotated[
        Path | None, typer.Option(help="Explain this table instead of a bench: a map, or a cell a line.")
    ] = None,
    names: Annotated[str, typer.Option(help="Column names of a table without, such as addr,R.")] = "",
    columns: Annotated[
        int | None, typer.Option(help="Cells of a word line, for tables of addresses.")
    ] = None,
    readings: Annotated[
        Path | None, typer.Option(help="Explain the last readings in this run instead of a bench.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/health if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[Path | None, typer.Option(help="Look at the macro as this run left it.")] = None,
    require: Annotated[
        float | None, typer.Option(help="Exit with 1 if fewer per cent of the cells are at no fault.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Read all cells, sort out those at fault, and say what they have in common.

    A dead word line, a column without contact, a block of addresses or an address bit that does nothing is
    named as such, with how many cells it takes and the odds that chance does the same.

    Example: rramlab health

    Example: rramlab health --test --cells r0-31,c0-31

    Example: rramlab health --csv others.tsv --names addr,R --columns 128
    """
    from protocols.health.request import Request
    from protocols.health.run import carry_out, look_at
    from protocols.rig.tables import Layout
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "require")
    bounds = parse_quantity(open_below, "S"), parse_quantity(short_above, "S")
    request = Request(cells, samples, test, *bounds)
    layout = Layout(tuple(name.strip() for name in names.split(",") if name.strip()), columns)
    if csv is not None or readings is not None:
        found = look_at(ctx.obj, request, csv, layout, readings, run)
    else:
        found = carry_out(ctx.obj, request, run, resume, after, seed)
    if require is not None and found["answering_percent"] < require:
        ctx.obj.terminal.error(
            f"{found['answering_percent']:.2f} % of the cells are at no fault, {require:g} % were required"
        )
        raise typer.Exit(1)
