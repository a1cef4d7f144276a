"""Serve an instrument on a TCP socket of this computer."""

import os
import select
import socket
import struct
from contextlib import suppress
from typing import final

from sim_backend.virtual.faults import Fault
from sim_backend.virtual.port import TICK, Gone, Plug, Port, Stream

LOOPBACK = "127.0.0.1"
CHUNK = 1 << 16
PATIENCE = 5.0
"""Time after which bytes that the host does not take are dropped (s)."""


def bound(number: int) -> socket.socket:
    """Return a socket at a port of this computer, for nobody else can reach it; OSError if it is taken."""
    made = socket.socket()
    try:
        if os.name != "nt":  # there it would share the port with whoever has it
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((LOOPBACK, number))
    except OSError:
        made.close()
        raise
    return made


@final
class SocketStream(Stream):
    """Move bytes over one connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(PATIENCE)
        self._connection = connection

    def receive(self, timeout: float) -> bytes:
        """Return what came within `timeout` (s)."""
        try:
            if not select.select([self._connection], [], [], timeout)[0]:
                return b""
            data = self._connection.recv(CHUNK)
        except (OSError, ValueError):
            raise Gone from None
        if not data:
            raise Gone
        return data

    def send(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self._connection.sendall(data)
        except OSError:
            raise Gone from None

    def hang_up(self) -> None:
        """End the connection from another thread; the one that serves it closes the socket."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self, broken: Fault | None) -> None:
        """Close in good order, or break off where that is the fault."""
        with suppress(OSError):
            if broken not in (None, Fault.FIN):
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._connection.close()


@final
class TcpPort(Port):
    """Serve a machine on a loopback socket; each connection is a conversation of its own."""

    def __init__(self, plug: Plug, number: int = 0) -> None:
        super().__init__(plug)
        self._number = number
        self._listener: socket.socket | None = None
        self._unplugged = False
        self._streams: list[SocketStream] = []

    @property
    def number(self) -> int:
        """Return the number of the port; 0 before it is open, where a free one is to be taken."""
        return self._number

    @property
    def address(self) -> str:
        """Return the address as pyserial opens it."""
        return f"socket://{LOOPBACK}:{self._number}"

    @property
    def resource(self) -> str:
        """Return the address as VISA opens it."""
        return f"TCPIP0::{LOOPBACK}::{self._number}::SOCKET"

    def open(self) -> None:
        """Listen and begin to serve."""
        self._listen()
        self.spawn(self._accept)

    def shut(self) -> None:
        """Stop listening and end the connections."""
        self._deafen()
        for stream in list(self._streams):
            stream.hang_up()

    def refuse(self, refused: bool) -> None:
        """Refuse new connections as a computer does on which nobody listens, or listen again."""
        if refused or self._unplugged:
            self._deafen()
        elif self._listener is None:
            self._listen()

    def unplug(self) -> None:
        """Break all connections off and stop listening."""
        self._unplugged = True
        self._deafen()
        for stream in list(self._streams):
            stream.close(Fault.UNPLUG)

    def replug(self, renamed: bool = False) -> None:
        """Listen again, on the same number or on another free one."""
        self._unplugged = False
        if renamed:
            self._number = 0
        self._listen()

    def _listen(self) -> None:
        listener = bound(self._number)
        listener.listen()
        self._number = listener.getsockname()[1]
        self._listener = listener

    def _deafen(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in select keeps the socket alive: shut it down first.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            self.plug.machine.tick()
            listener = self._listener
            if listener is None:
                self.stopped.wait(0.2 * TICK)
            else:
                self._take(listener)

    def _take(self, listener: socket.socket) -> None:
        try:
            if not select.select([listener], [], [], TICK)[0]:
                return
            stream = SocketStream(listener.accept()[0])
        except (OSError, ValueError):
            return
        self._streams.append(stream)
        self.spawn(self._serve, stream)

    def _serve(self, stream: SocketStream) -> None:
        broken = None
        try:
            broken = self.converse(stream)
        finally:
            self._streams.remove(stream)
            stream.close(broken)
        if broken is not None:
            self.suffer(broken)
