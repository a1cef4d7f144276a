"""Read target conductances from what people have: .npy, .csv or a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from warnings import catch_warnings, simplefilter
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]
Unit = Literal["auto", "S", "uS"]

MOST_PIXELS = 1 << 24
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
        with path.open("rb") as file:
            values = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError, BadZipFile, MemoryError, OverflowError) as error:
        # numpy advises to allow pickled objects, which would run whatever the file says.
        why = "it holds objects" if "pickle" in str(error) else str(error)
        raise InputError(f"{path} is not a .npy file of plain numbers: {why}") from None
    if not isinstance(values, np.ndarray):
        raise InputError(f"{path} is an archive of arrays (.npz); save the one map with numpy.save")
    return _map(values, path)


def _table(path: Path) -> FloatArray:
    """Read a table whose cells may be empty: an empty cell is left alone."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a table of numbers: {error}") from None
    lines = {number: line.split("#")[0] for number, line in enumerate(text.splitlines(), start=1)}
    lines = {number: line for number, line in lines.items() if line.strip(" ")}
    delimiter = next((d for d in (";", "\t", ",") if any(d in line for line in lines.values())), None)
    rows = [[_number(cell, path, n) for cell in line.split(delimiter)] for n, line in lines.items()]
    if len({len(row) for row in rows}) > 1:
        n, row = next((n, row) for n, row in zip(lines, rows, strict=True) if len(row) != len(rows[0]))
        raise InputError(
            f"{path}: line {n} has {len(row)} columns and the first {len(rows[0])}; make them equal"
        )
    return _map(np.array(rows, dtype=np.float64), path)


def _number(text: str, path: Path, line: int) -> float:
    try:
        if "_" in text:  # Python takes 5_0 as 50
            raise ValueError
        return float(text) if text.strip() else np.nan
    except ValueError:
        raise InputError(
            f"{path}: line {line} holds '{text.strip()}' where a conductance is expected; write numbers "
            f"with a point, leave a cell empty (or nan) to leave it alone, and begin a heading with '#'"
        ) from None


def _picture(path: Path, window: tuple[float, float]) -> FloatArray:
    from PIL import Image

    try:
        with _quiet_about_size(), Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels, one cell each, are too many")
            if image.mode == "F":
                raise ValueError("its pixels are fractions without a scale; save them as .npy with --unit")
            # Pillow clips pictures of 16 bit to 8 instead of scaling them.
            deep = image.mode.startswith("I")
            grey = np.asarray(image if deep else image.convert("L"), dtype=np.float64)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not a picture that can be read: {error}") from None
    return np.asarray(window[0] + grey / (65535.0 if deep else 255.0) * (window[1] - window[0]))


@contextmanager
def _quiet_about_size() -> Iterator[None]:
    """Keep Pillow's warning of large pictures off the terminal: they are refused in one sentence."""
    with catch_warnings():
        simplefilter("ignore")
        yield


def _map(values: NDArray[np.generic], path: Path) -> FloatArray:
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise InputError(f"{path} holds {values.dtype} and not numbers")
    found = np.atleast_2d(values.astype(np.float64))
    if found.ndim != 2 or found.size == 0:
        raise InputError(f"{path} has the shape {values.shape}; a target map has rows and columns")
    if np.isnan(found).all():
        raise InputError(f"{path} holds no number; write one conductance per cell")
    if np.isinf(found).any():
        raise InputError(f"{path} holds an infinite value; write a conductance, or nan to leave a cell alone")
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
