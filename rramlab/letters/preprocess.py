"""Bring images of 28 x 28 pixels to the 12 x 12 that the networks see, as published."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.letters.letter_set import SIDE

FloatArray = NDArray[np.float64]

RAW_SIDE = 28
RESIZED = 14


def preprocess(images: ArrayLike) -> FloatArray:
    """Return images (n, 28, 28) in 0..1 as (n, 12, 12): resized to 14 x 14, then the centre.

    The preprocessing of the published code (arXiv 2404.05648). The resize is bilinear with antialias, as
    torchvision and Pillow do it.
    """
    raw = np.asarray(images, dtype=np.float64)
    if raw.ndim != 3 or raw.shape[1:] != (RAW_SIDE, RAW_SIDE):
        raise ValueError(f"images of shape {raw.shape} were given; possible is (n, {RAW_SIDE}, {RAW_SIDE})")
    weights = resize_weights(RAW_SIDE, RESIZED)
    edge = (RESIZED - SIDE) // 2
    kept = weights[edge : edge + SIDE]
    return np.clip(kept @ raw @ kept.T, 0.0, 1.0)


@cache
def resize_weights(before: int, after: int) -> FloatArray:
    """Return the (after, before) weights of a bilinear resize with antialias along one axis.

    Each new pixel is a mean under a triangle whose half width is one new pixel, cut and renormalised at the
    edges.
    """
    ratio = before / after
    centre = (np.arange(after) + 0.5) * ratio - 0.5
    distance = np.abs(np.arange(before) - centre[:, None]) / max(ratio, 1.0)
    weights = np.maximum(1.0 - distance, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False
    return np.asarray(weights)
