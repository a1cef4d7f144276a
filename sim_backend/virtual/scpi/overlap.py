"""Do in the background what an instrument has begun: a sweep goes on while it answers."""

from collections.abc import Callable, Iterator
from threading import Condition, Thread, current_thread
from typing import final


@final
class Overlap:
    """Run the steps of one operation at a time; at once where time does not pass by itself.

    `lock` is that of the instrument: who waits gives it away, so that others can still talk to it.
    """

    def __init__(self, lock: Condition, waits: bool) -> None:
        self._lock, self._waits = lock, waits
        self._thread: Thread | None = None
        self._done: Callable[[], None] = _nothing

    @property
    def busy(self) -> bool:
        """Tell whether an operation is under way."""
        return self._thread is not None

    def start(self, steps: Iterator[None], done: Callable[[], None]) -> None:
        """Begin an operation; the lock is held by the caller, the steps run without it."""
        if not self._waits:
            for _ in steps:
                pass
            done()
            return
        self._done = done
        self._thread = Thread(target=self._run, args=(steps,), daemon=True)
        self._thread.start()

    def _run(self, steps: Iterator[None]) -> None:
        try:
            for _ in steps:
                if self._thread is not current_thread():
                    return  # aborted, and maybe something else has begun
        finally:
            with self._lock:
                if self._thread is current_thread():
                    self._end()

    def wait(self) -> None:
        """Wait until nothing is under way; the lock is held by the caller and given away meanwhile."""
        while self.busy:
            self._lock.wait(0.1)

    def abort(self) -> None:
        """End the operation at once; the step that it is in has no effect any more."""
        if self.busy:
            self._end()

    def _end(self) -> None:
        self._thread = None
        self._done()
        self._lock.notify_all()


def _nothing() -> None:
    """Do nothing."""
