"""Say what an instrument is to the port it answers through."""

from abc import ABC, abstractmethod
from math import inf


class Conversation(ABC):
    """Hold what one connected host has said so far; bytes come in, whole replies go out."""

    @abstractmethod
    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they arrive and return the replies that are ready, each with its end mark."""

    def poll(self) -> list[bytes]:
        """Return replies that became ready in the meantime."""
        return []

    def wake(self) -> float:
        """Return after how many seconds of host time `poll` is wanted; endless where nothing is under way."""
        return inf

    def close(self) -> None:  # noqa: B027 - most machines have nothing to forget
        """Forget the connection: the host is gone."""


class Machine(ABC):
    """Answer hosts: an instrument without its plug."""

    end: bytes = b"\n"
    """End mark of a request, by which faults count them; empty where each chunk is one."""

    @abstractmethod
    def attach(self) -> Conversation:
        """Return a conversation with a host that has just connected."""

    def tick(self) -> None:  # noqa: B027 - most machines do nothing by themselves
        """Do what is due although no host says anything; called about twenty times a second."""
