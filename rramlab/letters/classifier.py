"""An independent judge of letters: a small classifier that has never seen a generated one."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.letters import layers
from rramlab.letters.letter_set import SIDE, LetterSet

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Classifier:
    """Hold one trained classifier, 144 pixels - hidden - classes with a ReLU between.

    `w1` (144, h), `b1` (h,), `w2` (h, c), `b2` (c,), inputs are rows. `source` says on what letters it was
    trained; `metadata` holds its share of right answers on letters held out.
    """

    w1: FloatArray
    b1: FloatArray
    w2: FloatArray
    b2: FloatArray
    classes: tuple[str, ...]
    source: str
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse shapes that do not fit each other."""
        hidden, count = np.shape(self.b1)[0], len(self.classes)
        shapes = {"w1": (SIDE * SIDE, hidden), "b1": (hidden,), "w2": (hidden, count), "b2": (count,)}
        for name, shape in shapes.items():
            object.__setattr__(self, name, layers.frozen(name, getattr(self, name), shape))

    def probabilities(self, images: ArrayLike) -> FloatArray:
        """Return how sure the classifier is of each class, (n, c), for images (n, 12, 12) in 0..1."""
        pixels = layers.frozen("images", images, (None, SIDE, SIDE)).reshape(-1, SIDE * SIDE)
        hidden = layers.relu(pixels @ self.w1 + self.b1)
        return layers.softmax(hidden @ self.w2 + self.b2)

    def predict(self, images: ArrayLike) -> IntArray:
        """Return the likeliest label of each image, (n,), as an index into `classes`."""
        return np.asarray(self.probabilities(images).argmax(axis=1), dtype=np.int64)

    def accuracy(self, images: ArrayLike, labels: ArrayLike) -> float:
        """Return the share of images (n, 12, 12) that are taken for what `labels` (n,) say."""
        return float(np.mean(self.predict(images) == np.asarray(labels)))

    def accuracy_on(self, letters: LetterSet) -> float:
        """Return the share of letters that are recognised; their classes must be those of the classifier."""
        if letters.classes != self.classes:
            raise ValueError(
                f"letters {', '.join(letters.classes)} were given; possible are {', '.join(self.classes)}"
            )
        return self.accuracy(letters.images, letters.labels)
