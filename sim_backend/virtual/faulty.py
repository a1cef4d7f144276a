"""Put faults between a host and an instrument, request by request and reply by reply."""

from typing import final

from rramlab.board_protocol.splitter import PANIC
from rramlab.clock import Clock
from sim_backend.virtual.faults import Fault, Injector
from sim_backend.virtual.machine import Conversation, Machine

BREAKS = (Fault.FIN, Fault.RST, Fault.UNPLUG, Fault.REPLUG, Fault.RENAME)
"""Faults after which the link is no more; the port carries them out."""
REQUEST_FAULTS = (Fault.LOSE_REQUEST, Fault.FLIP_REQUEST, Fault.LATE_REQUEST, Fault.TWICE_REQUEST)


@final
class FaultyConversation(Conversation):
    """Pass on what a host and an instrument say, with the faults of an injector.

    `broken` tells the port that the link ends here, `reads` that it still takes bytes.
    """

    def __init__(self, machine: Machine, injector: Injector, clock: Clock) -> None:
        self._inner = machine.attach()
        self._end = machine.end
        self._injector = injector
        self._clock = clock
        self._partial = b""
        self._silent = self._stuck = False
        self._earlier = b""
        self._late: list[tuple[float, bytes]] = []
        self._late_requests: list[tuple[float, bytes]] = []
        self.broken: Fault | None = None

    @property
    def reads(self) -> bool:
        """Tell whether the port should take bytes."""
        self._stuck = self._stuck and self._injector.holds(Fault.STOP_READING)
        return not self._stuck

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, strike requests and replies, and return what the host gets."""
        replies = []
        for request in self._requests(data):
            replies += self._faulty(self._inner.feed(request))
        return replies + self._due()

    def poll(self) -> list[bytes]:
        """Return replies that became ready, and late ones whose time has come."""
        now, late = self._clock.now(), self._late_requests
        self._late_requests = [entry for entry in late if entry[0] > now]
        replies = [self._inner.feed(request) for moment, request in late if moment <= now]
        return self._faulty(sum(replies, self._inner.poll())) + self._due()

    def wake(self) -> float:
        """Return the host time (s) until `poll` is wanted."""
        waits = [due - self._clock.now() for due, _ in self._late + self._late_requests]
        return max(0.0, min([self._inner.wake(), *waits]))

    def close(self) -> None:
        """Forget the connection."""
        self._inner.close()

    # Requests.

    def _requests(self, data: bytes) -> list[bytes]:
        """Return what of these bytes reaches the instrument, request by request."""
        whole = self._whole(data)
        passed = [part for request in whole for part in self._request(request)]
        # An unfinished request waits only for a fault that may strike it, the end of a PANIC never.
        if not self._holds() or self._partial == PANIC[-1:]:
            passed, self._partial = [*passed, self._partial], b""
        return [part for part in passed if part]

    def _whole(self, data: bytes) -> list[bytes]:
        if not self._end:
            return [data]
        *whole, self._partial = (self._partial + data).split(self._end)
        return [request + self._end for request in whole]

    def _holds(self) -> bool:
        return any(self._injector.armed(fault) for fault in REQUEST_FAULTS)

    def _request(self, request: bytes) -> list[bytes]:
        if request == self._end:
            return [request]
        if self._injector.strikes(Fault.STOP_READING):
            self._stuck = True
        if self._injector.strikes(Fault.LOSE_REQUEST) or not self.reads:
            return []
        if self._injector.strikes(Fault.FLIP_REQUEST):
            request = self._flipped(request)
        if self._injector.strikes(Fault.LATE_REQUEST):
            self._late_requests.append((self._clock.now() + self._injector.delay, request))
            return []
        return [request] * (1 + self._injector.strikes(Fault.TWICE_REQUEST))

    # Replies.

    def _faulty(self, replies: list[bytes]) -> list[bytes]:
        return [part for reply in replies for part in self._reply(reply)]

    def _reply(self, reply: bytes) -> list[bytes]:
        if self.broken is None:
            self.broken = next((fault for fault in BREAKS if self._injector.strikes(fault)), None)
        silent = self._silent and self._injector.holds(Fault.SILENT)
        self._silent = silent or self._injector.strikes(Fault.SILENT)
        if self.broken or self._silent or self._injector.strikes(Fault.LOSE_REPLY):
            return []
        earlier, self._earlier = self._earlier, reply
        reply = self._spoilt(reply, earlier)
        if self._injector.strikes(Fault.LATE):
            self._late.append((self._clock.now() + self._injector.delay, reply))
            return []
        return [reply] * (1 + self._injector.strikes(Fault.TWICE))

    def _spoilt(self, reply: bytes, earlier: bytes) -> bytes:
        strikes, rng = self._injector.strikes, self._injector.rng
        if strikes(Fault.FOREIGN):
            reply = earlier or b"?" + self._end
        if strikes(Fault.UNTERMINATED):
            reply = reply.removesuffix(self._end)
        if strikes(Fault.CUT):
            reply = reply[: len(reply) // 2]
        if strikes(Fault.LENGTH):
            reply = wrong_length(reply)
        if strikes(Fault.GARBAGE):
            reply = rng.bytes(7) + reply
        return self._flipped(reply) if strikes(Fault.FLIP) else reply

    def _flipped(self, message: bytes) -> bytes:
        """Return a message with one bit flipped, its end mark spared."""
        inner = message.removesuffix(self._end)
        if not inner:
            return message
        bit = int(self._injector.rng.integers(8 * len(inner)))
        spoilt = bytearray(inner)
        spoilt[bit // 8] ^= 1 << (bit % 8)
        return bytes(spoilt) + message[len(inner) :]

    def _due(self) -> list[bytes]:
        now = self._clock.now()
        due = [reply for moment, reply in self._late if moment <= now]
        self._late = [entry for entry in self._late if entry[0] > now]
        return due


def wrong_length(reply: bytes) -> bytes:
    """Return a block that announces ten bytes more than it has, or any other reply a byte short."""
    digits = reply[1:2]
    if reply[:1] != b"#" or not digits.isdigit() or digits == b"0":
        middle = len(reply) // 2
        return reply[:middle] + reply[middle + 1 :]
    stop = 2 + int(digits)
    length = int(reply[2:stop]) + 10
    return b"#" + digits + f"{length:0{int(digits)}d}".encode()[-int(digits) :] + reply[stop:]
