"""Serve an instrument on a pseudo-terminal, as a serial port that keeps its name."""

import os
import select
import threading
from contextlib import suppress
from pathlib import Path
from typing import final

from sim_backend.virtual.faults import Fault
from sim_backend.virtual.port import Gone, Plug, Port, Stream

CHUNK = 1 << 16
PATIENCE = 1.0
"""Time after which bytes that nobody reads are dropped, as those of a serial line are (s)."""


@final
class TerminalStream(Stream):
    """Move bytes over the master side of a pseudo-terminal."""

    def __init__(self) -> None:
        import pty
        import tty

        self._master, self._slave = pty.openpty()
        # The slave stays open here: a host may come and go, as at a serial port.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self.pulled = False
        self._closed = threading.Event()

    def receive(self, timeout: float) -> bytes:
        """Return what came within `timeout` (s)."""
        if self.pulled:
            raise Gone
        ready = select.select([self._master], [], [], timeout)[0]
        try:
            return os.read(self._master, CHUNK) if ready else b""
        except BlockingIOError:
            return b""
        except OSError:
            raise Gone from None

    def send(self, data: bytes) -> None:
        """Send bytes; what the host does not read in time is dropped."""
        while data and not self.pulled and select.select([], [self._master], [], PATIENCE)[1]:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Gone from None

    def pull(self) -> None:
        """Have the plug pulled by the thread that serves, and wait for it."""
        self.pulled = True
        self._closed.wait(PATIENCE)

    def close(self) -> None:
        """Pull the plug: whoever has the device open finds it broken."""
        for descriptor in (self._slave, self._master):
            with suppress(OSError):
                os.close(descriptor)
        self._closed.set()


@final
class TerminalPort(Port):
    """Serve a machine on a pseudo-terminal; the link `path` to it stays when it is replugged."""

    def __init__(self, plug: Plug, path: Path) -> None:
        super().__init__(plug)
        self._path = path
        self._stream: TerminalStream | None = None

    @property
    def address(self) -> str:
        """Return the path that a host opens."""
        return str(self._path)

    def open(self) -> None:
        """Make the pseudo-terminal and begin to serve."""
        self.replug()

    def shut(self) -> None:
        """Pull the plug for good."""
        self.unplug()

    def refuse(self, refused: bool) -> None:
        """Hide the device from new hosts, or show it again."""
        if refused:
            self._path.unlink(missing_ok=True)
        elif self._stream is not None:
            self._link(self._stream.device)

    def unplug(self) -> None:
        """Pull the plug: the device breaks and its name is gone."""
        stream, self._stream = self._stream, None
        self._path.unlink(missing_ok=True)
        if stream is not None:
            stream.pull()

    def replug(self, renamed: bool = False) -> None:
        """Plug in again: another pseudo-terminal, under the same name or with a 1 added."""
        if renamed:
            self._path = self._path.with_name(f"{self._path.name}1")
        stream = self._stream = TerminalStream()
        self._link(stream.device)
        self.spawn(self._serve, stream)

    def _link(self, device: str) -> None:
        aside = self._path.with_name(f".{self._path.name}.new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(device)
        aside.replace(self._path)

    def _serve(self, stream: TerminalStream) -> None:
        try:
            broken = self.converse(stream)
        finally:
            if stream is self._stream:  # its device may be somebody else's as soon as it is closed
                self._path.unlink(missing_ok=True)
            stream.close()
        if broken in (Fault.FIN, Fault.RST):  # a serial line knows neither: its plug makes bad contact
            self.unplug()
            self.replug()
        elif broken is not None:
            self.suffer(broken)
