"""Read IDX files, the format of MNIST and EMNIST: bytes in an array of any number of dimensions.

A file begins with two zero bytes, a byte for the type of its numbers (8: unsigned bytes, the only one here),
a byte with the number of dimensions, and one big-endian number of 32 bits for each dimension. The numbers
follow, the last dimension fastest. Files may be compressed (gzip).
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

BYTES = 0x08
MOST_DIMENSIONS = 4
MOST_BYTES = 1 << 31
"""Four times the largest file of EMNIST; more is taken for a damaged header."""
GZIP = b"\x1f\x8b"


def read_idx(path: Path | str, dimensions: int | None = None) -> NDArray[np.uint8]:
    """Return the array in an IDX file of bytes; InputError says what is wrong with any other file.

    `dimensions`, when given, is how many the array must have: 3 for images, 1 for labels.
    """
    place = Path(path)
    try:
        with _opened(place) as file:
            return _read(file, dimensions)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{place} is damaged: {error}; fetch it again") from error
    except OSError as error:
        raise InputError(f"{place} cannot be read ({error.strerror}); name an IDX file") from error
    except ValueError as error:
        raise InputError(f"{place} is no IDX file of bytes: {error}; fetch it again") from error


def _opened(place: Path) -> IO[bytes]:
    """Open a file, through gzip if it is compressed."""
    with place.open("rb") as file:
        compressed = file.read(2) == GZIP
    return cast(IO[bytes], gzip.open(place, "rb")) if compressed else place.open("rb")


def _read(file: IO[bytes], dimensions: int | None) -> NDArray[np.uint8]:
    """Return the array, or raise whatever the first defect causes."""
    shape = _shape(file)
    if dimensions is not None and len(shape) != dimensions:
        raise ValueError(f"its array has {len(shape)} dimensions, wanted {dimensions}")
    wanted = math.prod(shape)
    if wanted > MOST_BYTES:
        raise ValueError(f"its header promises {wanted} bytes; possible are up to {MOST_BYTES}")
    content = file.read(wanted + 1)
    if len(content) < wanted:
        raise EOFError(f"{len(content)} bytes follow the header, {wanted} are promised")
    if len(content) > wanted:
        raise ValueError(f"more follows than the {wanted} bytes that its header promises")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _shape(file: IO[bytes]) -> tuple[int, ...]:
    """Return the dimensions that the header tells."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise ValueError(f"it begins with {magic.hex(' ') or 'nothing'}, wanted 00 00 08 and the dimensions")
    if magic[2] != BYTES:
        raise ValueError(f"its numbers are of type {magic[2]:#04x}, wanted {BYTES:#04x} (bytes)")
    if not 1 <= magic[3] <= MOST_DIMENSIONS:
        raise ValueError(f"it has {magic[3]} dimensions; possible are 1 to {MOST_DIMENSIONS}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise EOFError("it ends within the header")
    return struct.unpack(f">{magic[3]}I", sizes)
