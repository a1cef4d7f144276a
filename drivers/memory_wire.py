"""Reach a machine in this process, without a wire and without waiting."""

from collections.abc import Callable
from typing import final

from drivers.sockets import gone
from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault


@final
class MemoryWire(Wire):
    """Carry bytes to a function that returns the bytes of the answer; silence is a TIMEOUT at once."""

    def __init__(self, machine: Callable[[bytes], bytes], name: str = "memory") -> None:
        self._machine, self._name = machine, name
        self._arrived = bytearray()
        self._is_open = False

    @property
    def name(self) -> str:
        """Return the name that the wire was given."""
        return self._name

    def open(self) -> None:
        """Connect; nothing of an earlier talk is left."""
        self._arrived.clear()
        self._is_open = True

    def close(self) -> None:
        """Disconnect."""
        self._is_open = False

    def arrive(self, data: bytes) -> None:
        """Let bytes arrive that nobody asked for."""
        self._arrived += data

    def write(self, data: bytes, timeout: float) -> None:
        """Give the machine its bytes."""
        self._check_open()
        self._arrived += self._machine(data)

    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        """Return what the machine answered, up to `most` bytes."""
        self._check_open()
        if not self._arrived:
            raise LinkError(LinkFault.TIMEOUT, f"{self.name} was silent for {timeout:.3g} s")
        return self._take(most)

    def unasked(self) -> bytes:
        """Return what is left of the answers."""
        self._check_open()
        return self._take(len(self._arrived))

    def _take(self, most: int) -> bytes:
        data = bytes(self._arrived[:most])
        del self._arrived[:most]
        return data

    def _check_open(self) -> None:
        if not self._is_open:
            raise gone(self.name, "it is not open")
