"""Take a body apart from its front, and say so when its bytes cannot be what was meant."""

import struct
from enum import IntEnum
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import LinkError, LinkFault

Word = TypeVar("Word", bound=IntEnum)


@final
class Cursor:
    """Walk through the bytes of a body; what is missing, or left over, is a LinkError of kind GARBLED."""

    def __init__(self, body: bytes, what: str) -> None:
        self._body, self._what, self._at = body, what, 0

    @property
    def left(self) -> int:
        """Return how many bytes are left."""
        return len(self._body) - self._at

    def fields(self, layout: str) -> tuple[Any, ...]:
        """Return the next values of a `struct` layout."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def column(self, dtype: str, count: int) -> NDArray[Any]:
        """Return the next `count` values of a NumPy type."""
        return np.frombuffer(self.take(np.dtype(dtype).itemsize * count), dtype=dtype)

    def text(self) -> str:
        """Return the next text: a byte with its length, then UTF-8."""
        (length,) = self.fields("<B")
        return self.take(length).decode("utf-8", errors="replace")

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        if count > self.left:
            raise garbled(f"{self._what} has {len(self._body)} bytes where it needs {self._at + count}")
        self._at += count
        return self._body[self._at - count : self._at]

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(self.left)

    def end(self) -> None:
        """Refuse bytes that are left over."""
        if self.left:
            raise garbled(f"{self._what} has {self.left} bytes too many")


def member(kind: type[Word], value: int) -> Word:
    """Return the word of a number, or refuse a number that is none."""
    try:
        return kind(value)
    except ValueError:
        raise garbled(f"{value} is no {kind.__name__}") from None


def packed_text(text: str) -> bytes:
    """Return a text as a byte with its length, and at most 255 bytes of UTF-8."""
    data = text.encode()[:255]
    return bytes([len(data)]) + data


def garbled(why: str) -> LinkError:
    """Return the error of bytes that cannot be what was meant."""
    return LinkError(LinkFault.GARBLED, f"the bytes make no sense: {why}; check cable, speed and firmware")
