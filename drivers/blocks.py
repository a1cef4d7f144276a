"""Read IEEE 488.2 blocks: '#', the number of digits, the length, and that many bytes of whatever content."""

from collections.abc import Callable
from typing import final

from drivers.wire import CHUNK
from rramlab.errors import LinkError, LinkFault

SOME = Callable[[int], bytes]
"""Return from 1 to so many bytes."""
QUIET = 0.1
"""Silence (s) after a line feed that ends a block without a length, on a wire that marks no ends."""


@final
class BlockReader:
    """Read one block by exact count, so that its content can neither end nor slow it.

    `some(most)` returns the next bytes, `ended()` tells whether the wire marked the end of the message,
    `quiet()` whether nothing more comes.
    """

    def __init__(
        self, some: SOME, ended: Callable[[], bool], quiet: Callable[[], bool], name: str, count: int | None
    ) -> None:
        self._some, self._ended, self._quiet = some, ended, quiet
        self._name, self._count = name, count

    def read(self) -> bytearray:
        """Return the content of the block; the line feed after it is read too."""
        length = self._length()
        if length is None and self._count is None:
            return self._unbounded()
        wanted = self._count if length is None else length
        if self._count not in (None, wanted):
            raise self._garbled(f"a block of {wanted} bytes where {self._count} were expected")
        data = self._exactly(wanted or 0)
        self._end()
        return data

    def _length(self) -> int | None:
        """Return the length that the header gives; None where it is left open ('#0')."""
        head = self._exactly(2)
        if head[:1] != b"#" or not head[1:].isdigit():
            raise self._garbled(f"'{head.decode('ascii', 'replace')}...' where a block should begin with '#'")
        digits = self._exactly(int(head[1:]))
        if not digits:
            return None
        if not digits.isdigit():
            raise self._garbled(f"the length '{digits.decode('ascii', 'replace')}' of a block")
        return int(digits)

    def _exactly(self, count: int) -> bytearray:
        # Grown as it comes: a header that lies cannot take all the memory.
        data = bytearray()
        while len(data) < count:
            data += self._some(min(count - len(data), CHUNK))
        return data

    def _end(self) -> None:
        if self._ended():
            return
        end = bytes(self._some(1))
        if end == b"\r":
            end = bytes(self._some(1))
        if end != b"\n":
            raise self._garbled("a block that is longer than its header says")

    def _unbounded(self) -> bytearray:
        data = bytearray()
        while not (self._ended() or (data.endswith(b"\n") and self._quiet())):
            data += self._some(CHUNK)
        return data.removesuffix(b"\n")

    def _garbled(self, what: str) -> LinkError:
        return LinkError(LinkFault.GARBLED, f"{self._name} sent {what}; the transfer is worthless, ask again")
