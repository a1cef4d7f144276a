"""Draw letters in closed loop, class by class: the command."""

from pathlib import Path
from typing import Annotated

import typer


def letters(
    ctx: typer.Context,
    classes: Annotated[
        str, typer.Option(help="Classes to draw, separated by commas; all of the network if left out.")
    ] = "",
    samples: Annotated[int, typer.Option(help="Closed-loop runs of each class.")] = 500,
    kind: Annotated[str, typer.Option(help="ode or sde.")] = "ode",
    weights: Annotated[
        Path | None, typer.Option(help="Conditional network (.safetensors); that of H, K, U if left out.")
    ] = None,
    letters_folder: Annotated[
        Path | None,
        typer.Option(
            "--letters", help="Folder that `rramlab train letters` left; the drawn H, K, U if left out."
        ),
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/letters if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[
        Path | None, typer.Option(help="Take the macro as a run of letters left it; do not program.")
    ] = None,
    tolerance: Annotated[str, typer.Option(help="Largest error while programming.")] = "1uS",
    passes: Annotated[int, typer.Option(help="Passes of programming.")] = 3,
    wait: Annotated[str, typer.Option(help="Time between passes.")] = "60s",
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Program a conditional network, draw each class in closed loop, and decode what came out into letters.

    All classes begin at the same start states; the class alone decides what becomes of them.

    Example: rramlab letters

    Example: rramlab letters --classes K,U --samples 200 --kind sde

    Example: rramlab letters --after runs/letters --samples 2000
    """
    from protocols.letters.report import show
    from protocols.letters.request import LettersRequest, parse_classes
    from protocols.letters.run import carry_out, plan_of
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = LettersRequest(
        weights=None if weights is None else str(weights),
        after=None if after is None else str(after),
        letters=None if letters_folder is None else str(letters_folder),
        classes=parse_classes(classes),
        samples=samples,
        kind=kind,  # type: ignore[arg-type]
        tolerance=parse_quantity(tolerance, "S"),
        passes=passes,
        wait=parse_quantity(wait, "s"),
    )
    show(ctx.obj, *carry_out(ctx.obj, plan_of(request, run, seed, resume)))
