"""Cut a stream of bytes into frames, whatever its pieces, and find the next one after anything broken."""

from typing import final

from rramlab.board_protocol.frame import MOST_CONTENT, unframe

_STUFFED = MOST_CONTENT + MOST_CONTENT // 254 + 2
PANIC = b"\x00\x18" * 3
"""The bytes that take a board to safe without any parser: no frame contains or makes them."""


@final
class Splitter:
    """Collect bytes and give out the contents of the frames that arrived whole; `broken` counts the others.

    A zero byte ends what came before it, always, so that one broken frame costs at most the next one.
    """

    def __init__(self, most: int = _STUFFED) -> None:
        self._most = most
        self._kept = bytearray()
        self._overlong = False
        self.broken = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the contents of the frames that these bytes complete."""
        *ended, begun = data.split(b"\0")
        found = [content for part in ended if (content := self._end(part)) is not None]
        self._keep(begun)
        return found

    def clear(self) -> None:
        """Forget a frame that has begun."""
        self._kept.clear()
        self._overlong = False

    def _end(self, part: bytes) -> bytes | None:
        self._keep(part)
        stuffed, overlong = bytes(self._kept), self._overlong
        self.clear()
        content = unframe(stuffed) if stuffed and not overlong else None
        self.broken += content is None and (overlong or bool(stuffed))
        return content

    def _keep(self, part: bytes) -> None:
        if len(self._kept) + len(part) > self._most:
            self._overlong = True
            self._kept.clear()
        if not self._overlong:
            self._kept += part


@final
class PanicWatch:
    """See PANIC in a raw stream, also when it arrives in pieces; it stands before any parser."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> bool:
        """Tell whether these bytes complete a PANIC."""
        stream = self._tail + data
        seen = PANIC in stream
        self._tail = b"" if seen else stream[-(len(PANIC) - 1) :]
        return seen
