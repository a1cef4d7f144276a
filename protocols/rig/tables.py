"""Read conductances out of a table that others wrote: a plain map, or one line per cell."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]

_ROW, _COL, _ADDRESS = ("row", "r", "wl"), ("col", "column", "c", "bl"), ("address", "addr")
_CONDUCTANCE, _RESISTANCE = ("conductance", "g"), ("resistance", "r_ohm", "r", "ohm")
_LARGEST = 1e-2
"""A conductance above this (S) is no cell: the table is in uS."""
_MOST_CELLS = 1 << 24


@final
@dataclass(frozen=True)
class Layout:
    """Say how a table is to be read: its column names where it has none, and cells per word line."""

    names: tuple[str, ...] = ()
    columns: int | None = None


def load_map(path: Path, layout: Layout) -> FloatArray:
    """Return the map (S, NaN: not in the table) that a table holds.

    With column names it holds one cell a line: row and col, or an address, and a conductance (S or uS) or a
    resistance (ohm). Without names it is the map itself. Of a cell that stands twice the last line counts.
    """
    head, values = _split(path)
    names = [name.lower() for name in layout.names] or head
    if not names:
        return values * _scale(values)
    if values.shape[1] < len(names):
        raise InputError(f"{path} has {values.shape[1]} columns, {len(names)} were named: {', '.join(names)}")
    return _laid_out(dict(zip(names, values.T, strict=False)), layout.columns, path)


def _split(path: Path) -> tuple[list[str], FloatArray]:
    """Return the names and the numbers of a table."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the table {path} cannot be read: {error}; name a text file of numbers") from None
    rows = [_fields(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    named = bool(rows) and not any(_is_number(field) for field in rows[0])
    body = rows[1:] if named else rows
    try:
        values = np.array([[float(field or "nan") for field in row] for row in body])
    except ValueError as error:
        raise InputError(f"{path} is no table of numbers with as many in every line: {error}") from None
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"{path} holds no numbers; give a map, or one cell a line under row,col,conductance")
    return [field.strip().lower().split("(")[0].strip() for field in rows[0]] if named else [], values


def _fields(line: str) -> list[str]:
    mark = next((mark for mark in ("\t", ";", ",") if mark in line), None)
    return [field.strip() for field in line.split(mark)]


def _is_number(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True


def _laid_out(table: dict[str, FloatArray], columns: int | None, path: Path) -> FloatArray:
    row, col = _places(table, columns, path)
    if min(row.min(), col.min()) < 0 or (row.max() + 1) * (col.max() + 1) > _MOST_CELLS:
        raise InputError(f"{path} names cells up to row {row.max()}, column {col.max()}: that is no array")
    plane = np.full((int(row.max()) + 1, columns or int(col.max()) + 1), np.nan)
    plane[row, col] = _conductance(table, path)
    return plane


def _places(
    table: dict[str, FloatArray], columns: int | None, path: Path
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    address = _find(table, _ADDRESS)
    if address is not None:
        if columns is None:
            raise InputError(f"{path} holds addresses; say with --columns how many cells one word line has")
        return np.divmod(address.astype(np.intp), columns)
    row, col = _find(table, _ROW), _find(table, _COL)
    if row is None or col is None:
        raise InputError(
            f"{path} has columns {', '.join(table)}; name row and col, or an address (--names addr,R)"
        )
    return row.astype(np.intp), col.astype(np.intp)


def _conductance(table: dict[str, FloatArray], path: Path) -> FloatArray:
    given = _find(table, _CONDUCTANCE)
    if given is not None:
        return given * _scale(given)
    ohm = _find(table, ("resistance", "r_ohm", "ohm") if "row" in table else _RESISTANCE)
    if ohm is None:
        raise InputError(f"{path} has columns {', '.join(table)}; one must be conductance or resistance")
    with np.errstate(divide="ignore"):
        return np.where(ohm == 0, np.inf, 1.0 / ohm)


def _scale(conductance: FloatArray) -> float:
    known = conductance[np.isfinite(conductance)]
    return 1e-6 if known.size and float(np.median(np.abs(known))) > _LARGEST else 1.0


def _find(table: dict[str, FloatArray], names: tuple[str, ...]) -> FloatArray | None:
    return next((table[name] for name in names if name in table), None)
