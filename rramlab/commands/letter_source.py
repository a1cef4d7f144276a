"""Find the letters to train on: drawn ones, EMNIST in a folder, or EMNIST from its publisher."""

from pathlib import Path
from typing import TYPE_CHECKING

from rramlab.errors import InputError

if TYPE_CHECKING:  # loaded when letters are, not by --help
    from rramlab.letters.emnist import Split
    from rramlab.letters.letter_set import LetterSet
    from rramlab.terminal import Terminal

DRAWN, HELD_OUT = 6000, 1000
"""Letters of each class that are drawn for training, and for the trial."""


def letter_sets(
    terminal: "Terminal", classes: str, folder: Path | None, split: str, download: bool, count: int, seed: int
) -> tuple["LetterSet", "LetterSet"]:
    """Return the letters to train on and those to try: EMNIST's own parts, or drawn ones."""
    from rramlab.letters import emnist
    from rramlab.letters.classes import UPPER, parse_classes

    if folder is None and not download:
        return _drawn(parse_classes(classes, UPPER, "drawn letters"), count, seed)
    chosen = emnist.split_of(split)
    names = parse_classes(classes, chosen.classes, chosen.source)
    place = _fetched(terminal, folder, chosen) if download else folder
    assert place is not None
    emnist.find_files(place, chosen)
    training, trial = (emnist.load_emnist(place, names, split, part) for part in emnist.PARTS)
    return training, trial


def _fetched(terminal: "Terminal", folder: Path | None, split: "Split") -> Path:
    """Return where the files of EMNIST lie, after fetching them if they are not there."""
    from rramlab.letters.download import default_folder, download_emnist
    from rramlab.letters.emnist import ADDRESS, find_files

    place = folder or default_folder()
    try:
        find_files(place, split)
    except InputError:
        terminal.say(f"EMNIST: {ADDRESS} to {place} (536 MB, unless the archive is there already)")
        return download_emnist(place, split)
    return place


def _drawn(names: tuple[str, ...], count: int, seed: int) -> tuple["LetterSet", "LetterSet"]:
    """Draw letters to train on, and a sixth as many to try."""
    import numpy as np

    from rramlab.letters.drawn import draw_letters

    rng = np.random.default_rng(seed)
    return draw_letters(names, count, rng), draw_letters(names, max(1, count * HELD_OUT // DRAWN), rng)
