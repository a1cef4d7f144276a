"""Fetch EMNIST from its publisher; only ever done where it was asked for."""

import logging
from pathlib import Path

from rramlab.errors import InputError
from rramlab.letters.emnist import ADDRESS, PARTS, Split

HASH = "md5:58c8d27c78d21e728a6bc7b3cc06412e"
"""Of gzip.zip (536 MB), as torchvision checks it; the publisher himself names none."""
PATIENCE = 60.0
"""Seconds without a byte after which the publisher is taken for gone."""


def download_emnist(folder: Path, split: Split, address: str = ADDRESS, known_hash: str = HASH) -> Path:
    """Fetch the archive into a folder unless it is there, check it, unpack a set, and return where that lies.

    Needs the extra `letters` (pooch). The archive stays, so that another set comes without fetching again.
    """
    try:
        import pooch
    except ImportError:
        raise InputError(
            "--download needs pooch: pip install 'rramlab[letters]', or unpack "
            f"{address} yourself and name the folder with --emnist"
        ) from None
    pooch.get_logger().setLevel(logging.WARNING)
    names = [f"gzip/{name}" for part in PARTS for name in split.files(part)]
    unpack = pooch.Unzip(members=names, extract_dir=f"emnist-{split.in_files}")
    fetch = pooch.HTTPDownloader(timeout=PATIENCE)
    try:
        pooch.retrieve(address, known_hash, "emnist.zip", folder, processor=unpack, downloader=fetch)
    except ValueError as error:
        raise InputError(f"{address} is not what it was: {error}; nothing was unpacked") from error
    except OSError as error:
        raise InputError(
            f"{address} could not be fetched into {folder} ({_short(error)}); try again, or unpack it "
            "yourself and name the folder with --emnist"
        ) from error
    return folder / f"emnist-{split.in_files}"


def default_folder() -> Path:
    """Return the folder for data that can be fetched again: the cache of this user."""
    try:
        import pooch
    except ImportError:
        return Path.home() / ".cache" / "rramlab"
    return Path(pooch.os_cache("rramlab"))


def _short(error: Exception) -> str:
    """Return the first line of a long story."""
    first = (str(error).splitlines() or [""])[0].split(" (Caused")[0][:120]
    return f"{type(error).__name__}: {first}".removesuffix(": ")
