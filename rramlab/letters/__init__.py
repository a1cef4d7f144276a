"""Handwritten letters: images, a two-dimensional latent space, its decoder and an independent classifier.

Importing this package needs numpy only; `train` and `autoencoder` import torch when they are imported.
"""

from rramlab.letters.classifier import Classifier
from rramlab.letters.decoder import Decoder
from rramlab.letters.drawn import draw_letters
from rramlab.letters.encoder import Encoder
from rramlab.letters.latents import Latents, class_centres
from rramlab.letters.letter_set import LetterSet
from rramlab.letters.shipped import drawn_latents, letter_classifier, letter_decoder, letter_encoder

__all__ = [
    "Classifier",
    "Decoder",
    "Encoder",
    "Latents",
    "LetterSet",
    "class_centres",
    "draw_letters",
    "drawn_latents",
    "letter_classifier",
    "letter_decoder",
    "letter_encoder",
]
