"""Letters from an .npz file of one's own."""

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np

from rramlab.errors import InputError
from rramlab.letters.letter_set import LetterSet
from rramlab.letters.preprocess import preprocess


def load_archive(
    path: Path | str, classes: Sequence[str] = ("H", "K", "U"), source: str | None = None
) -> LetterSet:
    """Return the letters in an .npz file: `images` (n, 28, 28), upright, and `labels` (n,) into `classes`.

    Images are bytes, or numbers from 0 (paper) to 1 (ink); they are preprocessed as published. `source` is
    what is said of them, the name of the file if left out.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError(f"no letters at {place}; name an .npz file with images (n, 28, 28) and labels (n,)")
    try:
        if not is_zipfile(place):
            raise ValueError("it is no .npz file")
        with place.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
        scaled = images / 255.0 if images.dtype == np.uint8 else np.asarray(images, dtype=np.float64)
        if not ((scaled >= 0.0) & (scaled <= 1.0)).all():
            raise ValueError("its images are neither bytes nor numbers from 0 to 1")
        return LetterSet(preprocess(scaled), labels, tuple(classes), source or place.name)
    except (BadZipFile, EOFError, KeyError, OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{place} holds no letters ({error}); wanted images (n, 28, 28), labels (n,)"
        ) from error
