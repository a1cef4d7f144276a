"""Real handwriting from EMNIST (Cohen et al., 2017), its by-class and letters sets, as IDX files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.letters.classes import BY_CLASS, UPPER, ranges, refuse_class
from rramlab.letters.idx import read_idx
from rramlab.letters.letter_set import LetterSet
from rramlab.letters.preprocess import RAW_SIDE, preprocess

ADDRESS = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
PARTS = ("train", "test")
# Where the files lie: as given, as the archive unpacks, and as torchvision keeps them.
INSIDE = ("", "gzip", "raw", "EMNIST/raw")


@final
@dataclass(frozen=True)
class Split:
    """Hold one of the sets of EMNIST: its name in the files, its classes, and the label of the first."""

    name: str
    in_files: str
    classes: tuple[str, ...]
    first: int

    @property
    def source(self) -> str:
        """Return what is said of letters of this set."""
        return f"EMNIST {self.name}"

    def files(self, part: str) -> tuple[str, str]:
        """Return the names of the files of images and labels, compressed."""
        stem = f"emnist-{self.in_files}-{part}"
        return f"{stem}-images-idx3-ubyte.gz", f"{stem}-labels-idx1-ubyte.gz"


SPLITS = {
    "by-class": Split("by-class", "byclass", BY_CLASS, 0),
    # Upper and lower case are one class here, and labels begin with 1.
    "letters": Split("letters", "letters", UPPER, 1),
}


def split_of(name: str) -> Split:
    """Return the set of this name."""
    if name not in SPLITS:
        raise InputError(f"there is no set '{name}' of EMNIST here; possible are {', '.join(SPLITS)}")
    return SPLITS[name]


def load_emnist(
    folder: Path | str, classes: Sequence[str], split: str = "by-class", part: str = "train"
) -> LetterSet:
    """Return the letters of these classes, upright and preprocessed as published, from the files in a folder.

    `part` is "train" or "test". The files are those of the published archive, compressed or not, in the
    folder or where the archive and torchvision put them within it.
    """
    chosen = split_of(split)
    images_at, labels_at = find_files(Path(folder), chosen, (part,))
    images, labels = read_idx(images_at, 3), read_idx(labels_at, 1)
    _check(images, labels, images_at, chosen)
    numbers = [_number(name, chosen) for name in classes]
    _check_present(labels, dict(zip(classes, numbers, strict=True)), labels_at, chosen)
    which = np.flatnonzero(np.isin(labels, numbers))
    position = np.zeros(256, dtype=np.int64)
    position[numbers] = np.arange(len(numbers))
    # The files hold every image with rows and columns exchanged.
    upright = images[which].transpose(0, 2, 1) / 255.0
    return LetterSet(preprocess(upright), position[labels[which]], tuple(classes), chosen.source)


def find_files(folder: Path, split: Split, parts: Sequence[str] = PARTS) -> list[Path]:
    """Return where the files of a set lie; InputError lists those that are missing."""
    names = [name for part in parts for name in split.files(part)]
    found = {name: _find(folder, name) for name in names}
    missing = [name for name, place in found.items() if place is None]
    if missing:
        raise InputError(f"{folder} {_lack(folder, missing)}; {_way(folder, split)}")
    return [place for place in found.values() if place is not None]


def _lack(folder: Path, missing: Sequence[str]) -> str:
    """Return in words what a folder lacks."""
    if not folder.is_dir():
        return "is no folder"
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"lacks {missing[0]} (or the same without .gz){others}"


def _way(folder: Path, split: Split) -> str:
    """Return in words how a folder that lacks files comes to them."""
    archive = folder / "gzip.zip"
    if archive.is_file():
        return f"unpack {archive} there"
    there = [one.name for one in SPLITS.values() if one != split and _find(folder, one.files("train")[0])]
    if there:
        return f"it has those of another set: --split {there[0]}"
    return f"give the folder into which {ADDRESS} was unpacked, or let --download fetch it"


def _find(folder: Path, name: str) -> Path | None:
    places = [folder / inside / each for inside in INSIDE for each in (name, name.removesuffix(".gz"))]
    return next((place for place in places if place.is_file()), None)


def _number(name: str, split: Split) -> int:
    """Return the label of a class in the files."""
    if name not in split.classes:
        refuse_class(name, split.classes, split.source)
    return split.first + split.classes.index(name)


def _check(images: NDArray[Any], labels: NDArray[Any], place: Path, split: Split) -> None:
    """Refuse arrays that are not images and labels of this set."""
    if images.shape != (len(labels), RAW_SIDE, RAW_SIDE):
        raise InputError(
            f"{place} holds images {images.shape} for {len(labels)} labels; "
            f"EMNIST has {RAW_SIDE} x {RAW_SIDE} pixels and one label for each; unpack both "
            "anew from one archive"
        )
    last = split.first + len(split.classes) - 1
    if len(labels) and not split.first <= labels.min() <= labels.max() <= last:
        raise InputError(
            f"the labels beside {place} run from {labels.min()} to {labels.max()}; "
            f"those of {split.source} run from {split.first} to {last}; name the set that it is with --split"
        )


def _check_present(labels: NDArray[Any], wanted: Mapping[str, int], place: Path, split: Split) -> None:
    """Refuse classes of which the files have no letter."""
    there = set(np.unique(labels).tolist())
    missing = [name for name, number in wanted.items() if number not in there]
    if missing:
        held = [name for number, name in enumerate(split.classes, split.first) if number in there]
        raise InputError(f"there is no '{missing[0]}' in {place}; it has {ranges(held) or 'none at all'}")
