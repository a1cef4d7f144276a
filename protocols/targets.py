"""Read target conductances from what people have: .npy, .csv or a picture."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]
Unit = Literal["auto", "S", "uS"]

PICTURES = (".png", ".bmp", ".gif", ".jpg", ".jpeg", ".tif", ".tiff")


def load_targets(path: Path, window: tuple[float, float], unit: Unit = "auto") -> FloatArray:
    """Return a map of targets (S, rows x cols); NaN marks a cell that is left alone.

    A picture is mapped from black = low end of the window to white = high end.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}; targets are .npy, .csv or a picture such as .png")
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        return _picture(path, window)
    if suffix == ".npy":
        return _siemens(_array(path), unit, path)
    if suffix in (".csv", ".txt", ".tsv"):
        return _siemens(_table(path), unit, path)
    raise InputError(
        f"{path.name}: '{suffix}' is no target file; possible: .npy, .csv, {', '.join(PICTURES)}"
    )


def _array(path: Path) -> FloatArray:
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path} is not a .npy file of plain numbers: {error}") from None
    return _map(values, path)


def _table(path: Path) -> FloatArray:
    """Read a table whose cells may be empty: an empty cell is left alone."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = next((d for d in (",", ";", "\t") if d in text), None)
        values = np.genfromtxt(text.splitlines(), delimiter=delimiter, comments="#", dtype=np.float64)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a table of numbers: {str(error).strip().splitlines()[0]}") from None
    return _map(values, path)


def _picture(path: Path, window: tuple[float, float]) -> FloatArray:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L"), dtype=np.float64) / 255.0
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{path} is not a picture that can be read: {error}") from None
    return np.asarray(window[0] + grey * (window[1] - window[0]))


def _map(values: NDArray[np.generic], path: Path) -> FloatArray:
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise InputError(f"{path} holds {values.dtype} and not numbers")
    found = np.atleast_2d(values.astype(np.float64))
    if found.ndim != 2 or found.size == 0:
        raise InputError(f"{path} has the shape {values.shape}; a target map has rows and columns")
    if np.isnan(found).all():
        raise InputError(f"{path} holds no number; write one conductance per cell")
    return found


def _siemens(values: FloatArray, unit: Unit, path: Path) -> FloatArray:
    """Return the values in S; with unit auto, numbers from 1 up are uS and numbers below 1e-2 are S."""
    present = values[~np.isnan(values)]
    if unit == "auto":
        unit = _guess(present, path)
    return values * 1e-6 if unit == "uS" else values


def _guess(present: FloatArray, path: Path) -> Literal["S", "uS"]:
    low, high = float(present.min()), float(present.max())
    if low >= 1.0:
        return "uS"
    if high < 1e-2:
        return "S"
    raise InputError(
        f"{path} holds values from {low:g} to {high:g}, neither plainly S nor plainly uS; say --unit"
    )
