"""Measure the networks of letters: recognised letters, what comes back, and numpy against torch.

Give `--train` to train them first with each of three seeds instead of taking those that ship, and to time it.
Give `--real FILE`, an .npz file with images (n, 28, 28), upright, labels (n,) 0 H, 1 K, 2 U and, if training
on it is wanted, split (n,) 0 train, 1 test, to measure on real handwriting too.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch.nn import functional

from rramlab.letters import (
    Decoder,
    LetterSet,
    draw_letters,
    drawn_latents,
    letter_classifier,
    letter_decoder,
    letter_encoder,
)
from rramlab.letters.archive import load_archive
from rramlab.letters.settings import LetterSettings
from rramlab.letters.train import train_letters
from rramlab.letters.trained import TrainedLetters, rebuilt

FRESH = draw_letters("HKU", 2000, np.random.default_rng(12345))
REAL_EPOCHS = 200
"""So that the published number of steps is made on a set of a tenth."""


def main() -> None:
    for name, trained in networks():
        print(name)
        row("6000 fresh drawn letters recognised (%)", ">= 99", 100 * trained.classifier.accuracy_on(FRESH))
        back = rebuilt(trained.encoder, trained.decoder, FRESH.images)
        row(
            "recognised after encoder and decoder (%)",
            "",
            100 * trained.classifier.accuracy(back, FRESH.labels),
        )
        row("error of a pixel that came back (rms)", "", float(np.sqrt(np.mean((back - FRESH.images) ** 2))))
        spread = np.concatenate([FRESH.of_class(c) - FRESH.of_class(c).mean(axis=0) for c in "HKU"]).std()
        row("error of the mean letter of the class (rms)", "", float(spread))
        x, labels = trained.latents.x, trained.latents.labels
        row(
            "latents decoded into their class (%)",
            "",
            100 * trained.classifier.accuracy(trained.decoder.decode(x), labels),
        )
        row("decoder, numpy against torch (largest)", "<= 1e-5", apart(trained.decoder, x))
        if (real := real_letters()) is not None:
            row(f"{len(real)} real letters recognised (%)", "", 100 * trained.classifier.accuracy_on(real))
    real_training()


def row(what: str, goal: str, value: float) -> None:
    print(f"  {what:<46} {goal:>8} {value:>10.4g}")


def networks() -> Iterator[tuple[str, TrainedLetters]]:
    """Give the networks to measure, with their names."""
    if "--train" not in sys.argv:
        parts = letter_encoder(), letter_decoder(), letter_classifier(), drawn_latents()
        nan = float("nan")
        yield "the networks that ship", TrainedLetters(*parts, nan, nan, nan)
        return
    for seed in (1, 2, 3):
        begun, rng = perf_counter(), np.random.default_rng(seed)
        sets = draw_letters("HKU", 6000, rng), draw_letters("HKU", 1000, rng)
        trained = train_letters(*sets, replace(LetterSettings(), seed=seed))
        yield f"seed {seed}, drawn and trained in {perf_counter() - begun:.0f} s (goal <= 180)", trained


def apart(decoder: Decoder, x: np.ndarray) -> float:
    """Return the largest difference of a pixel between the decoder here and in torch."""
    w = {name: torch.from_numpy(getattr(decoder, name).copy()).float() for name in ("w1", "b1", "w2", "b2")}
    k = {name: torch.from_numpy(getattr(decoder, name).copy()).float() for name in ("k1", "c1", "k2", "c2")}
    hidden = (decoder.scale * torch.from_numpy(x.copy()).float() @ w["w1"] + w["b1"]).relu()
    maps = (hidden @ w["w2"] + w["b2"]).relu().view(-1, 16, 3, 3)
    shape = {"stride": 2, "padding": 1, "output_padding": 1}
    maps = functional.conv_transpose2d(maps, k["k1"], k["c1"], **shape).relu()
    images = functional.conv_transpose2d(maps, k["k2"], k["c2"], **shape).sigmoid()[:, 0].numpy()
    return float(np.abs(images - decoder.decode(x)).max())


def real_path() -> Path | None:
    return Path(sys.argv[sys.argv.index("--real") + 1]) if "--real" in sys.argv else None


def real_letters() -> LetterSet | None:
    path = real_path()
    return None if path is None else load_archive(path, source="real")


def real_training() -> None:
    """Train on the real letters, try those held out, and let their classifier judge the drawn decoder."""
    real, path = real_letters(), real_path()
    if real is None or path is None or "split" not in np.load(path):
        return
    split = np.load(path)["split"]
    settings = LetterSettings(epochs=REAL_EPOCHS, judge_epochs=60)
    trained = train_letters(real.take(split == 0), real.take(split == 1), settings)
    print(f"trained on {np.count_nonzero(split == 0)} real letters, {np.count_nonzero(split == 1)} held out")
    row("loss of the autoencoder (nat per letter)", "", trained.loss)
    row("held-out letters recognised (%)", "", 100 * trained.accuracy)
    row("recognised after encoder and decoder (%)", "", 100 * trained.rebuilt)
    latents = drawn_latents()
    images = letter_decoder().decode(latents.x)
    row(
        "shipped latents decoded, taken for their class (%)",
        "",
        100 * trained.classifier.accuracy(images, latents.labels),
    )


if __name__ == "__main__":
    main()
