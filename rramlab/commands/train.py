"""Train networks for this hardware."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramlab.commands.train_letters import letters
from rramlab.errors import InputError
from rramlab.session import MOST_SEED

if TYPE_CHECKING:  # loaded by the commands that train, not by --help
    from rramlab.diffusion.network import ScoreWeights
    from rramlab.diffusion.settings import TrainCurve, TrainSettings
    from rramlab.letters.latents import Latents
    from rramlab.terminal import Terminal

LEAST_STEPS = 4
"""Steps that the course of the learning rate can be laid over."""

train = typer.Typer(
    help="Train networks for this hardware.\n\nExample: rramlab train ring",
    no_args_is_help=True,
    add_completion=False,
)


@train.callback()
def group() -> None:
    """Train networks for this hardware."""


train.command()(letters)


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
    aware: Annotated[
        bool, typer.Option("--aware/--unaware", help="Disturb the weights in training, as writing will.")
    ] = True,
) -> None:
    """Train the 2-14-14-2 score network on points of a ring, aware of the noise of programmed weights.

    Beside the weights (.safetensors) it leaves the training curve (.png). The network that ships with rramlab
    came from this command with its default options, the one that noise is compared with from --unaware.

    Example: rramlab train ring --out mine.safetensors
    """
    from dataclasses import replace

    from rramlab.diffusion.settings import TrainSettings
    from rramlab.diffusion.train import train_ring

    _check(out, seed, steps)
    try:
        usual = TrainSettings() if aware else replace(TrainSettings(), write_noise=0.0, reference_noise=0.0)
        settings = _changed(usual, seed, steps)
    except ValueError as error:
        raise InputError(str(error)) from None
    with ctx.obj.terminal.progress() as progress:
        weights, curve = train_ring(settings, lambda step, total, _: progress.update("training", step, total))
    _leave(ctx.obj.terminal, out, weights, curve, "rramlab sample")


@train.command()
def latent(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Where to write the weights.")] = Path("letters.safetensors"),
    letters: Annotated[
        Path | None,
        typer.Option(help="Folder that `rramlab train letters` left; the drawn H, K, U if left out."),
    ] = None,
    form: Annotated[
        str, typer.Option(help="What a class adds to the embedding: trained, or a random projection.")
    ] = "trained",
    dropout: Annotated[float, typer.Option(help="Share of points that pass as of no class.")] = 0.1,
    scale: Annotated[float, typer.Option(help="Factor on the noise rates in sampling.")] = 1.5,
    seed: Annotated[
        int | None, typer.Option(help="Seed of weights and noise; that of the shipped network if left out.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps of score matching; the settings' own if left out.")
    ] = None,
) -> None:
    """Train the conditional 2-14-14-2 score network on latent points, aware of the noise of weights.

    Beside the weights (.safetensors) it leaves the training curve (.png). The network of the letters H, K, U
    that ships with rramlab came from this command with its default options.

    Example: rramlab train latent --out mine.safetensors

    Example: rramlab train latent --letters mine --form projection --out mine/score.safetensors
    """
    from rramlab.diffusion.train_latent import LatentSettings, train_latent

    _check(out, seed, steps)
    latents = _latents(letters)
    usual = LatentSettings()
    try:
        settings = LatentSettings(
            form=form,  # type: ignore[arg-type]
            dropout=dropout,
            scale=scale,
            train=_changed(usual.train, seed, steps),
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    with ctx.obj.terminal.progress() as progress:
        weights, curve = train_latent(
            latents, settings, lambda step, total, _: progress.update("training", step, total)
        )
    then = "rramlab letters" if letters is None else f"rramlab letters --letters {letters}"
    _leave(ctx.obj.terminal, out, weights, curve, then)


def _latents(folder: Path | None) -> "Latents":
    """Return the latents in a folder, or those of the drawn letters that ship with the package."""
    from rramlab.letters.latents import Latents
    from rramlab.letters.shipped import LATENTS, check_folder, drawn_latents

    return drawn_latents() if folder is None else Latents.load(check_folder(folder) / LATENTS)


def _changed(usual: "TrainSettings", seed: int | None, steps: int | None) -> "TrainSettings":
    """Return the settings with the seed and the steps that were asked for."""
    from dataclasses import replace

    return replace(
        usual,
        seed=usual.seed if seed is None else seed,
        match_steps=usual.match_steps if steps is None else steps,
    )


def _leave(terminal: "Terminal", out: Path, weights: "ScoreWeights", curve: "TrainCurve", then: str) -> None:
    """Write weights and training curve, and say where they are."""
    from rramlab.diffusion.store import save_weights
    from rramlab.figures.quality import training_curve
    from rramlab.figures.style import png

    save_weights(weights, out)
    picture = out.with_suffix(".png")
    picture.write_bytes(png(training_curve(curve.step, curve.loss)))
    terminal.say(f"weights: {out}   training curve: {picture}   next: {then} --weights {out}")
    terminal.document({"weights": str(out), "curve": str(picture), "metadata": weights.metadata})


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
