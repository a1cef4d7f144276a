"""Decode letters on resistive memory: the command."""

from pathlib import Path
from typing import Annotated

import typer


def decode(
    ctx: typer.Context,
    latents: Annotated[
        Path | None,
        typer.Option(help="Run of `rramlab letters` whose samples to decode; training latents if left out."),
    ] = None,
    classes: Annotated[
        str, typer.Option(help="Classes to decode, separated by commas; all if left out.")
    ] = "",
    samples: Annotated[int, typer.Option(help="Letters of each class.")] = 100,
    copies: Annotated[int, typer.Option(help="Copies of each weight, where the macros hold them.")] = 2,
    letters_folder: Annotated[
        Path | None,
        typer.Option(
            "--letters", help="Folder that `rramlab train letters` left; the drawn H, K, U if left out."
        ),
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/decode if left out.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue a run that was cut off.")] = None,
    after: Annotated[
        Path | None, typer.Option(help="Take the macros as a run of decode left them; do not program.")
    ] = None,
    tolerance: Annotated[str, typer.Option(help="Largest error while programming.")] = "1uS",
    passes: Annotated[int, typer.Option(help="Passes of programming.")] = 3,
    wait: Annotated[str, typer.Option(help="Time between passes.")] = "60s",
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
) -> None:
    """Program the decoder into macros and decode points of the plane into letters, beside a digital decoder.

    It takes 5 macros of 32 x 32, and 10 for two copies of each weight: set `macros` in the bench file.

    Example: rramlab --bench ten.toml decode

    Example: rramlab --bench ten.toml decode --latents runs/letters --samples 500

    Example: rramlab --bench ten.toml decode --after runs/decode --classes K --samples 1000
    """
    from protocols.decoder.report import show
    from protocols.decoder.request import DecodeRequest
    from protocols.decoder.run import carry_out, plan_of
    from protocols.letters.request import parse_classes
    from rramlab.quantity import parse_quantity
    from rramlab.session import refuse_new_options

    if resume is not None:
        refuse_new_options(ctx)
    request = DecodeRequest(
        letters=None if letters_folder is None else str(letters_folder),
        latents=None if latents is None else str(latents),
        after=None if after is None else str(after),
        classes=parse_classes(classes),
        samples=samples,
        copies=copies,
        tolerance=parse_quantity(tolerance, "S"),
        passes=passes,
        wait=parse_quantity(wait, "s"),
    )
    show(ctx.obj, *carry_out(ctx.obj, plan_of(request, run, seed, resume)))
