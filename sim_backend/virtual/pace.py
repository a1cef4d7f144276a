"""Imitate the speed of a serial line."""

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import final

from sim_backend.virtual.clock import WorldClock

BITS_PER_BYTE = 10
"""Start bit, eight bits of data, stop bit."""
PIECE = 5e-3
"""Time on the line after which a part of a long message is handed on (s)."""


@final
@dataclass
class Pace:
    """Let bytes take their time on one direction of a line (`baud` bits per second; 0 is endlessly fast)."""

    baud: int
    clock: WorldClock
    _free: float = 0.0

    def book(self, count: int) -> float:
        """Return the moment (s) at which this many bytes have passed; deadlines do not drift."""
        self._free = max(self._free, self.clock.now())
        if self.baud:
            self._free += BITS_PER_BYTE * count / self.baud
        return self._free

    def spend(self, count: int) -> None:
        """Let the time of this many bytes pass."""
        if self.baud and count:
            self.clock.reach(self.book(count))

    def pieces(self, data: bytes) -> list[bytes]:
        """Return a message in the parts that arrive one after the other."""
        size = max(1, int(PIECE * self.baud / BITS_PER_BYTE)) if self.baud else max(1, len(data))
        return [data[i : i + size] for i in range(0, len(data), size)]


@final
@dataclass
class Outbox:
    """Hold what is on its way to the host, so that a long reply keeps nobody from being heard."""

    pace: Pace
    _queue: deque[tuple[float, bytes]] = field(default_factory=deque)

    def put(self, message: bytes) -> None:
        """Put a message on the line behind what is there already."""
        for piece in self.pace.pieces(message):
            moment = self.pace.book(len(piece))
            if self.pace.baud and not self.pace.clock.waits:
                self.pace.clock.reach(moment)
            self._queue.append((moment, piece))

    def due(self) -> bytes:
        """Return what has passed the line by now."""
        now, passed = self.pace.clock.now(), b""
        while self._queue and self._queue[0][0] <= now:
            passed += self._queue.popleft()[1]
        return passed

    def wake(self) -> float:
        """Return after how many seconds more has passed; endless where nothing is on its way."""
        return max(0.0, self._queue[0][0] - self.pace.clock.now()) if self._queue else inf
