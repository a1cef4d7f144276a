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
        self._aborted = False

    @property
    def busy(self) -> bool:
        """Tell whether an operation is under way."""
        return self._thread is not None

    @property
    def aborted(self) -> bool:
        """Tell whether the last operation was cut short."""
        return self._aborted

    def start(self, steps: Iterator[None], done: Callable[[], None]) -> None:
        """Begin an operation; the lock is held by the caller, the steps run without it."""
        self._aborted = False
        if not self._waits:
            for _ in steps:
                pass
            done()
            return
        self._thread = Thread(target=self._run, args=(steps, done), daemon=True)
        self._thread.start()

    def _run(self, steps: Iterator[None], done: Callable[[], None]) -> None:
        try:
            for _ in steps:
                if self._aborted:
                    break
        finally:
            with self._lock:
                done()
                self._thread = None
                self._lock.notify_all()

    def wait(self) -> None:
        """Wait until nothing is under way; the lock is held by the caller and given away meanwhile."""
        while self.busy and self._thread is not current_thread():
            self._lock.wait(0.1)

    def abort(self) -> None:
        """Cut the operation short and wait for the step that it is in."""
        self._aborted = self.busy
        self.wait()
