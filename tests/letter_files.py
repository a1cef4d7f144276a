"""Files of EMNIST, made of drawn letters, as its publisher lays them out."""

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rramlab.letters.drawn import draw_raw
from rramlab.letters.emnist import SPLITS


def idx(array: NDArray[np.uint8]) -> bytes:
    """Return an array of bytes as an IDX file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def emnist(
    folder: Path, classes: Sequence[str], count: int, split: str = "by-class", packed: bool = True
) -> NDArray[np.uint8]:
    """Write training and test files with letters of these classes in turn; return upright test images."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    chosen = SPLITS[split]
    numbers = [chosen.first + chosen.classes.index(name) for name in classes]
    for part in ("train", "test"):
        letters = np.stack([draw_raw(name.upper(), count, rng) for name in classes], axis=1)
        upright = np.rint(255 * letters.reshape(-1, 28, 28)).astype(np.uint8)
        labels = np.tile(np.array(numbers, dtype=np.uint8), count)
        contents = (upright.transpose(0, 2, 1), labels)
        for name, content in zip(chosen.files(part), contents, strict=True):
            raw = idx(np.ascontiguousarray(content))
            place = folder / (name if packed else name.removesuffix(".gz"))
            place.write_bytes(gzip.compress(raw, 1) if packed else raw)
    return upright
