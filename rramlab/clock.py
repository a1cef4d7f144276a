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


@final
class HostClock(Clock):
    """Follow the monotonic clock of this computer, which no change of date moves."""

    def now(self) -> float:
        """Return the time (s) since some moment in the past."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep (s)."""
        time.sleep(max(seconds, 0.0))
