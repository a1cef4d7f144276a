"""Watch whether the host lives while lines are driven."""

from dataclasses import dataclass
from math import inf
from typing import final

from rramlab.clock import Clock


@final
@dataclass
class Watchdog:
    """Count the time since the host was last heard; `limit` (s, 0 for none) is what it may be silent."""

    clock: Clock
    limit: float = 0.0
    _heard: float = 0.0

    def feed(self) -> None:
        """Note that the host lives."""
        self._heard = self.clock.now()

    def left(self) -> float:
        """Return the time (s) until it trips; endless without a limit."""
        return self._heard + self.limit - self.clock.now() if self.limit else inf
