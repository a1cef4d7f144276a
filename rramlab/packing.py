"""Pack named arrays into one blob and back, without pickle."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

Columns = Mapping[str, NDArray[Any]]

# Booleans, integers, reals, complex numbers, bytes and text: what both the blob and HDF5 can hold.
_KINDS = "biufcSU"
_WIDEST = {"f": 8, "c": 16}


def pack(columns: Columns) -> bytes:
    """Return one line of JSON (name, dtype, shape of each array) and then their bytes in C order."""
    arrays = {name: _checked(name, np.asarray(column)) for name, column in columns.items()}
    header = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    parts = [json.dumps(header, separators=(",", ":")).encode(), b"\n"]
    return b"".join(parts + [array.tobytes() for array in arrays.values()])


def unpack(blob: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of a blob; raise ValueError if it is not one."""
    line, _, _ = blob.partition(b"\n")
    offset, columns = len(line) + 1, {}
    for name, text, shape in json.loads(line):
        dtype = np.dtype(text)
        count = int(np.prod(shape, dtype=np.int64))
        columns[name] = _take(blob, dtype, count, offset).reshape(shape)
        offset += count * dtype.itemsize
    return columns


def check_name(name: str, what: str) -> None:
    """Refuse a name that could not stand in a file: empty, '.', '..', or with a '/' or NUL."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise InputError(f"{what} cannot be named {name!r}; use letters, digits, '_', '-' and '.'")


def _checked(name: str, array: NDArray[Any]) -> NDArray[Any]:
    check_name(name, "a column of a record")
    kind = array.dtype.kind
    if kind not in _KINDS or array.dtype.itemsize > _WIDEST.get(kind, array.dtype.itemsize):
        raise InputError(
            f"column '{name}' of type {array.dtype} cannot be recorded; "
            f"give numbers, booleans or text (float64 at most)"
        )
    return array


def _take(blob: bytes, dtype: np.dtype[Any], count: int, offset: int) -> NDArray[Any]:
    if count * dtype.itemsize == 0:
        return np.zeros(count, dtype=dtype)
    # The copy is writable and aligned, and lets go of the blob.
    return np.frombuffer(blob, dtype=dtype, count=count, offset=offset).copy()
