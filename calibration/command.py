"""Calibrate a bench: the commands, one for all procedures, one for each, one that shows what is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from calibration.order import PROCEDURES

calibrate = typer.Typer(
    help="Find out how far a bench is off, so that its numbers can be trusted; show what is known.\n\n"
    "Example: rramlab --bench mine.toml calibrate all --prepare && rramlab --bench mine.toml calibrate show",
    no_args_is_help=True,
    add_completion=False,
)
Prepare = Annotated[
    bool, typer.Option("--prepare", help="Program the cells first to what is measured best; changes them.")
]
Card = Annotated[str, typer.Option(help="Table row,col,ohm of known resistors that are in the sockets.")]
Folder = Annotated[Path | None, typer.Option("--run", help="Folder of the run; runs/calibrate if left out.")]
Resume = Annotated[Path | None, typer.Option(help="Continue a calibration that was cut off.")]
Seed = Annotated[int, typer.Option(help="Seed of the run.")]
Command = Callable[[typer.Context, bool, str, Path | None, Path | None, int], None]


@calibrate.command("all")
def everything(
    ctx: typer.Context,
    prepare: Prepare = False,
    card: Card = "",
    run: Folder = None,
    resume: Resume = None,
    seed: Seed = 0,
) -> None:
    """Do all procedures in the right order; each record is filed as soon as it is whole.

    Example: rramlab --bench mine.toml calibrate all --prepare

    Example: rramlab calibrate all --resume runs/calibrate
    """
    _carry_out(ctx, "all", prepare, card, run, resume, seed)


@calibrate.command()
def show(
    ctx: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="Also the records before the newest.")] = False,
) -> None:
    """Show what is known of the bench: values with uncertainty, until when they hold; opens no instrument.

    Example: rramlab --bench mine.toml calibrate show
    """
    from calibration.show.report import tell

    tell(ctx.obj, history)


def _one(name: str) -> Command:
    def command(
        ctx: typer.Context,
        prepare: Prepare = False,
        card: Card = "",
        run: Folder = None,
        resume: Resume = None,
        seed: Seed = 0,
    ) -> None:
        _carry_out(ctx, name, prepare, card, run, resume, seed)

    finds = PROCEDURES[name].finds
    command.__doc__ = f"{finds}\n\nExample: rramlab --bench mine.toml calibrate {name}"
    return command


for _name in PROCEDURES:
    calibrate.command(_name)(_one(_name))


def _carry_out(ctx: Any, name: str, prepare: bool, card: str, run: Any, resume: Any, seed: int) -> None:
    from calibration.command_run import Request, carry_out
    from rramlab.errors import CalibrationError
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    results = carry_out(ctx.obj, Request(name, prepare, card), run, resume, seed, PROCEDURES)
    failed = [
        f"{one.procedure.name}: {one.why}" for one in results if one.record is None and not one.left_out
    ]
    if failed:
        raise CalibrationError("; ".join(failed))
