"""The variational autoencoder and the classifier as differentiable functions of their weights."""

import math
from collections.abc import Mapping
from typing import Any, final

import torch
from torch import Tensor
from torch.nn import functional

from rramlab.letters.decoder import Decoder
from rramlab.letters.encoder import Encoder
from rramlab.letters.latents import class_centres
from rramlab.letters.letter_set import SIDE

# Name: (shape, inputs of a neuron, from which the first weights are drawn). Matrices have inputs as rows.
ENCODER = {
    "k1": ((8, 1, 3, 3), 9),
    "c1": ((8,), 9),
    "k2": ((16, 8, 3, 3), 72),
    "c2": ((16,), 72),
    "w3": ((144, 16), 144),
    "b3": ((16,), 144),
    "w_mean": ((16, 2), 16),
    "b_mean": ((2,), 16),
    "w_log_variance": ((16, 2), 16),
    "b_log_variance": ((2,), 16),
}
DECODER = {
    "w1": ((2, 16), 2),
    "b1": ((16,), 2),
    "w2": ((16, 144), 16),
    "b2": ((144,), 16),
    "k1": ((16, 8, 3, 3), 72),
    "c1": ((8,), 72),
    "k2": ((8, 1, 3, 3), 9),
    "c2": ((1,), 9),
}

Weights = dict[str, Tensor]


def first_weights(shapes: Mapping[str, tuple[tuple[int, ...], int]], draw: torch.Generator) -> Weights:
    """Draw weights and biases from U(-1, 1) / sqrt(inputs), ready to be trained."""
    return {
        name: ((2.0 * torch.rand(shape, generator=draw) - 1.0) / math.sqrt(inputs)).requires_grad_()
        for name, (shape, inputs) in shapes.items()
    }


def numbers(weights: Weights) -> dict[str, Any]:
    """Return trained weights as arrays of numpy."""
    return {name: tensor.detach().double().numpy() for name, tensor in weights.items()}


@final
class Autoencoder:
    """Hold the weights of encoder and decoder while they learn."""

    def __init__(self, classes: int, draw: torch.Generator) -> None:
        self.encoder, self.decoder = first_weights(ENCODER, draw), first_weights(DECODER, draw)
        self._centres = torch.from_numpy(class_centres(classes)).float()

    @property
    def weights(self) -> list[Tensor]:
        """Return all that is trained."""
        return [*self.encoder.values(), *self.decoder.values()]

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log variances (n, 2) of images (n, 12, 12)."""
        w = self.encoder
        maps = functional.conv2d(images[:, None], w["k1"], w["c1"], stride=2, padding=1).relu()
        maps = functional.conv2d(maps, w["k2"], w["c2"], stride=2, padding=1).relu()
        hidden = (maps.flatten(1) @ w["w3"] + w["b3"]).relu()
        return hidden @ w["w_mean"] + w["b_mean"], hidden @ w["w_log_variance"] + w["b_log_variance"]

    def decode(self, z: Tensor) -> Tensor:
        """Return what goes into the last sigmoid, (n, 12, 12), for latents z (n, 2)."""
        w = self.decoder
        hidden = (z @ w["w1"] + w["b1"]).relu()
        maps = (hidden @ w["w2"] + w["b2"]).relu().view(-1, 16, 3, 3)
        shape = {"stride": 2, "padding": 1, "output_padding": 1}
        maps = functional.conv_transpose2d(maps, w["k1"], w["c1"], **shape).relu()
        return functional.conv_transpose2d(maps, w["k2"], w["c2"], **shape).view(-1, SIDE, SIDE)

    def loss(self, images: Tensor, labels: Tensor, noise: Tensor, pull: float) -> Tensor:
        """Return (BCE + pull KLD) per letter, both summed; `noise` (n, 2) draws the latents.

        KLD = -1/2 sum(1 + log s^2 - (mean - centre)^2 - s^2), with the centre of the letter's class.
        """
        mean, log_variance = self.encode(images)
        logits = self.decode(mean + torch.exp(0.5 * log_variance) * noise)
        fidelity = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        away = (mean - self._centres[labels]).square()
        divergence = -0.5 * (1.0 + log_variance - away - log_variance.exp()).sum()
        return (fidelity + pull * divergence) / len(images)

    def trained(
        self, classes: tuple[str, ...], source: str, notes: dict[str, str]
    ) -> tuple[Encoder, Decoder]:
        """Return encoder and decoder as plain numbers."""
        encoder, decoder = numbers(self.encoder), numbers(self.decoder)
        return (
            Encoder(**encoder, source=source, metadata=notes),
            Decoder(**decoder, classes=classes, source=source, metadata=notes),
        )
