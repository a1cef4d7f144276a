"""Say what every instrument of a bench has in common, whatever it does."""

from abc import ABC, abstractmethod
from typing import Any

from rramlab.finding import Finding


class Instrument(ABC):
    """Be opened, asked who it is, tested with outputs off, made safe and closed; made of its spec."""

    @abstractmethod
    def open(self) -> None:
        """Open the link, make sure who answers, and switch off what it drives; a board: lines at 0 V."""

    @abstractmethod
    def close(self) -> None:
        """Close the link; never raises."""

    @abstractmethod
    def identify(self) -> dict[str, str]:
        """Return who answers: name, model, serial number, firmware."""

    @abstractmethod
    def self_test(self) -> list[Finding]:
        """Return what the instrument finds about itself, outputs off."""

    @abstractmethod
    def safe(self) -> None:
        """Stop what is under way, switch every output off, drain before gate, and make sure of it."""

    @classmethod
    @abstractmethod
    def switch_off(cls, spec: Any) -> Finding:
        """Switch off over a link of its own and return what was read back; never raises."""
