"""Carry bytes to an instrument and back."""

from abc import ABC, abstractmethod

CHUNK = 1 << 18
"""The most bytes that one reading of a stream asks for."""


class Wire(ABC):
    """Carry bytes to one instrument and back, in finite time; whatever breaks is a LinkError.

    A wire knows nothing of commands and keeps no state of its own but the connection: `Link` does that.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Return what the wire leads to, as a bench file says it."""

    @property
    def ended(self) -> bool:
        """Tell whether the last reading ended a message, on the wires that mark ends (HiSLIP, USB, GPIB)."""
        return False

    @abstractmethod
    def open(self) -> None:
        """Connect; a wire that is open is connected anew."""

    @abstractmethod
    def close(self) -> None:
        """Disconnect; never raises."""

    @abstractmethod
    def write(self, data: bytes, timeout: float) -> None:
        """Send all of the data within a time (s)."""

    @abstractmethod
    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        """Return from 1 to `most` bytes as soon as they are there, TIMEOUT when none came within a time (s).

        `line` says that the caller waits for a line of text: a wire that cannot tell what is there (a
        stream of a vendor's VISA) stops at the line feed then, and otherwise waits for all of `most`.
        """

    @abstractmethod
    def unasked(self) -> bytes:
        """Return what has arrived, without waiting; LOST when the other end is known to be gone."""
