"""Sample a score network in closed loop: the command."""

from pathlib import Path
from typing import Annotated

import typer


def sample(
    ctx: typer.Context,
    weights: Annotated[
        Path | None, typer.Option(help="Network (.safetensors); the ring network if left out.")
    ] = None,
    runs: Annotated[int, typer.Option(help="Closed-loop runs, one sample each.")] = 1000,
    kind: Annotated[str, typer.Option(help="ode or sde.")] = "ode",
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/sample if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[
        Path | None, typer.Option(help="Take the macro as a run of demo or sample left it; do not program.")
    ] = None,
    tolerance: Annotated[str, typer.Option(help="Largest error while programming.")] = "1uS",
    passes: Annotated[int, typer.Option(help="Passes of programming.")] = 3,
    wait: Annotated[str, typer.Option(help="Time between passes.")] = "60s",
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Program a score network and sample it in closed loop, beside the digital baseline.

    Example: rramlab sample --kind sde --runs 2000

    Example: rramlab sample --weights mine.safetensors --run runs/mine

    Example: rramlab sample --after runs/mine --runs 5000
    """
    from protocols.sample.report import show
    from protocols.sample.request import Request
    from protocols.sample.run import carry_out, plan_of
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = Request(
        weights=None if weights is None else str(weights),
        after=None if after is None else str(after),
        runs=runs,
        kind=kind,  # type: ignore[arg-type]
        tolerance=parse_quantity(tolerance, "S"),
        passes=passes,
        wait=parse_quantity(wait, "s"),
    )
    plan = plan_of("sample", request, run, seed, resume)
    show(ctx.obj, *carry_out(ctx.obj, plan))
