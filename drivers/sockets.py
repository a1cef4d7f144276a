"""Move bytes through a connected socket in finite time, and notice at once that the other end has gone."""

import socket
from contextlib import suppress

from drivers.wire import CHUNK
from rramlab.errors import LinkError, LinkFault


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """Return a connected socket that sends what it is given at once."""
    place = f"{host}:{port}"
    try:
        connected = socket.create_connection((host, port), timeout=timeout)
    except TimeoutError as error:
        raise LinkError(
            LinkFault.TIMEOUT,
            f"{place} did not take a connection within {timeout:.3g} s; is it on, and in this network?",
        ) from error
    except OSError as error:
        raise LinkError(
            LinkFault.REFUSED,
            f"{place} refused a connection ({error}); is the port right, and does another program hold it?",
        ) from error
    hurry(connected)
    return connected


def hurry(connected: socket.socket) -> None:
    """Send small messages at once: else a command before a query costs 40 ms (Nagle, RFC 896)."""
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def send(connected: socket.socket, data: bytes, timeout: float, name: str) -> None:
    """Send all of the data within a time (s)."""
    connected.settimeout(timeout)
    try:
        connected.sendall(data)
    except TimeoutError as error:
        raise LinkError(
            LinkFault.TIMEOUT, f"{name} took no more data for {timeout:.3g} s; switch it off and on"
        ) from error
    except OSError as error:
        raise gone(name, error) from error


def receive(connected: socket.socket, most: int, timeout: float, name: str) -> bytes:
    """Return from 1 to `most` bytes that arrive within a time (s)."""
    connected.settimeout(timeout)
    try:
        data = connected.recv(min(most, CHUNK))
    except TimeoutError as error:
        raise LinkError(LinkFault.TIMEOUT, f"{name} was silent for {timeout:.3g} s") from error
    except OSError as error:
        raise gone(name, error) from error
    if not data:
        raise gone(name, "it closed the connection")
    return data


def waiting(connected: socket.socket, name: str) -> bytes:
    """Return what has arrived, without waiting."""
    connected.settimeout(0.0)
    try:
        data = connected.recv(CHUNK)
    except BlockingIOError:
        return b""
    except OSError as error:
        raise gone(name, error) from error
    if not data:
        raise gone(name, "it closed the connection")
    return data


def gone(name: str, why: object) -> LinkError:
    """Return the error of a link that broke."""
    return LinkError(LinkFault.LOST, f"the link to {name} broke ({why}); look at the cable and the power")


def hang_up(connected: socket.socket | None) -> None:
    """Close a socket, in whatever state it is."""
    if connected is not None:
        with suppress(OSError):
            connected.close()
