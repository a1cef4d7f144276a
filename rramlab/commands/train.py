"""Train score networks for this hardware."""

from pathlib import Path
from typing import Annotated

import typer

from rramlab.errors import InputError
from rramlab.session import MOST_SEED

LEAST_STEPS = 4
"""Steps that the course of the learning rate can be laid over."""

train = typer.Typer(
    help="Train score networks for this hardware.\n\nExample: rramlab train ring",
    no_args_is_help=True,
    add_completion=False,
)


@train.callback()
def group() -> None:
    """Train score networks for this hardware."""


@train.command()
def ring(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Where to write the weights.")] = Path("ring.safetensors"),
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of data, weights and noise; that of the shipped network if left out."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps of score matching; the settings' own if left out.")
    ] = None,
) -> None:
    """Train the 2-14-14-2 score network on points of a ring, aware of the noise of programmed weights.

    Beside the weights (.safetensors) it leaves the training curve (.png). The network that ships with rramlab
    came from this command with its default options.

    Example: rramlab train ring --out mine.safetensors
    """
    from dataclasses import replace

    from rramlab.diffusion.settings import TrainSettings
    from rramlab.diffusion.store import save_weights
    from rramlab.diffusion.train import train_ring
    from rramlab.figures.quality import training_curve
    from rramlab.figures.style import png

    _check(out, seed, steps)
    try:
        usual = TrainSettings()
        settings = replace(
            usual,
            seed=usual.seed if seed is None else seed,
            match_steps=usual.match_steps if steps is None else steps,
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    with ctx.obj.terminal.progress() as progress:
        weights, curve = train_ring(settings, lambda step, total, _: progress.update("training", step, total))
    save_weights(weights, out)
    picture = out.with_suffix(".png")
    picture.write_bytes(png(training_curve(curve.step, curve.loss)))
    ctx.obj.terminal.say(f"weights: {out}   training curve: {picture}   next: rramlab sample --weights {out}")
    ctx.obj.terminal.document({"weights": str(out), "curve": str(picture), "metadata": weights.metadata})


def _check(out: Path, seed: int | None, steps: int | None) -> None:
    """Refuse, before the minutes of training, what would lose its fruit at the end."""
    if seed is not None and not 0 <= seed <= MOST_SEED:
        raise InputError(f"--seed {seed} is not possible; give a whole number from 0 to {MOST_SEED}")
    if steps is not None and steps < LEAST_STEPS:
        raise InputError(f"--steps {steps} is not possible; give at least {LEAST_STEPS}")
    wrong = f"{out} cannot be written: name a new .safetensors file in a folder that exists"
    if out.suffix != ".safetensors" or not out.parent.is_dir() or out.exists():
        raise InputError(wrong)
    try:
        out.touch(exist_ok=False)
        out.unlink()
    except OSError:
        raise InputError(wrong) from None
