"""What ships with the package: networks and latents of H, K and U, trained on drawn letters.

`rramlab train letters` with its default options makes them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from rramlab.errors import InputError
from rramlab.letters.classifier import Classifier
from rramlab.letters.decoder import Decoder
from rramlab.letters.encoder import Encoder
from rramlab.letters.latents import Latents

DECODER, ENCODER, CLASSIFIER = "decoder.safetensors", "encoder.safetensors", "classifier.safetensors"
LATENTS, PICTURE = "latents.npz", "letters.png"


def letter_decoder() -> Decoder:
    """Return the decoder of drawn H, K and U that ships with the package."""
    from rramlab.letters.store import load_decoder

    with _weights(DECODER) as path:
        return load_decoder(path)


def letter_encoder() -> Encoder:
    """Return the encoder of drawn H, K and U that ships with the package."""
    from rramlab.letters.store import load_encoder

    with _weights(ENCODER) as path:
        return load_encoder(path)


def letter_classifier() -> Classifier:
    """Return the classifier of drawn H, K and U that ships with the package."""
    from rramlab.letters.store import load_classifier

    with _weights(CLASSIFIER) as path:
        return load_classifier(path)


def drawn_latents() -> Latents:
    """Return the latents of 18 000 drawn H, K and U, on which a conditional score network can be trained."""
    with _weights(LATENTS) as path:
        return Latents.load(path)


def check_folder(folder: Path) -> Path:
    """Return a folder that `rramlab train letters` may have left; InputError if it is none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name the one that `rramlab train letters` left")
    return folder


@contextmanager
def _weights(name: str) -> Iterator[Path]:
    with as_file(files("rramlab.letters") / "weights" / name) as path:
        yield path
