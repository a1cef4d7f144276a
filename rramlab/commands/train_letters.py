"""Train the networks of letters: autoencoder, classifier, and the latents for a conditional network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rramlab.commands.letter_source import DRAWN, letter_sets
from rramlab.errors import InputError
from rramlab.session import MOST_SEED

if TYPE_CHECKING:  # loaded by the command, not by --help
    from rramlab.letters.letter_set import LetterSet
    from rramlab.letters.settings import LetterSettings
    from rramlab.letters.trained import TrainedLetters
    from rramlab.terminal import Terminal

MOST_APART = 6
"""Classes on the circle of centres that stay four deviations apart."""
FEWEST_DRAWN, MOST_DRAWN = 10, 100_000
EXTENT, GRID = 1.0, 13
"""Network units and letters to a side of the picture of the plane."""


def letters(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="New folder for networks, latents and picture.")] = Path(
        "letters"
    ),
    classes: Annotated[str, typer.Option(help="Classes of letters, with commas between.")] = "H,K,U",
    emnist: Annotated[
        Path | None, typer.Option(help="Folder with the files of EMNIST; drawn letters if left out.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="Set of EMNIST: by-class, or letters (both cases in one class).")
    ] = "by-class",
    download: Annotated[
        bool, typer.Option("--download", help="Fetch EMNIST (536 MB) into --emnist or this user's cache.")
    ] = False,
    per_class: Annotated[int, typer.Option(help="Letters of each class to draw.")] = DRAWN,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of letters, weights and noise; that of the shipped ones if left out."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Times through the set; the published number if left out.")
    ] = None,
) -> None:
    """Train autoencoder 144-2-144 and classifier on letters; leave latents for `rramlab train latent`.

    Without EMNIST the letters are drawn: strokes that a hand has bent, and every output says so. The networks
    that ship with rramlab came from this command with its default options.

    Example: rramlab train letters --out mine

    Example: rramlab train letters --classes A,B,C --emnist emnist --out abc
    """
    from rramlab.letters.train import train_letters

    settings = _settings(seed, epochs)
    _check(out, per_class)
    command = _command(classes, split if emnist or download else None, per_class, seed, epochs)
    training, trial = letter_sets(
        ctx.obj.terminal, classes, emnist, split, download, per_class, settings.seed
    )
    if len(training.classes) > MOST_APART:
        ctx.obj.terminal.say(
            f"more than {MOST_APART} classes overlap in the plane; some letters will come back as neighbours"
        )
    with ctx.obj.terminal.progress() as progress:
        trained = train_letters(training, trial, settings, progress.update, command)
    _leave(ctx.obj.terminal, out, trained, trial)


def _settings(seed: int | None, epochs: int | None) -> "LetterSettings":
    from dataclasses import replace

    from rramlab.letters.settings import LetterSettings

    if seed is not None and not 0 <= seed <= MOST_SEED:
        raise InputError(f"--seed {seed} is not possible; give a whole number from 0 to {MOST_SEED}")
    usual = LetterSettings()
    changed: dict[str, Any] = {"seed": usual.seed if seed is None else seed}
    changed |= {} if epochs is None else {"epochs": epochs, "judge_epochs": epochs}
    try:
        return replace(usual, **changed)
    except ValueError as error:
        raise InputError(f"--epochs is not possible: {error}") from None


def _check(out: Path, per_class: int) -> None:
    """Refuse, before the training, what would lose its fruit at the end."""
    if not FEWEST_DRAWN <= per_class <= MOST_DRAWN:
        raise InputError(f"--per-class {per_class} is not possible; give {FEWEST_DRAWN} to {MOST_DRAWN}")
    wrong = f"{out} cannot be written: name a new folder in one that exists"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(wrong)
    try:
        if not out.exists():
            out.mkdir()
            out.rmdir()
    except OSError:
        raise InputError(wrong) from None


def _command(classes: str, split: str | None, per_class: int, seed: int | None, epochs: int | None) -> str:
    """Return the command that trains these networks again."""
    words = ["rramlab train letters"]
    words += [f"--classes {classes}"] if classes != "H,K,U" else []
    words += [f"--emnist FOLDER --split {split}"] if split else []
    words += [f"--per-class {per_class}"] if per_class != DRAWN and not split else []
    words += [
        f"--{name} {value}" for name, value in (("seed", seed), ("epochs", epochs)) if value is not None
    ]
    return " ".join(words)


def _leave(terminal: "Terminal", out: Path, trained: "TrainedLetters", trial: "LetterSet") -> None:
    """Write networks, latents and picture, and say where they are and what they can do."""
    from rramlab.letters.shipped import PICTURE

    out.mkdir(exist_ok=True)
    trained.save(out)
    (out / PICTURE).write_bytes(_picture(trained, trial))
    source, counts = trained.latents.source, ", ".join(f"{n} {c}" for c, n in _counts(trained).items())
    terminal.say(
        f"letters ({source}): {counts}; loss {trained.loss:.1f} nat; recognised of {len(trial)} held out: "
        f"{100 * trained.accuracy:.2f} %, after encoder and decoder {100 * trained.rebuilt:.2f} %"
    )
    terminal.say(f"networks, latents and {PICTURE}: {out}   next: rramlab train latent --letters {out}")
    facts: dict[str, Any] = {
        "folder": str(out),
        "source": source,
        "letters": _counts(trained),
        "held_out": trial.counts,
    }
    facts |= {"loss": trained.loss, "accuracy": trained.accuracy, "rebuilt": trained.rebuilt}
    terminal.document(facts | {"metadata": trained.decoder.metadata})


def _counts(trained: "TrainedLetters") -> dict[str, int]:
    return {name: len(trained.latents.of_class(name)) for name in trained.latents.classes}


def _picture(trained: "TrainedLetters", trial: "LetterSet") -> bytes:
    """Return the picture of letters, what came back, latents and plane."""
    import numpy as np

    from rramlab.figures.letter_training import letter_training
    from rramlab.figures.style import png
    from rramlab.letters.trained import rebuilt

    decoder, latents = trained.decoder, trained.latents
    shown = {name: trial.of_class(name)[:24] for name in trial.classes}
    back = {name: rebuilt(trained.encoder, decoder, images) for name, images in shown.items()}
    points = {name: latents.of_class(name) for name in latents.classes}
    axis = EXTENT * (2.0 * np.arange(GRID) + 1.0 - GRID) / GRID
    grid = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1).reshape(-1, 2)
    figure = letter_training(shown, back, points, decoder.decode(grid), extent=EXTENT, source=latents.source)
    return png(figure)
