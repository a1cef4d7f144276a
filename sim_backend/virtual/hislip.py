"""Wrap an instrument in HiSLIP (IVI-6.1), as LAN instruments do beside their raw socket.

One session is two connections: on one go messages, on the other device clear, status and message sizes.
A reply carries the id of the message that asked for it, so that a host drops what it no longer waits for.
Locks, service requests, overlapped mode and encryption are not here.
"""

import struct
from collections.abc import Callable, Iterator
from itertools import count
from typing import final

from sim_backend.virtual.machine import Conversation, Machine

HEADER = struct.Struct("!2sBBIQ")
"""Prologue, type, control code, parameter, length of the payload."""
PROLOGUE = b"HS"
VERSION, VENDOR = 0x0100, 0x5252
LARGEST = 1 << 20
"""Bytes of a message that this side takes, and sends unless the host takes less."""
INITIALIZE, INITIALIZE_RESPONSE, FATAL, ERROR = 0, 1, 2, 3
DATA, DATA_END, CLEAR_COMPLETE, CLEAR_ACKNOWLEDGE = 6, 7, 8, 9
TRIGGER, MAX_SIZE, MAX_SIZE_RESPONSE = 12, 15, 16
ASYNC_INITIALIZE, ASYNC_INITIALIZE_RESPONSE, ASYNC_CLEAR = 17, 18, 19
STATUS_QUERY, STATUS_RESPONSE, ASYNC_CLEAR_ACKNOWLEDGE = 21, 22, 23
LOCK_INFO, LOCK_INFO_RESPONSE = 24, 25


def message(kind: int, control: int = 0, parameter: int = 0, payload: bytes = b"") -> bytes:
    """Return a HiSLIP message."""
    return HEADER.pack(PROLOGUE, kind, control, parameter, len(payload)) + payload


@final
class _Session:
    """Hold what the two connections of one host share."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        self.largest = LARGEST
        self.cleared = False


@final
class HislipMachine(Machine):
    """Speak HiSLIP for an instrument; `status` returns its status byte."""

    end = b""

    def __init__(self, inner: Machine, status: Callable[[], int]) -> None:
        self.inner, self.status = inner, status
        self.sessions: dict[int, _Session] = {}
        self._numbers = count(1)

    def attach(self) -> Conversation:
        """Return a conversation with a connection, of whichever of the two kinds it will be."""
        return _Channel(self)

    def begin(self) -> tuple[int, _Session]:
        """Begin a session and return its number."""
        number = next(self._numbers) & 0xFFFF
        self.sessions[number] = _Session(self.inner.attach())
        return number, self.sessions[number]


@final
class _Channel(Conversation):
    def __init__(self, machine: HislipMachine) -> None:
        self._machine = machine
        self._buffer = bytearray()
        self._text = b""
        self._number: int | None = None
        self._session: _Session | None = None
        self._dead = False

    def feed(self, data: bytes) -> list[bytes]:
        if self._dead:
            return []
        self._buffer += data
        return [reply for found in self._messages() for reply in self._answer(*found)]

    def close(self) -> None:
        if self._number is not None:
            self._machine.sessions.pop(self._number, None)

    def _messages(self) -> Iterator[tuple[int, int, int, bytes]]:
        while len(self._buffer) >= HEADER.size:
            prologue, kind, control, parameter, length = HEADER.unpack_from(self._buffer)
            if prologue != PROLOGUE:
                self._dead = True
                yield FATAL, 1, 0, b""
                return
            if len(self._buffer) < HEADER.size + length:
                return
            payload = bytes(self._buffer[HEADER.size : HEADER.size + length])
            del self._buffer[: HEADER.size + length]
            yield kind, control, parameter, payload

    def _answer(self, kind: int, control: int, parameter: int, payload: bytes) -> list[bytes]:
        if kind == INITIALIZE:
            self._number, self._session = self._machine.begin()
            return [message(INITIALIZE_RESPONSE, 0, VERSION << 16 | self._number)]
        if kind == ASYNC_INITIALIZE:
            self._session = self._machine.sessions.get(parameter & 0xFFFF)
            return [message(ASYNC_INITIALIZE_RESPONSE, 0, VENDOR)] if self._session else self._fatal(3)
        if kind == FATAL:
            return self._fatal(control)
        if self._session is None:
            return self._fatal(2)
        return self._within(self._session, kind, parameter, payload)

    def _within(self, session: _Session, kind: int, parameter: int, payload: bytes) -> list[bytes]:
        if kind in (DATA, DATA_END):
            return self._heard(session, kind, parameter, payload)
        if kind == MAX_SIZE and len(payload) == 8:
            session.largest = max(HEADER.size + 1, min(LARGEST, struct.unpack("!Q", payload)[0]))
            return [message(MAX_SIZE_RESPONSE, 0, 0, struct.pack("!Q", LARGEST))]
        if kind == STATUS_QUERY:
            return [message(STATUS_RESPONSE, self._machine.status() & 0xFF)]
        if kind == ASYNC_CLEAR:
            session.talk, session.cleared = self._machine.inner.attach(), True
            return [message(ASYNC_CLEAR_ACKNOWLEDGE)]
        if kind == CLEAR_COMPLETE:
            self._text, session.cleared = b"", False
            return [message(CLEAR_ACKNOWLEDGE)]
        if kind == LOCK_INFO:
            return [message(LOCK_INFO_RESPONSE)]
        return [] if kind == TRIGGER else [message(ERROR, 1, 0, b"Unrecognized message type")]

    def _heard(self, session: _Session, kind: int, number: int, payload: bytes) -> list[bytes]:
        if session.cleared:
            return []  # what was under way before a device clear is dropped
        self._text += payload
        if kind == DATA:
            return []
        text, self._text = self._text, b""
        replies = session.talk.feed(text if text.endswith(b"\n") else text + b"\n")
        return [part for reply in replies for part in _parts(reply, number, session.largest)]

    def _fatal(self, code: int) -> list[bytes]:
        self._dead = True
        return [message(FATAL, code, 0, b"this session cannot go on")]


def _parts(reply: bytes, number: int, largest: int) -> Iterator[bytes]:
    """Return a reply in messages that the host takes, the last of them marked as its end."""
    size = largest - HEADER.size
    pieces = [reply[i : i + size] for i in range(0, len(reply), size)]
    for piece in pieces[:-1]:
        yield message(DATA, 0, number, piece)
    yield message(DATA_END, 0, number, pieces[-1])
