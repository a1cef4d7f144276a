"""Train the autoencoder of letters, and the classifier that judges what comes out of it."""

import json
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rramlab.diffusion.threads import one_thread
from rramlab.letters.autoencoder import Autoencoder, Weights, first_weights, numbers
from rramlab.letters.classifier import Classifier
from rramlab.letters.decoder import Decoder
from rramlab.letters.encoder import Encoder
from rramlab.letters.letter_set import SIDE, LetterSet
from rramlab.letters.settings import LetterSettings
from rramlab.letters.trained import TrainedLetters, rebuilt

Progress = Callable[[str, int, int], None]


def train_letters(
    letters: LetterSet,
    held_out: LetterSet,
    settings: LetterSettings | None = None,
    progress: Progress | None = None,
    command: str = "rramlab.letters.train",
) -> TrainedLetters:
    """Train autoencoder and classifier on one set of letters and try them on another one.

    `progress`, when given, is called with (what, epoch, epochs). The same sets and settings give the same
    weights to the bit on one machine.
    """
    settings, progress = settings or LetterSettings(), progress or (lambda *_: None)
    notes = {"command": command, "letters": str(len(letters)), "settings": json.dumps(settings.to_dict())}
    with one_thread():
        encoder, decoder, loss = train_autoencoder(letters, settings, progress, notes)
        classifier = train_classifier(letters, held_out, settings, progress, notes)
    return TrainedLetters(
        encoder,
        decoder,
        classifier,
        encoder.latents(letters, np.random.default_rng(settings.seed)),
        loss,
        classifier.accuracy_on(held_out),
        classifier.accuracy(rebuilt(encoder, decoder, held_out.images), held_out.labels),
    )


def train_autoencoder(
    letters: LetterSet, settings: LetterSettings, progress: Progress, notes: dict[str, str]
) -> tuple[Encoder, Decoder, float]:
    """Train encoder and decoder as published and return them with the loss of the last epoch."""
    draw = torch.Generator().manual_seed(settings.seed)
    model = Autoencoder(len(letters.classes), draw)
    images, labels = _tensors(letters)
    adam = torch.optim.Adam(model.weights, lr=settings.rate)
    loss = float("nan")
    for epoch in range(settings.epochs):
        total = 0.0
        for chosen in _batches(len(labels), settings.batch, draw):
            noise = torch.randn(len(chosen), 2, generator=draw)
            now = model.loss(images[chosen], labels[chosen], noise, settings.pull)
            _step(adam, now)
            total += now.item() * len(chosen)
        loss = total / len(labels)
        progress("autoencoder", epoch + 1, settings.epochs)
    notes = notes | {"loss": f"{loss:.6g}"}
    return *model.trained(letters.classes, letters.source, notes), loss


def train_classifier(
    letters: LetterSet,
    held_out: LetterSet,
    settings: LetterSettings,
    progress: Progress,
    notes: dict[str, str],
) -> Classifier:
    """Train the classifier on images of letters, and note its share of right answers on those held out."""
    draw = torch.Generator().manual_seed(settings.seed + 1)
    weights = first_weights(_judge_shapes(settings.hidden, len(letters.classes)), draw)
    images, labels = _tensors(letters)
    adam = torch.optim.Adam(list(weights.values()), lr=settings.judge_rate)
    for epoch in range(settings.judge_epochs):
        for chosen in _batches(len(labels), settings.judge_batch, draw):
            seen = _shaken(images[chosen], settings.judge_noise, draw)
            _step(adam, functional.cross_entropy(_logits(weights, seen), labels[chosen]))
        progress("classifier", epoch + 1, settings.judge_epochs)
    arrays = numbers(weights)
    judge = Classifier(**arrays, classes=letters.classes, source=letters.source)
    return Classifier(
        **arrays,
        classes=letters.classes,
        source=letters.source,
        metadata=notes | {"held_out": str(len(held_out)), "accuracy": f"{judge.accuracy_on(held_out):.6g}"},
    )


def _judge_shapes(hidden: int, classes: int) -> dict[str, tuple[tuple[int, ...], int]]:
    pixels = SIDE * SIDE
    return {
        "w1": ((pixels, hidden), pixels),
        "b1": ((hidden,), pixels),
        "w2": ((hidden, classes), hidden),
        "b2": ((classes,), hidden),
    }


def _tensors(letters: LetterSet) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(letters.images.astype(np.float32)), torch.from_numpy(letters.labels.copy())


def _batches(count: int, batch: int, draw: torch.Generator) -> Iterator[Tensor]:
    """Give the indices of a set in batches, once through in a new order."""
    yield from torch.split(torch.randperm(count, generator=draw), batch)


def _step(adam: torch.optim.Adam, loss: Tensor) -> None:
    adam.zero_grad()
    torch.autograd.backward(loss)
    adam.step()


def _logits(weights: Weights, images: Tensor) -> Tensor:
    hidden = (images.flatten(1) @ weights["w1"] + weights["b1"]).relu()
    return hidden @ weights["w2"] + weights["b2"]


def _shaken(images: Tensor, noise: float, draw: torch.Generator) -> Tensor:
    """Return the images moved together by up to a pixel each way, with noise on the pixels, within 0..1."""
    down, across = torch.randint(3, (2,), generator=draw).tolist()
    moved = functional.pad(images, (1, 1, 1, 1))[:, down : down + SIDE, across : across + SIDE]
    return (moved + noise * torch.randn(moved.shape, generator=draw)).clamp(0.0, 1.0)
