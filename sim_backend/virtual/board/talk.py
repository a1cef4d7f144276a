"""Hear one host: PANIC before anything else, then frames."""

from collections.abc import Callable
from typing import Protocol, final

from rramlab.board_protocol.splitter import PanicWatch, Splitter
from sim_backend.virtual.machine import Conversation


class Hears(Protocol):
    """Stand for a board as a conversation sees it."""

    @property
    def boot(self) -> int:
        """Return the boot id."""

    def panic(self) -> None:
        """Take all lines to 0 V."""

    def hear(self, content: bytes, reply: Callable[[bytes], None]) -> None:
        """Take the content of a frame; `reply` takes the answer when there is one."""

    def tick(self) -> None:
        """Do what is due."""

    def wake(self) -> float:
        """Return after how many seconds of host time something is due."""


@final
class BoardTalk(Conversation):
    """Turn bytes of one host into requests, and keep the replies to it until they are fetched."""

    def __init__(self, board: Hears, most: int) -> None:
        self._board = board
        self._splitter = Splitter(most)
        self._panic = PanicWatch()
        self._boot = board.boot
        self._ready: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they arrive and return the replies that are ready."""
        self._board.tick()
        if self._panic.feed(data):
            self._board.panic()
        for content in self._splitter.feed(data):
            self._hear(content)
        return self._fetch()

    def poll(self) -> list[bytes]:
        """Return replies to work that is done by now."""
        self._board.tick()
        return self._fetch()

    def wake(self) -> float:
        """Return when the board has something to do (s)."""
        return self._board.wake()

    def _hear(self, content: bytes) -> None:
        if self._boot != self._board.boot:  # a reset: what was said before is not remembered
            self._boot = self._board.boot
            self._ready.clear()
        self._board.hear(content, self._ready.append)

    def _fetch(self) -> list[bytes]:
        ready, self._ready[:] = list(self._ready), []
        return ready
