"""Keep the time of the virtual bench, in step with the host or free of it."""

import time
from abc import abstractmethod
from threading import Lock
from typing import final

from rramlab.clock import Clock


class WorldClock(Clock):
    """Hold the time (s) of a world; instruments let it pass by `sleep` and `reach`."""

    @abstractmethod
    def reach(self, moment: float) -> None:
        """Let time pass until `moment` (s) is reached; a moment gone by changes nothing."""

    @abstractmethod
    def start(self, moment: float) -> None:
        """Begin to count at `moment` (s), as a world does that was loaded from a file."""

    @property
    @abstractmethod
    def waits(self) -> bool:
        """Tell whether time passes by itself, so that work takes its real time."""


@final
class VirtualClock(WorldClock):
    """Let time pass by what instruments do: a million seconds cost nothing."""

    def __init__(self, moment: float = 0.0) -> None:
        self._moment = moment
        self._lock = Lock()

    @property
    def waits(self) -> bool:
        """Return False: nobody waits."""
        return False

    def now(self) -> float:
        """Return the time (s)."""
        return self._moment

    def sleep(self, seconds: float) -> None:
        """Let this much time pass (s), at once."""
        with self._lock:
            self._moment += max(seconds, 0.0)

    def reach(self, moment: float) -> None:
        """Let time pass until `moment` (s), exactly."""
        with self._lock:
            self._moment = max(self._moment, moment)

    def start(self, moment: float) -> None:
        """Begin to count at `moment` (s)."""
        with self._lock:
            self._moment = moment


@final
class RealClock(WorldClock):
    """Keep step with the monotonic clock of the host."""

    def __init__(self) -> None:
        self._zero = time.monotonic()

    @property
    def waits(self) -> bool:
        """Return True: time passes by itself."""
        return True

    def now(self) -> float:
        """Return the time (s) since the start."""
        return time.monotonic() - self._zero

    def sleep(self, seconds: float) -> None:
        """Sleep (s)."""
        time.sleep(max(seconds, 0.0))

    def reach(self, moment: float) -> None:
        """Sleep until `moment` (s): deadlines do not add up to a drift."""
        self.sleep(moment - self.now())

    def start(self, moment: float) -> None:
        """Begin to count at `moment` (s)."""
        self._zero = time.monotonic() - moment
