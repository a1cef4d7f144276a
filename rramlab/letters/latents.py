"""Points of letters in the plane: where the classes stand, and the latents that a score network learns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RADIUS = 4.0
"""Distance of the class centres from the origin, in latent units (arXiv 2404.05648)."""

SCALE = 8.0
"""Latent units to one network unit: a latent z is learnt, sampled and put on the lines as x = z / 8."""


def class_centres(count: int) -> FloatArray:
    """Return the centres (count, 2) of the classes in latent units, evenly on a circle of radius 4.

    For three classes (2 sqrt 3, 2), (-2 sqrt 3, 2) and (0, -4), as published. The latents of a class scatter
    around its centre with a deviation of about 1, so that more than six classes overlap.
    """
    if count < 1:
        raise ValueError(f"{count} classes were asked for; at least 1 is possible")
    angle = np.pi / 6.0 + 2.0 * np.pi * np.arange(count) / count
    return RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


@final
@dataclass(frozen=True, eq=False)
class Latents:
    """Hold latents `x` (n, 2) in network units (z / 8), `labels` (n,) into `classes`, and the source."""

    x: FloatArray
    labels: IntArray
    classes: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what are no latents."""
        for name, kind in (("x", np.float64), ("labels", np.int64)):
            array: NDArray[Any] = np.array(getattr(self, name), dtype=kind)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.x.shape != (len(self.labels), 2) or not np.isfinite(self.x).all():
            raise ValueError(f"x of shape {self.x.shape} was given; possible are finite points (n, 2)")
        if not ((self.labels >= 0) & (self.labels < len(self.classes))).all():
            raise ValueError(f"labels must be 0 to {len(self.classes) - 1}, one for each of {self.classes}")

    def __len__(self) -> int:
        return len(self.labels)

    def of_class(self, name: str) -> FloatArray:
        """Return the points (m, 2) of one class."""
        return np.asarray(self.x[self.labels == self.classes.index(name)])

    def save(self, path: Path | str) -> None:
        """Write the latents as .npz: x (n, 2) of 32 bits, label (n,), classes, source."""
        with Path(path).open("wb") as file:
            np.savez_compressed(
                file,
                x=self.x.astype(np.float32),
                label=self.labels.astype(np.uint8),
                classes=np.array(self.classes),
                source=np.array(self.source),
            )

    @classmethod
    def load(cls, path: Path | str) -> "Latents":
        """Read latents that `save` wrote; InputError says what is wrong with any other file."""
        place = Path(path)
        if not place.is_file():
            raise InputError(f"no latents at {place}; `rramlab train letters` writes them")
        try:
            if not is_zipfile(place):
                raise ValueError("it is no .npz file")
            with place.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                classes = tuple(str(name) for name in file["classes"])
                return cls(file["x"], file["label"], classes, str(file["source"]))
        except (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
            raise InputError(
                f"{place} holds no latents of letters ({error}); `rramlab train letters` writes them"
            ) from error
