"""The decoder 2-16-144 and 16-8-1 as plain numbers: from points in the plane to images of letters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.letters import layers
from rramlab.letters.latents import SCALE

FloatArray = NDArray[np.float64]
Product = Callable[[str, FloatArray], FloatArray]
"""Multiply rows (m, inputs) by the matrix of the layer of this name, to rows (m, outputs)."""

LAYERS = ("fc1", "fc2", "up1", "up2")
_SHAPES: dict[str, tuple[int, ...]] = {
    "w1": (2, 16),
    "b1": (16,),
    "w2": (16, 144),
    "b2": (144,),
    "k1": (16, 8, 3, 3),
    "c1": (8,),
    "k2": (8, 1, 3, 3),
    "c2": (1,),
}


@final
@dataclass(frozen=True, eq=False)
class Decoder:
    """Hold one trained decoder (arXiv 2404.05648; 3729 numbers) and the classes that it has learnt.

    Fully connected: `w1` (2, 16), `b1`, `w2` (16, 144), `b2`, inputs as rows. Transposed convolutions (stride
    2, padding 1, output padding 1): `k1` (16, 8, 3, 3), `c1`, `k2` (8, 1, 3, 3), `c2`. ReLU after each layer
    but the last, which has a sigmoid. `scale` brings network units to latent units, z = scale x.
    `source` says on what letters it was trained.
    """

    w1: FloatArray
    b1: FloatArray
    w2: FloatArray
    b2: FloatArray
    k1: FloatArray
    c1: FloatArray
    k2: FloatArray
    c2: FloatArray
    classes: tuple[str, ...]
    source: str
    scale: float = SCALE
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse shapes that this decoder cannot have."""
        for name, shape in _SHAPES.items():
            object.__setattr__(self, name, layers.frozen(name, getattr(self, name), shape))
        if not 0.0 < self.scale < float("inf"):
            raise ValueError(f"scale={self.scale!r} was asked for; it must be finite and above 0")

    @property
    def matrices(self) -> dict[str, FloatArray]:
        """Return the matrix of each layer (inputs, outputs): fc1 2x16, fc2 16x144, up1 16x72, up2 8x9.

        A column of up1 or up2 is one output channel at one of the 3 x 3 places of the kernel. The matrix is
        applied to each pixel of the layer's input: 9 pixels in up1, 36 in up2.
        """
        k1, k2 = (kernel.reshape(len(kernel), -1) for kernel in (self.k1, self.k2))
        return {"fc1": self.w1, "fc2": self.w2, "up1": k1, "up2": k2}

    @property
    def biases(self) -> dict[str, FloatArray]:
        """Return the bias of each layer, one for each neuron or output channel."""
        return {"fc1": self.b1, "fc2": self.b2, "up1": self.c1, "up2": self.c2}

    def decode(self, x: ArrayLike, product: Product | None = None) -> FloatArray:
        """Return the images (n, 12, 12) in 0..1 of points x (n, 2) in network units."""
        return self.activations(x, product)["image"]

    def activations(self, x: ArrayLike, product: Product | None = None) -> dict[str, FloatArray]:
        """Return what comes out of each layer for points x (n, 2) in network units, last the images.

        fc1 (n, 16); fc2 (n, 16, 3, 3), the feature maps that the kernels meet; up1 (n, 8, 6, 6); up2
        (n, 1, 12, 12) before the sigmoid; image (n, 12, 12). `product`, when given, carries out the products
        of the layers instead of `matrices`, for example on macros; biases and activations stay digital.
        """
        multiply = product or self._multiply
        z = self.scale * layers.frozen("x", x, (None, 2))
        fc1 = layers.relu(multiply("fc1", z) + self.b1)
        fc2 = layers.relu(multiply("fc2", fc1) + self.b2).reshape(-1, 16, 3, 3)
        up1 = layers.relu(_up(multiply, "up1", fc2) + self.c1[:, None, None])
        up2 = _up(multiply, "up2", up1) + self.c2[:, None, None]
        return {"fc1": fc1, "fc2": fc2, "up1": up1, "up2": up2, "image": layers.sigmoid(up2[:, 0])}

    def _multiply(self, name: str, rows: FloatArray) -> FloatArray:
        return rows @ self.matrices[name]


def _up(multiply: Product, name: str, maps: FloatArray) -> FloatArray:
    """Return feature maps of twice the side: one product for all pixels, then the overlapping sums."""
    n, _, height, width = maps.shape
    rows = multiply(name, layers.pixel_rows(maps))
    return layers.overlapped(rows.reshape(n, height, width, -1))
