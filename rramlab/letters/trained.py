"""What training on letters gives, and the folder in which it is left."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.letters.classifier import Classifier
from rramlab.letters.decoder import Decoder
from rramlab.letters.encoder import Encoder
from rramlab.letters.latents import Latents
from rramlab.letters.shipped import CLASSIFIER, DECODER, ENCODER, LATENTS

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class TrainedLetters:
    """Hold the networks, the latents of the training set, and the figures.

    `loss` is the mean loss of the autoencoder in its last epoch (nat per letter, published as 65.8 for
    EMNIST), `accuracy` the share of held-out letters that the classifier recognises, `rebuilt` the share that
    it still recognises after they have gone through encoder and decoder.
    """

    encoder: Encoder
    decoder: Decoder
    classifier: Classifier
    latents: Latents
    loss: float
    accuracy: float
    rebuilt: float

    def save(self, folder: Path) -> None:
        """Write networks and latents into a folder that exists."""
        from rramlab.letters.store import save_network

        save_network(self.decoder, folder / DECODER)
        save_network(self.encoder, folder / ENCODER)
        save_network(self.classifier, folder / CLASSIFIER)
        self.latents.save(folder / LATENTS)


def rebuilt(encoder: Encoder, decoder: Decoder, images: FloatArray) -> FloatArray:
    """Return images (n, 12, 12) as they come back from encoder and decoder, without noise."""
    return decoder.decode(encoder.encode(images)[0] / decoder.scale)
