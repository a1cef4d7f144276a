"""Reach an instrument or a board by a plain TCP connection."""

import socket
from typing import final

from drivers import sockets
from drivers.wire import Wire


@final
class SocketWire(Wire):
    """Carry bytes over TCP to a port of a host."""

    def __init__(self, host: str, port: int, open_timeout: float = 2.0) -> None:
        self._host, self._port, self._open_timeout = host, port, open_timeout
        self._socket: socket.socket | None = None

    @property
    def name(self) -> str:
        """Return the address as a URL."""
        return f"socket://{self._host}:{self._port}"

    def open(self) -> None:
        """Connect."""
        self.close()
        self._socket = sockets.connect(self._host, self._port, self._open_timeout)

    def close(self) -> None:
        """Disconnect."""
        sockets.hang_up(self._socket)
        self._socket = None

    def write(self, data: bytes, timeout: float) -> None:
        """Send all of the data within a time (s)."""
        sockets.send(self._connected(), data, timeout, self.name)

    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        """Return what arrives first, up to `most` bytes."""
        return sockets.receive(self._connected(), most, timeout, self.name)

    def unasked(self) -> bytes:
        """Return what has arrived without being read."""
        return sockets.waiting(self._connected(), self.name)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise sockets.gone(self.name, "it is not open")
        return self._socket
