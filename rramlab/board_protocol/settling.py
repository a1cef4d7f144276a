"""Lay out SETTLE: what became of a request whose answer was lost with the process that asked."""

import struct
from dataclasses import dataclass
from typing import Self, final

from rramlab.board_protocol.cursor import Cursor, member
from rramlab.board_protocol.words import Outcome, Status

_REQUEST, _REPLY = "<IIQ", "<BBHIQ"


@final
@dataclass(frozen=True)
class SettleRequest:
    """Ask for a request of a session of a boot, and close that session up to it, for good."""

    boot: int
    session: int
    request: int

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_REQUEST, self.boot, self.session, self.request)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "SETTLE")
        boot, session, request = cursor.fields(_REQUEST)
        cursor.end()
        return cls(boot, session, request)


@final
@dataclass(frozen=True)
class SettleReply:
    """Tell the outcome; `last` is the last request executed in that session, the rest is about that one.

    `status` and `executed` (how many pulses went out) are those of request `last`; `reply` is the body of its
    answer, or empty where it is not kept any more.
    """

    outcome: Outcome
    status: Status = Status.OK
    executed: int = 0
    last: int = 0
    reply: bytes = b""

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_REPLY, self.outcome, self.status, 0, self.executed, self.last) + self.reply

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "the answer to SETTLE")
        outcome, status, _, executed, last = cursor.fields(_REPLY)
        return cls(member(Outcome, outcome), member(Status, status), executed, last, cursor.rest())
