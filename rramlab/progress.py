"""Tell how far a long job is."""

from abc import ABC, abstractmethod
from typing import final


class Progress(ABC):
    """Take in how much is done; whoever waits decides how to show it."""

    @abstractmethod
    def update(self, what: str, done: float, total: float) -> None:
        """Take in that `done` of `total` of the work called `what` is done."""


@final
class Silent(Progress):
    """Show nothing."""

    def update(self, what: str, done: float, total: float) -> None:
        """Show nothing."""
