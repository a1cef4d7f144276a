"""Reproduce the published experiment on one page: the command."""

from pathlib import Path
from typing import Annotated

import typer


def reproduce(
    ctx: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: three minutes on two cores.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Published sizes, and the decoder on macros.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of all runs and the page; runs/reproduce if left out.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in that folder: what is finished is not done again.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes of the noise study, one thread each.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of all runs.")] = 0,
) -> None:
    """Carry out the experiments of figures 2 to 5, and set claims and values side by side on one page.

    Each experiment is a run of its own in the folder. One that fails is a sentence in the table, and is tried
    again with --resume. --quick is what is done unless --full is given.

    Example: rramlab reproduce --quick

    Example: rramlab reproduce --full --out runs/whole

    Example: rramlab reproduce --resume --out runs/whole
    """
    from protocols.reproduce.plan import Plan
    from protocols.reproduce.report import finish
    from protocols.reproduce.run import carry_out
    from protocols.reproduce.sizes import FULL, QUICK
    from protocols.study.crew import crew_of
    from rramlab.errors import InputError
    from rramlab.session import refuse_new_options
    from rramlab.signals import exits_on_signals

    if resume:
        refuse_new_options(ctx, "out", "workers")
    if quick and full:
        raise InputError("--quick and --full were both given; give one of them")
    crew_of(workers, None)  # a number that is not possible is refused now, not after an hour
    plan = Plan.of_folder(ctx.obj, out) if resume else Plan.new(ctx.obj, out, FULL if full else QUICK, seed)
    with exits_on_signals():
        found = carry_out(ctx.obj, plan, workers)
    finish(ctx.obj, found)
