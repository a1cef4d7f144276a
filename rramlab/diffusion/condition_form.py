"""Two published ways from a class to what it adds to the embedding, in torch: learnt, or drawn once."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from rramlab.diffusion.condition import PROJECTION, TRAINED


class ConditionForm(ABC):
    """Turn parameters that are trained along with the layers into one vector for each class."""

    name: str

    @abstractmethod
    def first(self, draw: torch.Generator) -> list[Tensor]:
        """Draw the parameters that training begins with; none for a fixed form."""

    @abstractmethod
    def table(self, parameters: list[Tensor]) -> Tensor:
        """Return the vectors (classes, n_hidden) that these parameters stand for."""


@final
class TrainedForm(ConditionForm):
    """Send the one-hot class through Linear, GELU and Linear, biases on (code of arXiv 2404.05648)."""

    name = TRAINED

    def __init__(self, classes: int, hidden: int) -> None:
        self._classes, self._hidden = classes, hidden

    def first(self, draw: torch.Generator) -> list[Tensor]:
        """Draw weights and biases, uniform within 1 / sqrt(inputs), as is usual for such layers."""
        n, m = self._classes, self._hidden
        shapes = ((n, m), n), ((m,), n), ((m, m), m), ((m,), m)
        return [(2.0 * torch.rand(shape, generator=draw) - 1.0) / fan**0.5 for shape, fan in shapes]

    def table(self, parameters: list[Tensor]) -> Tensor:
        """Return the output for each one-hot class: a row of the first layer is that of a class."""
        first, bias_1, second, bias_2 = parameters
        return torch.nn.functional.gelu(first + bias_1) @ second + bias_2


@final
class ProjectionForm(ConditionForm):
    """Project the one-hot class by a fixed random matrix N(0, scale^2) (text of arXiv 2404.05648)."""

    name = PROJECTION

    def __init__(self, classes: int, hidden: int, draw: torch.Generator, scale: float = 1.0) -> None:
        self._table = scale * torch.randn(classes, hidden, generator=draw)

    def first(self, draw: torch.Generator) -> list[Tensor]:
        """Return no parameters: nothing of this form is trained."""
        return []

    def table(self, parameters: list[Tensor]) -> Tensor:
        """Return the rows of the matrix."""
        return self._table


def form_of(name: str, classes: int, hidden: int, draw: torch.Generator) -> ConditionForm:
    """Return the form of this name."""
    if name == PROJECTION:
        return ProjectionForm(classes, hidden, draw)
    return TrainedForm(classes, hidden)
