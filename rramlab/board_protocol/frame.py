"""Put requests and responses into frames: COBS(header | body | CRC-32), then a zero byte."""

import struct
import zlib
from dataclasses import dataclass
from typing import Self, final

from cobs import cobs

from rramlab.board_protocol.cursor import garbled, member
from rramlab.board_protocol.words import REPLY, VERSION, State, Status

_REQUEST = struct.Struct("<BBBBIIQH")
_RESPONSE = struct.Struct("<BBBBIIQQIQH")
_CRC = struct.Struct("<I")
REQUEST_BYTES = _REQUEST.size
RESPONSE_BYTES = _RESPONSE.size
MOST_BODY = 0xFFFF
"""The largest body that a header can tell; a board names its own, smaller one in HELLO."""
MOST_CONTENT = RESPONSE_BYTES + MOST_BODY + _CRC.size


@final
@dataclass(frozen=True)
class Request:
    """Hold what a host asks; `request` is the id of a numbered command, else a tag that comes back."""

    command: int
    boot: int = 0
    session: int = 0
    request: int = 0
    body: bytes = b""
    flags: int = 0
    version: int = VERSION

    def encode(self) -> bytes:
        """Return the frame with its zero byte at the end."""
        head = (self.version, self.command, self.flags, 0, self.boot, self.session, self.request)
        return frame(_REQUEST.pack(*head, len(self.body)) + self.body)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the request that the content of a frame says."""
        if len(content) < REQUEST_BYTES:
            raise garbled(f"a request of {len(content)} bytes")
        version, command, flags, _, boot, session, request, length = _REQUEST.unpack_from(content)
        body = content[REQUEST_BYTES:]
        if len(body) != length or command & REPLY:
            raise garbled(f"a request {command} with {len(body)} bytes of body where {length} were told")
        return cls(command, boot, session, request, body, flags, version)


@final
@dataclass(frozen=True)
class Response:
    """Hold what a board answers; `request` is that of the request, `time` the time of the board (ns)."""

    command: int
    status: Status
    state: State
    boot: int
    session: int
    request: int
    last_executed: int = 0
    pulse_total: int = 0
    time: int = 0
    body: bytes = b""
    version: int = VERSION

    def encode(self) -> bytes:
        """Return the frame with its zero byte at the end."""
        words = (self.version, self.command | REPLY, self.status, self.state, self.boot, self.session)
        counts = (self.request, self.last_executed, self.pulse_total & 0xFFFFFFFF, self.time, len(self.body))
        return frame(_RESPONSE.pack(*words, *counts) + self.body)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the response that the content of a frame says."""
        if len(content) < RESPONSE_BYTES:
            raise garbled(f"a response of {len(content)} bytes")
        version, command, status, state, *ids, length = _RESPONSE.unpack_from(content)
        body = content[RESPONSE_BYTES:]
        if len(body) != length or not command & REPLY:
            raise garbled(f"a response {command} of status {status} with {len(body)} of {length} bytes")
        boot, session, request, last, pulses, time = ids
        known = member(Status, status)
        return cls(
            command & ~REPLY, known, State(state), boot, session, request, last, pulses, time, body, version
        )


def frame(content: bytes) -> bytes:
    """Return the content with its CRC-32 (of zlib, IEEE 802.3), stuffed, and a zero byte."""
    return bytes(cobs.encode(content + _CRC.pack(zlib.crc32(content)))) + b"\0"


def unframe(stuffed: bytes) -> bytes | None:
    """Return the content of what stood between two zero bytes, or None if it is not whole.

    Bytes that are not a frame pass for one with odds of 2^-32.
    """
    try:
        whole = cobs.decode(stuffed)
    except cobs.DecodeError:
        return None
    content, crc = whole[: -_CRC.size], whole[-_CRC.size :]
    return content if len(whole) > _CRC.size and _CRC.pack(zlib.crc32(content)) == crc else None
