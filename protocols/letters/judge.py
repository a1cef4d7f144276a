"""Judge points of the latent plane: the letters that they decode to, and their distance to the latents."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion.condition import nearest_centre
from rramlab.diffusion.metrics import sliced_wasserstein
from rramlab.errors import InputError, did_you_mean
from rramlab.letters import Classifier, Decoder, Latents, drawn_latents, letter_classifier, letter_decoder
from rramlab.letters.shipped import CLASSIFIER, DECODER, LATENTS, check_folder
from rramlab.letters.store import load_classifier, load_decoder

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Verdict:
    """Hold how good points of one class are.

    `accuracy` is the share whose letters the classifier takes for the class, `nearest` the share that lies
    nearest to its centre, `sliced_wasserstein` the distance to the latents of the class (network units).
    """

    accuracy: float
    nearest: float
    sliced_wasserstein: float


@final
@dataclass(frozen=True, eq=False)
class Judge:
    """Hold a decoder, an independent classifier, and the latents that a network was to learn."""

    decoder: Decoder
    classifier: Classifier
    latents: Latents

    @classmethod
    def open(cls, folder: str | None, classes: Iterable[str]) -> Self:
        """Return the judge in a folder, or that of the drawn letters; it must know these classes."""
        if folder is None:
            judge = cls(letter_decoder(), letter_classifier(), drawn_latents())
        else:
            place = check_folder(Path(folder))
            judge = cls(
                load_decoder(place / DECODER),
                load_classifier(place / CLASSIFIER),
                Latents.load(place / LATENTS),
            )
        return judge.knowing(classes)

    def knowing(self, classes: Iterable[str]) -> Self:
        """Return this judge, or refuse classes that it does not know."""
        for name in classes:
            if name not in self.known:
                raise InputError(
                    f"no decoder and classifier of letter '{name}' at hand ({self.source}, "
                    f"{did_you_mean(name, self.known)}); name the folder of others with --letters"
                )
        return self

    @property
    def known(self) -> list[str]:
        """Return the classes that decoder, classifier and latents all know."""
        return [n for n in self.latents.classes if n in self.classifier.classes and n in self.decoder.classes]

    @property
    def source(self) -> str:
        """Return in words on what letters all of this was trained."""
        return f"{self.latents.source} letters"

    def letters(self, points: FloatArray) -> FloatArray:
        """Return the letters (n, 12, 12) that points (n, 2) decode to."""
        return self.decoder.decode(points)

    def verdict(self, points: FloatArray, name: str) -> Verdict:
        """Return how good these points are as points of a class."""
        label = self.classifier.classes.index(name)
        taken = self.classifier.predict(self.letters(points)) == label
        near = nearest_centre(points, self._centres()) == self.latents.classes.index(name)
        distance = sliced_wasserstein(points, self.latents.of_class(name))
        return Verdict(float(taken.mean()), float(near.mean()), distance)

    def data(self, count: int, name: str, rng: np.random.Generator) -> FloatArray:
        """Draw as many latents of a class: what no sampler can come nearer than."""
        known = self.latents.of_class(name)
        return known[rng.choice(len(known), min(count, len(known)), replace=False)]

    def _centres(self) -> FloatArray:
        """Return the mean latent of each class."""
        return np.array([self.latents.of_class(name).mean(axis=0) for name in self.latents.classes])
