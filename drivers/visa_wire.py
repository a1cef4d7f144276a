"""Reach an instrument through PyVISA: sockets, HiSLIP, USB, GPIB and serial, by a resource string."""

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

from drivers import sockets
from drivers.visa_errors import link_error
from drivers.wire import CHUNK, Wire
from rramlab.errors import LinkError, LinkFault

if TYPE_CHECKING:
    from pyvisa.resources import MessageBasedResource

STREAMS = ("SOCKET", "ASRL")


@final
class VisaWire(Wire):
    """Carry bytes to a VISA resource; every kind works through the public calls of PyVISA.

    On a TCPIP SOCKET of PyVISA-py the bytes go through its socket itself: only there can a lost link be seen,
    a writing be finite, and a block be read at full speed whatever it contains. The resource manager is one
    for the whole process and is never closed here.
    """

    def __init__(
        self, resource: str, library: str = "@py", baud: int = 9600, open_timeout: float = 2.0
    ) -> None:
        self._name, self._library = resource, library
        self._baud, self._open_timeout = baud, open_timeout
        self._resource: MessageBasedResource | None = None
        self._socket: socket.socket | None = None
        self._rest = b""
        self._ended = False

    @property
    def name(self) -> str:
        """Return the resource string."""
        return self._name

    @property
    def ended(self) -> bool:
        """Tell whether the last reading came to the end that the wire marks."""
        return self._ended and not self._rest

    def open(self) -> None:
        """Connect, and find out now whether anybody is there."""
        self.close()
        try:
            self._resource = self._open()
            self._socket = _socket_of(self._resource)
            self._prepare()
        except LinkError:
            self.close()
            raise
        except Exception as error:  # PyVISA-py raises bare ones as well
            self.close()
            raise _unreachable(self.name, error) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect this resource; the others of the process stay open."""
        resource, self._resource, self._socket = self._resource, None, None
        self._rest, self._ended = b"", False
        if resource is not None:
            with suppress(Exception):
                resource.close()

    def write(self, data: bytes, timeout: float) -> None:
        """Send all of the data within a time (s)."""
        self._rest = b""
        if self._socket is not None:
            sockets.send(self._socket, data, timeout, self.name)
            return
        with link_error(self.name, timeout):
            self._opened(timeout).write_raw(data)

    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        """Return what arrives first, up to `most` bytes."""
        if self._socket is not None:
            return sockets.receive(self._socket, most, timeout, self.name)
        if not self._rest:
            self._rest = self._visa_read(most, timeout, line)
        data, self._rest = self._rest[:most], self._rest[most:]
        return data

    def unasked(self) -> bytes:
        """Return what has arrived without being read; most kinds of resource cannot tell."""
        if self._socket is not None:
            return sockets.waiting(self._socket, self.name)
        return self._rest

    # The public calls.

    def _open(self) -> "MessageBasedResource":
        import pyvisa
        from pyvisa.resources import MessageBasedResource

        opened = pyvisa.ResourceManager(self._library).open_resource(
            self._name, open_timeout=round(1000 * self._open_timeout)
        )
        if not isinstance(opened, MessageBasedResource):
            opened.close()
            raise LinkError(LinkFault.REFUSED, f"{self._name} carries no messages; name an instrument")
        return opened

    def _prepare(self) -> None:
        from pyvisa.constants import ResourceAttribute

        resource = self._opened(self._open_timeout)
        if self._socket is not None:
            _check_connected(self._socket)
            sockets.hurry(self._socket)
        elif self._kind() == "SOCKET":
            self._hurry(resource)
        elif self._kind() == "ASRL":
            resource.set_visa_attribute(ResourceAttribute.asrl_baud_rate, self._baud)

    def _hurry(self, resource: "MessageBasedResource") -> None:
        from pyvisa.constants import ResourceAttribute

        with suppress(Exception):  # a library that cannot set it has it set already
            resource.set_visa_attribute(ResourceAttribute.tcpip_nodelay, True)

    def _visa_read(self, most: int, timeout: float, line: bool) -> bytes:
        from pyvisa.constants import StatusCode

        stream = self._kind() in STREAMS
        with link_error(self.name, timeout):
            resource = self._opened(timeout)
            if stream:
                self._stop_at_line_feed(resource, line)
            # A message is read in large pieces: some instruments do not like to be asked for a few bytes.
            with resource.ignore_warning(StatusCode.success_max_count_read):
                data, status = resource.visalib.read(resource.session, most if stream else max(most, CHUNK))
        self._ended = not stream and status != StatusCode.success_max_count_read
        if not data:
            raise LinkError(LinkFault.TIMEOUT, f"{self.name} was silent for {timeout:.3g} s")
        return bytes(data)

    def _stop_at_line_feed(self, resource: "MessageBasedResource", line: bool) -> None:
        from pyvisa.constants import ResourceAttribute, SerialTermination

        resource.set_visa_attribute(ResourceAttribute.termchar, ord("\n"))
        resource.set_visa_attribute(ResourceAttribute.termchar_enabled, line)
        if self._kind() == "ASRL":
            end = SerialTermination.termination_char if line else SerialTermination.none
            resource.set_visa_attribute(ResourceAttribute.asrl_end_in, end)

    def _kind(self) -> str:
        name = self._name.upper()
        return "ASRL" if name.startswith("ASRL") else name.rsplit("::", 1)[-1]

    def _opened(self, timeout: float) -> "MessageBasedResource":
        if self._resource is None:
            raise sockets.gone(self.name, "it is not open")
        self._resource.timeout = max(1, round(1000 * timeout))
        return self._resource


def _socket_of(resource: "MessageBasedResource") -> socket.socket | None:
    """Return the socket of a PyVISA-py session, None with any other library or kind of resource."""
    sessions: Any = getattr(resource.visalib, "sessions", {})
    found = getattr(sessions.get(resource.session), "interface", None)
    return found if isinstance(found, socket.socket) else None


def _check_connected(connected: socket.socket) -> None:
    """Raise what PyVISA-py swallows: that nobody took the connection."""
    refused = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if refused:
        raise ConnectionRefusedError(refused, "nobody listens there")
    connected.getpeername()


def _unreachable(name: str, error: Exception) -> LinkError:
    from pyvisa.constants import StatusCode

    if getattr(error, "error_code", None) == StatusCode.error_invalid_resource_name:
        return LinkError(
            LinkFault.REFUSED,
            f"'{name}' is no VISA resource; write for example TCPIP0::192.168.1.20::5025::SOCKET or "
            "USB0::0x05E6::0x2450::04096331::INSTR; 'rramlab bench list' shows what is attached",
        )
    fault = LinkFault.TIMEOUT if "timeout" in str(error).lower() else LinkFault.REFUSED
    return LinkError(
        fault,
        f"{name} cannot be opened ({error}); is it switched on, is the resource right, "
        "and does another program hold it? 'rramlab bench list' shows what is attached",
    )
