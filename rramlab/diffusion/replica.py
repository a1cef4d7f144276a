"""Programmed copies of a network in torch: many sets of weights with errors, evaluated together."""

from copy import copy
from typing import Self, final

import torch
from torch import Tensor

from rramlab.diffusion.settings import TrainSettings

GAIN = 5.0


@final
class Replicas:
    """Hold `replicas` copies of one network, each with its own programming errors, for one training step.

    `table` (classes, 14) is what each class adds to the embedding; it comes from converters, so it is the
    same for all copies. None belongs to a network without classes.
    """

    def __init__(
        self,
        layers: list[Tensor],
        settings: TrainSettings,
        draw: torch.Generator,
        table: Tensor | None = None,
    ) -> None:
        self.table = table
        pairs = zip(layers, settings.reach, strict=True)
        self.layers = [disturbed(w, reach, settings, draw) for w, reach in pairs]
        self._limit = settings.activation_limit

    def __call__(self, x: Tensor, embedding: Tensor, clamp: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the score (replicas, n, 2) at x (replicas, n, 2), and the mean excess of activations.

        The embedding (replicas, n or 1, 14) is added to both hidden pre-activations; `clamp`, when given,
        bounds the activations of each replica.
        """
        first = torch.relu(torch.baddbmm(embedding, x, self.layers[0]))
        first = first if clamp is None else torch.minimum(first, clamp)
        second = torch.relu(torch.baddbmm(embedding, first, self.layers[1]))
        second = second if clamp is None else torch.minimum(second, clamp)
        excess = torch.relu(first - self._limit).mean() + torch.relu(second - self._limit).mean()
        return GAIN * torch.bmm(second, self.layers[2]), excess

    def each(self, groups: int) -> Self:
        """Return every copy `groups` times in a row, with the same errors: one for each class."""
        if groups == 1:
            return self
        several = copy(self)
        several.layers = [layer.repeat_interleave(groups, dim=0) for layer in self.layers]
        return several


def disturbed(weights: Tensor, reach: float, settings: TrainSettings, draw: torch.Generator) -> Tensor:
    """Return `replicas` disturbed copies (replicas, rows, columns) of one layer; gradients pass through.

    Errors: one of each cell and one of each row's reference, both as shares of the reach, and when it is
    asked for the published relative noise, whose values beyond the limit are drawn again uniformly inside.
    """
    shape = (settings.replicas, *weights.shape)
    cell = torch.randn(shape, generator=draw) * (settings.write_noise * reach)
    row = torch.randn((*shape[:2], 1), generator=draw) * (settings.reference_noise * reach)
    if not settings.relative_noise:
        return weights + cell + row
    relative = torch.randn(shape, generator=draw) * settings.relative_noise
    inside = (2.0 * torch.rand(shape, generator=draw) - 1.0) * settings.noise_limit
    return (
        weights * (1.0 + torch.where(relative.abs() >= settings.noise_limit, inside, relative)) + cell + row
    )
