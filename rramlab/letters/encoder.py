"""The encoder as plain numbers: from images of letters to points in the plane, with their uncertainty."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.letters import layers
from rramlab.letters.latents import SCALE, Latents
from rramlab.letters.letter_set import SIDE, LetterSet

FloatArray = NDArray[np.float64]

_SHAPES: dict[str, tuple[int, ...]] = {
    "k1": (8, 1, 3, 3),
    "c1": (8,),
    "k2": (16, 8, 3, 3),
    "c2": (16,),
    "w3": (144, 16),
    "b3": (16,),
    "w_mean": (16, 2),
    "b_mean": (2,),
    "w_log_variance": (16, 2),
    "b_log_variance": (2,),
}


@final
@dataclass(frozen=True, eq=False)
class Encoder:
    """Hold one trained encoder (arXiv 2404.05648): convolutions 1-8-16, fully connected 144-16-(2, 2).

    Kernels `k1` (8, 1, 3, 3) and `k2` (16, 8, 3, 3) with stride 2 and padding 1; `w3` (144, 16), `w_mean` and
    `w_log_variance` (16, 2), inputs are rows. ReLU after the first three layers.
    """

    k1: FloatArray
    c1: FloatArray
    k2: FloatArray
    c2: FloatArray
    w3: FloatArray
    b3: FloatArray
    w_mean: FloatArray
    b_mean: FloatArray
    w_log_variance: FloatArray
    b_log_variance: FloatArray
    source: str
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse shapes that this encoder cannot have."""
        for name, shape in _SHAPES.items():
            object.__setattr__(self, name, layers.frozen(name, getattr(self, name), shape))

    def encode(self, images: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the means (n, 2) and the log variances (n, 2), in latent units, of images (n, 12, 12)."""
        maps = layers.frozen("images", images, (None, SIDE, SIDE))[:, None]
        for kernel, bias in ((self.k1, self.c1), (self.k2, self.c2)):
            rows = layers.patches(maps) @ kernel.reshape(len(kernel), -1).T
            maps = layers.relu(rows + bias).transpose(0, 3, 1, 2)
        hidden = layers.relu(maps.reshape(len(maps), -1) @ self.w3 + self.b3)
        mean = hidden @ self.w_mean + self.b_mean
        return mean, hidden @ self.w_log_variance + self.b_log_variance

    def latents(self, letters: LetterSet, rng: np.random.Generator) -> Latents:
        """Draw one latent for each letter from what the encoder makes of it, in network units."""
        mean, log_variance = self.encode(letters.images)
        z = mean + np.exp(0.5 * log_variance) * rng.standard_normal(mean.shape)
        return Latents(z / SCALE, letters.labels, letters.classes, letters.source)
