"""Settings of the training on letters."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np


@final
@dataclass(frozen=True)
class LetterSettings:
    """Hold how the autoencoder and the classifier are trained; the usual values are the published ones.

    Loss of the autoencoder: binary cross entropy + `pull` times the divergence from N(centre, 1), per letter;
    Adam with rate `rate`, `batch` letters a step, `epochs` times through the set. The classifier has
    `hidden` neurons and sees each letter `judge_epochs` times, moved by up to a pixel and with noise of
    deviation `judge_noise` on its pixels, so that it judges by the shape.
    """

    seed: int = 1
    epochs: int = 20
    batch: int = 64
    rate: float = 1e-3
    pull: float = 3.0
    hidden: int = 64
    judge_epochs: int = 15
    judge_batch: int = 128
    judge_rate: float = 2e-3
    judge_noise: float = 0.05

    def __post_init__(self) -> None:
        """Refuse numbers that no training can use, with the range that it can."""
        counts = ("epochs", "batch", "hidden", "judge_epochs", "judge_batch")
        rules = [(name, getattr(self, name) >= 1, "at least 1") for name in counts]
        rules += [(name, 0.0 < getattr(self, name) < np.inf, "finite and above 0") for name in _RATES]
        rules += [(name, 0.0 <= getattr(self, name) < np.inf, "finite and at least 0") for name in _SHARES]
        for name, good, possible in rules:
            if not good:
                raise ValueError(f"{name}={getattr(self, name)!r} was asked for; possible is {possible}")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain numbers, as they are stored with the weights."""
        return asdict(self)


_RATES = ("rate", "judge_rate")
_SHARES = ("seed", "pull", "judge_noise")
