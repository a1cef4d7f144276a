"""Study what noise does to a network: the command."""

from pathlib import Path
from typing import Annotated

import typer

study = typer.Typer(
    help="Study how noise changes what is drawn, over many simulated macros.\n\nExample: rramlab study noise",
    no_args_is_help=True,
    add_completion=False,
)


@study.callback()
def group() -> None:
    """Study how noise changes what is drawn, over many simulated macros."""


@study.command()
def noise(
    ctx: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Coarse levels, few macros: minutes.")] = False,
    workers: Annotated[int, typer.Option(help="Processes of this machine, one thread each.")] = 2,
    scheduler: Annotated[
        str | None, typer.Option(help="Scheduler of a dask cluster, which takes the place of --workers.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/study-noise if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Sweep the noise of writing and reading, by ODE and SDE, and tell how much a network stands.

    On ideal circuits with relative noise, on simulated macros with the noise of the device times factors, and
    over programming passes and waits; with the ring networks trained with and without noise. The same seed
    gives the same numbers, whoever computes them: --workers and --scheduler may change with --resume.

    Example: rramlab study noise --quick

    Example: rramlab study noise --scheduler tcp://head:8786 --run runs/noise
    """
    from protocols.study.crew import crew_of
    from protocols.study.report import show
    from protocols.study.request import Request
    from protocols.study.run import Asked, carry_out
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx, "workers", "scheduler")
    request = Request.quick() if quick else Request()
    asked = Asked(request, run, seed, resume)
    show(ctx.obj, *carry_out(ctx.obj, asked, crew_of(workers, scheduler)))
