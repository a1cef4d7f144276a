"""Reach a controller board over a serial line."""

import errno
import time
from typing import Any, final

from drivers.socket_wire import SocketWire
from drivers.sockets import gone
from drivers.spec import socket_address
from drivers.wire import CHUNK, Wire
from rramlab.errors import LinkError, LinkFault

SLICE = 0.005
"""How long (s) pyserial waits at a time: to change its timeout is to configure the port anew."""


def _remedy(error: Exception) -> str:
    """Return what to try, by the number of the system's error."""
    match getattr(error, "errno", None):
        case errno.EACCES | errno.EPERM:
            return "this user may not open it: join the group that owns it (often dialout), and log in again"
        case errno.EAGAIN | errno.EBUSY:
            return "another program has it: end that one"
        case errno.EISDIR:
            return "it is no serial port; 'rramlab bench list' shows those that are there"
        case _:
            return "is it plugged in, and not in use? 'rramlab bench list' shows the ports that are there"


def board_wire(port: str, baud: int = 921_600, open_timeout: float = 2.0, alone: bool = True) -> Wire:
    """Return the wire to a board at a serial port ('COM5', '/dev/ttyACM0') or at 'socket://host:port'."""
    if not port.startswith("socket:"):
        return SerialWire(port, baud, alone=alone)
    try:
        return SocketWire(*socket_address(port), open_timeout)
    except ValueError as error:
        raise LinkError(LinkFault.REFUSED, str(error)) from None


@final
class SerialWire(Wire):
    """Carry bytes over a serial line of this computer, which no second rramlab can open meanwhile.

    Not `alone` it is opened whoever has it, where the system allows that (Windows does not): for a panic.

    Writing is given up after a patience (s) that grows with what is asked for and never shrinks: pyserial
    tells of a timeout also when all went out, but late, and configures the port anew at each change.
    """

    def __init__(self, port: str, baud: int = 921_600, patience: float = 2.0, alone: bool = True) -> None:
        self._port, self._baud, self._patience, self._alone = port, baud, patience, alone
        self._serial: Any = None  # pyserial has no types

    @property
    def name(self) -> str:
        """Return the port."""
        return self._port

    def open(self) -> None:
        """Take the port for this process alone, with nothing of an earlier talk in its buffers."""
        import serial

        self.close()
        try:
            self._serial = serial.serial_for_url(
                self._port,
                baudrate=self._baud,
                timeout=SLICE,
                write_timeout=self._patience,
                exclusive=self._alone or None,
            )
            self._serial.reset_input_buffer()
        except Exception as error:  # on a line that is being unplugged: termios.error, which is no OSError
            self.close()
            raise LinkError(
                LinkFault.REFUSED,
                f"port {self._port} cannot be opened ({error}); {_remedy(error)}",
            ) from error

    def close(self) -> None:
        """Give the port back."""
        port, self._serial = self._serial, None
        try:
            if port is not None:
                port.close()
        except Exception:  # an unplugged line may refuse even this
            return

    def write(self, data: bytes, timeout: float) -> None:
        """Send all of the data within a time (s), or within the patience with the line."""
        import serial

        port = self._opened()
        try:
            if timeout > self._patience:
                self._patience = port.write_timeout = timeout
            port.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkError(
                LinkFault.TIMEOUT,
                f"{self.name} took no more data for {self._patience:.3g} s; reset the board",
            ) from error
        except Exception as error:
            raise gone(self.name, error) from error

    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        """Return what arrives first, up to `most` bytes."""
        port = self._opened()
        end = time.monotonic() + timeout
        while True:
            data = self._some(port, most)
            if data:
                return data
            if time.monotonic() >= end:
                raise LinkError(LinkFault.TIMEOUT, f"{self.name} was silent for {timeout:.3g} s")

    def unasked(self) -> bytes:
        """Return what has arrived without being read."""
        port = self._opened()
        try:
            waiting = port.in_waiting
            return bytes(port.read(waiting)) if waiting else b""
        except Exception as error:
            raise gone(self.name, error) from error

    def _some(self, port: Any, most: int) -> bytes:
        try:
            return bytes(port.read(max(1, min(most, port.in_waiting, CHUNK))))
        except Exception as error:  # unplugged: SerialException, OSError, termios.error, TypeError
            raise gone(self.name, error) from error

    def _opened(self) -> Any:
        if self._serial is None:
            raise gone(self.name, "it is not open")
        return self._serial
