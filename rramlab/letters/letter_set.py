"""Images of letters with their classes, and where they come from."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SIDE = 12
"""Pixels of a side of the images that the networks see."""


@final
@dataclass(frozen=True, eq=False)
class LetterSet:
    """Hold images (n, 12, 12) from 0 (paper) to 1 (ink), upright, with labels (n,) into `classes`.

    `source` says in words whether the letters are real handwriting or drawn; it goes with every output.
    """

    images: FloatArray
    labels: IntArray
    classes: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what is no set of letters."""
        object.__setattr__(self, "images", _frozen(np.array(self.images, dtype=np.float64)))
        object.__setattr__(self, "labels", _frozen(np.array(self.labels, dtype=np.int64)))
        if self.images.shape != (len(self.labels), SIDE, SIDE) or self.labels.ndim != 1:
            raise ValueError(
                f"images of shape {self.images.shape} with labels of shape {self.labels.shape} were given; "
                f"possible are images (n, {SIDE}, {SIDE}) with labels (n,)"
            )
        if not ((self.images >= 0.0) & (self.images <= 1.0)).all():
            raise ValueError("some pixels are outside 0..1; divide images of bytes by 255")
        if not self.classes or not ((self.labels >= 0) & (self.labels < len(self.classes))).all():
            raise ValueError(f"labels must be 0 to {len(self.classes) - 1}, one for each of {self.classes}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many letters there are of each class."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, counts.tolist(), strict=True))

    @property
    def pixels(self) -> FloatArray:
        """Return the images as rows (n, 144)."""
        return self.images.reshape(len(self), -1)

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "LetterSet":
        """Return the letters at these indices."""
        return LetterSet(self.images[which], self.labels[which], self.classes, self.source)

    def of_class(self, name: str) -> FloatArray:
        """Return the images (m, 12, 12) of one class."""
        return np.asarray(self.images[self.labels == self.classes.index(name)])

    def split(self, share: float, rng: np.random.Generator) -> tuple["LetterSet", "LetterSet"]:
        """Return the set in two parts, the second with this share of each class, chosen by chance."""
        if not 0.0 < share < 1.0:
            raise ValueError(f"a share of {share:g} was asked for; possible is more than 0 and less than 1")
        order = rng.permutation(len(self))
        aside = np.zeros(len(self), dtype=np.bool_)
        for label in range(len(self.classes)):
            of_class = order[self.labels[order] == label]
            aside[of_class[: round(share * len(of_class))]] = True
        return self.take(~aside), self.take(aside)


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array
