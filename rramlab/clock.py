"""Tell the time of a bench and let it pass."""

import time
from abc import ABC, abstractmethod
from typing import final


class Clock(ABC):
    """Hold the time (s) of whoever waits; it never goes back."""

    @abstractmethod
    def now(self) -> float:
        """Return the time (s)."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Let this much time pass (s)."""


_EPOCH = time.time() - time.monotonic()
"""The epoch at the zero of the monotonic clock (s)."""


@final
class HostClock(Clock):
    """Follow the monotonic clock of this computer, which no change of date moves.

    It counts from the epoch, so that a run that is continued, after a restart of the computer too, finds its
    times in the past by as much as has gone by.
    """

    def now(self) -> float:
        """Return the time (s) since the epoch; a change of date while this process runs is not seen."""
        return _EPOCH + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep (s)."""
        time.sleep(max(seconds, 0.0))
