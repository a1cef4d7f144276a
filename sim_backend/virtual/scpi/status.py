"""Keep the errors and the status registers of an instrument (IEEE 488.2 and SCPI)."""

from collections import deque
from dataclasses import dataclass, field
from typing import final

from sim_backend.virtual.scpi.errors import STANDARD, event_bit

MESSAGE_AVAILABLE, EVENT_SUMMARY, MASTER = 16, 32, 64


@final
@dataclass
class Register:
    """Hold one register group: condition, the events that it left, and which of them count."""

    condition: int = 0
    event: int = 0
    enable: int = 0

    def set(self, bit: int, on: bool) -> None:
        """Set a bit of the condition; that it rises is an event."""
        if on and not self.condition & bit:
            self.event |= bit
        self.condition = self.condition | bit if on else self.condition & ~bit

    def take(self) -> int:
        """Return the events and forget them."""
        event, self.event = self.event, 0
        return event

    @property
    def summary(self) -> bool:
        """Tell whether an event that counts has happened."""
        return bool(self.event & self.enable)


@final
@dataclass
class Status:
    """Hold the error queue (its length, and the words of this make) and the registers."""

    length: int = 10
    words: dict[int, str] = field(default_factory=dict)
    queue_bit: int = 4
    summaries: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.errors: deque[tuple[int, str]] = deque()
        self.events = 128  # power on
        self.events_enable = 0
        self.service_enable = 0
        self.groups = {name: Register() for name in self.summaries}

    def raise_error(self, number: int) -> None:
        """Note an error; where the queue is full its last one becomes the overflow."""
        self.events |= event_bit(number)
        if len(self.errors) >= self.length:
            self.errors[-1] = (-350, self.text(-350))
            return
        self.errors.append((number, self.text(number)))

    def text(self, number: int) -> str:
        """Return the words of an error."""
        return self.words.get(number) or STANDARD.get(number, "Device-specific error")

    def next_error(self) -> tuple[int, str]:
        """Return the oldest error and forget it; number 0 where there is none."""
        return self.errors.popleft() if self.errors else (0, self.text(0) if 0 in self.words else "No error")

    def take_events(self) -> int:
        """Return the standard events and forget them."""
        events, self.events = self.events, 0
        return events

    def byte(self, waiting: bool = False) -> int:
        """Return the status byte; `waiting` tells that a reply lies ready."""
        value = self.queue_bit if self.errors else 0
        value |= MESSAGE_AVAILABLE if waiting else 0
        value |= EVENT_SUMMARY if self.events & self.events_enable else 0
        for name, bit in self.summaries.items():
            value |= bit if self.groups[name].summary else 0
        return value | (MASTER if value & self.service_enable & ~MASTER else 0)

    def clear(self) -> None:
        """Forget errors and events, as *CLS does; what counts stays as it was."""
        self.errors.clear()
        self.events = 0
        for group in self.groups.values():
            group.event = 0

    def preset(self) -> None:
        """Let no event of the device count, as :STATus:PRESet does."""
        for group in self.groups.values():
            group.enable = 0
