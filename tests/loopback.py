"""Run a small TCP server in a thread that answers lines, and breaks the connection when asked to."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self, final

Answer = Callable[[bytes], bytes | None]


@final
class Loopback:
    """Serve each client in a thread of its own; `answer(line)` returns the reply, None to hang up.

    The words of the faults: a line FIN closes the connection, RST resets it, SILENT is never answered.
    """

    def __init__(self, answer: Answer | None = None) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._answer = answer or (lambda line: b"")
        self.lines: list[bytes] = []
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    @property
    def resource(self) -> str:
        return f"TCPIP0::127.0.0.1::{self.port}::SOCKET"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._threads[0].join(5)
        for client in self._open:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._open.append(client)
            self._threads.append(threading.Thread(target=self._talk, args=(client,), daemon=True))
            self._threads[-1].start()

    def _talk(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._answer_lines(client)

    def _answer_lines(self, client: socket.socket) -> None:
        with client.makefile("rb") as lines:
            for line in lines:
                self.lines.append(line)
                if line == b"FIN\n":
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if line == b"RST\n":
                    # A linger of zero seconds sends a reset in the place of a farewell.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if line == b"SILENT\n":
                    continue
                reply = self._answer(line)
                if reply is None:
                    return
                client.sendall(reply)
