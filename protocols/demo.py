"""Show the whole mission once: the command."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    ctx: typer.Context,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/demo if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a demo that was cut off.")] = None,
    runs: Annotated[int, typer.Option(help="Closed-loop runs, one sample each.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Program a trained score network into the macros, close the analog loop, and sample a ring.

    Weights become conductances, write-verify programs three layers in three passes, the loop runs once per
    sample. The pictures, figures and the run file land in one folder; index.html shows them all.

    Example: rramlab demo

    Example: rramlab demo --resume runs/demo
    """
    from protocols.sample.report import show
    from protocols.sample.request import Request
    from protocols.sample.run import carry_out, plan_of
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    plan = plan_of("demo", Request(runs=runs), run, seed, resume)
    show(ctx.obj, *carry_out(ctx.obj, plan))
