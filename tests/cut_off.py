"""Cut a procedure off at any point, and go on from its record with the macro brought back."""

from collections.abc import Callable
from typing import Any, TypeVar

from protocols.characterise.retold import Retold
from rramlab.backend import Backend
from rramlab.recorder import MemoryRecorder, Recorder

T = TypeVar("T")


class CutOff(Exception):
    """The process ended here."""


class Failing(Recorder):
    """Keep events, and end the process before the one of number `last` is kept."""

    def __init__(self, last: int) -> None:
        self.inner, self.left = MemoryRecorder(), last

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CutOff

    def request(self, *what: Any) -> int:
        self._count()
        return self.inner.request(*what)

    def result(self, *what: Any) -> None:
        self._count()
        self.inner.result(*what)

    def note(self, *what: Any) -> None:
        self.inner.note(*what)


def whole(make: Callable[[], Backend], work: Callable[[Retold], T]) -> tuple[T, int]:
    """Return what a procedure finds when nothing happens, and how many events it takes."""
    backend, recorder = make(), MemoryRecorder()
    backend.recorder = recorder
    with backend:
        return work(Retold(backend)), len(recorder.events)


def resumed(make: Callable[[], Backend], work: Callable[[Retold], T], last: int) -> T:
    """Return what a procedure finds that is cut off after `last` events and goes on in a new process."""
    dead, recorder = make(), Failing(last)
    dead.recorder = recorder
    try:
        with dead:
            work(Retold(dead))
    except CutOff:
        pass
    backend = make()
    backend.recorder = recorder.inner
    events = recorder.inner.events
    with backend:
        backend.replay(list(events))
        answered = {event.number for event in events if event.stage == "result"}
        backend.settle([e for e in events if e.stage == "request" and e.number not in answered], [])
        return work(Retold(backend, list(events)))
