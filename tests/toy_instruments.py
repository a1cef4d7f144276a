"""An instrument that is a socket: ON and OFF, and whoever asks hears which. Drivers find it by its spec."""

import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

from drivers.spec import BoardSpec, MeterSpec, PartSpec
from rramlab.finding import Finding


class ToyInstrument:
    """Serve one word a connection; `off_at` is the monotonic time of the last OFF."""

    def __init__(self, deaf: bool = False, sticks: bool = False) -> None:
        self.on = False
        self.off_at = float("nan")
        self.deaf, self.sticks = deaf, sticks
        self._went_off = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> str:
        return f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def wait_off(self, seconds: float = 20.0) -> bool:
        return self._went_off.wait(seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(20)

    def _serve(self) -> None:
        kept = []
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                break
            if self.deaf:
                kept.append(client)
                continue
            with client:
                client.settimeout(20)
                self._obey(client.recv(16))
                client.sendall(b"on" if self.on else b"off")
        for client in kept:
            client.close()

    def _obey(self, word: bytes) -> None:
        self.on = word == b"ON" or (self.on and self.sticks)
        if word == b"OFF" and not self.on:
            self.off_at = time.monotonic()
            self._went_off.set()


class ToyDriver:
    """Speak with a toy instrument, as far as a guardian does."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def say(self, word: bytes, timeout: float = 20.0) -> bytes:
        where = self.spec.port if isinstance(self.spec, BoardSpec) else self.spec.resource
        address = "127.0.0.1", int(where.rpartition(":")[2])
        with socket.create_connection(address, timeout=timeout) as link:
            link.sendall(word)
            return link.recv(16)

    @classmethod
    def switch_off(cls, spec: PartSpec) -> Finding:
        said = cls(spec).say(b"OFF").decode()
        return Finding(cls.__name__, f"output {said}", said == "off")


class HangingDriver(ToyDriver):
    """Never come back."""

    @classmethod
    def switch_off(cls, spec: PartSpec) -> Finding:
        threading.Event().wait(60)
        raise AssertionError("it came back")


def board_spec(instrument: ToyInstrument) -> BoardSpec:
    return BoardSpec(use="toy", port=instrument.port)


def meter_spec(instrument: ToyInstrument) -> MeterSpec:
    return MeterSpec(use="toy", resource=instrument.port, visa="@py")
