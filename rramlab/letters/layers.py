"""Layers of the letter networks in numpy, each as one matrix product, which a macro can carry out instead.

A convolution (3 x 3, stride 2, padding 1) gathers the pixels under its kernel and multiplies them; a
transposed one (output padding 1) multiplies each pixel and adds up what overlaps.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

KERNEL = 3
STRIDE = 2


def relu(values: FloatArray) -> FloatArray:
    """Return the values, the negative ones as 0."""
    return np.maximum(values, 0.0)


def sigmoid(values: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-values)), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * values))


def softmax(values: FloatArray) -> FloatArray:
    """Return the shares exp(values) of each row."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def patches(images: FloatArray) -> FloatArray:
    """Return what lies under the kernel at each place: (n, c, 2h, 2w) to rows (n, h, w, 9 c)."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = sliding_window_view(padded, (KERNEL, KERNEL), axis=(2, 3))[:, :, ::STRIDE, ::STRIDE]
    rows = windows.transpose(0, 2, 3, 1, 4, 5)
    return rows.reshape(*rows.shape[:3], -1)


def overlapped(rows: FloatArray) -> FloatArray:
    """Return the sums of overlapping kernels: rows (n, h, w, 9 c) to images (n, c, 2h, 2w)."""
    n, height, width, _ = rows.shape
    kernels = rows.reshape(n, height, width, -1, KERNEL, KERNEL).transpose(0, 3, 1, 2, 4, 5)
    canvas = np.zeros((n, kernels.shape[1], STRIDE * height + 2, STRIDE * width + 2))
    for y in range(KERNEL):
        for x in range(KERNEL):
            down, across = slice(y, y + STRIDE * height, STRIDE), slice(x, x + STRIDE * width, STRIDE)
            canvas[:, :, down, across] += kernels[..., y, x]
    return canvas[:, :, 1:-1, 1:-1]


def pixel_rows(maps: FloatArray) -> FloatArray:
    """Return feature maps (n, c, h, w) as one row of channels for each pixel (n h w, c)."""
    return maps.transpose(0, 2, 3, 1).reshape(-1, maps.shape[1])


def frozen(name: str, values: ArrayLike, shape: tuple[int | None, ...]) -> FloatArray:
    """Return a read-only copy as float64; refuse another shape (None: any) or numbers that are not finite."""
    array = np.array(values, dtype=np.float64)
    fits = len(array.shape) == len(shape)
    fits = fits and all(want in (None, found) for want, found in zip(shape, array.shape, strict=True))
    if not fits or not np.isfinite(array).all():
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} of shape {array.shape} was given; possible are finite numbers ({wanted})")
    array.flags.writeable = False
    return array
