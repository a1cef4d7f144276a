"""Keep the macro of a virtual bench in a file, so that a bench that was killed comes back with it."""

import threading
import time
from pathlib import Path
from typing import Self, final

import numpy as np
from filelock import FileLock, Timeout

from rramlab.errors import BenchBusy
from sim_backend.virtual.machine import Conversation, Machine
from sim_backend.virtual.world import World

EVERY = 0.2
"""Longest time for which a change is not yet in the file (s)."""
CHEAP = 10e-3
"""A file that is written within this time (s) is written before the reply to a pulse goes out."""


@final
class StateKeeper:
    """Save the macro of a world when it has changed; without a path, do nothing.

    After a pulse it is saved before the reply goes out, as long as that is quick: what a host was told has
    then happened to the macro that comes back. Everything else is saved within 0.2 s.
    """

    def __init__(self, world: World, path: Path | None) -> None:
        self._world, self._path = world, path
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._cost, self._pulses, self._stale = 0.0, -1, False
        self._owner = FileLock(f"{path}.lock", blocking=False) if path is not None else None

    @property
    def cost(self) -> float:
        """Return how long the last saving took (s)."""
        return self._cost

    def __enter__(self) -> Self:
        if self._path is None or self._owner is None:
            return self
        try:
            self._owner.acquire()
        except Timeout:
            raise BenchBusy(
                f"the virtual macro in {self._path} is already served by another process; stop that one, or "
                f"give this one a file of its own with --state"
            ) from None
        if self._path.exists():
            self._world.load(self._path)
        self.save()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._thread is None or self._owner is None:
            return
        self._stopped.set()
        self._thread.join()
        self.save()
        self._owner.release()

    def touched(self) -> None:
        """Take note that a request was served; call it before its reply goes out."""
        if self._path is None:
            return
        self._stale = True
        if self._cost < CHEAP and self._count() != self._pulses:
            self.save()

    def save(self) -> None:
        """Save now."""
        if self._path is None:
            return
        with self._lock:
            began = time.perf_counter()
            self._stale, self._pulses = False, self._count()
            self._world.save(self._path)
            self._cost = time.perf_counter() - began

    def _count(self) -> int:
        return int(np.sum(self._world.pulses_seen))

    def _watch(self) -> None:
        while not self._stopped.wait(max(EVERY, 10 * self._cost)):
            if self._stale:
                self.save()


@final
class KeepingMachine(Machine):
    """Pass on what a machine says, after what it did to the macro is kept."""

    def __init__(self, inner: Machine, keeper: StateKeeper) -> None:
        self.inner, self._keeper = inner, keeper
        self.end = inner.end

    def attach(self) -> Conversation:
        """Return a conversation with a host."""
        return _Talk(self.inner.attach(), self._keeper)

    def tick(self) -> None:
        """Let the machine do what is due, such as a watchdog that no host feeds any more."""
        self.inner.tick()


@final
class _Talk(Conversation):
    def __init__(self, inner: Conversation, keeper: StateKeeper) -> None:
        self._inner, self._keeper = inner, keeper

    def feed(self, data: bytes) -> list[bytes]:
        return self._kept(self._inner.feed(data))

    def poll(self) -> list[bytes]:
        return self._kept(self._inner.poll())

    def wake(self) -> float:
        return self._inner.wake()

    def close(self) -> None:
        self._inner.close()

    def _kept(self, replies: list[bytes]) -> list[bytes]:
        if replies:
            self._keeper.touched()
        return replies
