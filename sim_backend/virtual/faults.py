"""Name what can break between a host and its instruments, and draw when it does."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from threading import Lock
from typing import Self, final

import numpy as np


@final
class Fault(Enum):
    """Name one thing that goes wrong; the docstring of a member says what the bench then does."""

    def __new__(cls, word: str, text: str) -> Self:
        """Return a member whose value is its word and whose docstring is its text."""
        member = object.__new__(cls)
        member._value_ = word
        member.__doc__ = text
        return member

    # The link: counted per connection, request or reply.
    REFUSE = "refuse", "Refuse a connection."
    STOP_READING = "stop-reading", "Read nothing more from the connection until cleared: its buffers fill up."
    FIN = "fin", "Close the connection in good order in place of a reply."
    RST = "rst", "Break the connection off in place of a reply."
    UNPLUG = "unplug", "Pull the plug in place of a reply, until it is plugged in again by hand."
    REPLUG = "replug", "Pull the plug in place of a reply and plug it in again after the delay."
    RENAME = "rename", "Pull the plug in place of a reply; it comes back under another name."
    # Requests: counted per request.
    LOSE_REQUEST = "lose-request", "Lose a request on its way."
    FLIP_REQUEST = "flip-request", "Flip one bit of a request."
    LATE_REQUEST = "late-request", "Deliver a request after the delay, which is longer than the host waits."
    TWICE_REQUEST = "twice-request", "Deliver a request twice."
    # Replies: counted per reply.
    SILENT = "silent", "Accept a request and say nothing from then on, until cleared."
    LOSE_REPLY = "lose-reply", "Lose a reply on its way."
    LATE = "late", "Deliver a reply after the delay, which is longer than the host waits."
    TWICE = "twice", "Deliver a reply twice."
    FOREIGN = "foreign", "Answer with the reply to an earlier request in place of this one."
    UNTERMINATED = "unterminated", "Leave out the end mark of a reply."
    CUT = "cut", "Deliver the first half of a reply."
    LENGTH = "length", "Announce a wrong length of a block, or lose a byte where no length is announced."
    GARBAGE = "garbage", "Put random bytes before a reply."
    FLIP = "flip", "Flip one bit of a reply."
    # The instrument itself: counted per pulse, waveform or limit, by the instrument.
    LINEFEEDS = "linefeeds", "Fill a binary block with bytes 0x0A."
    RESET_BEFORE = "reset-before", "Reset the board before a pulse."
    RESET_DURING = "reset-during", "Reset the board while a pulse is on."
    RESET_AFTER = "reset-after", "Reset the board after a pulse and before its reply."
    OVERREACH = "overreach", "Let the board keep its own limits where the host asked for lower ones."

    @property
    def text(self) -> str:
        """Return what the bench does, as a sentence."""
        return self.__doc__ or ""


@final
@dataclass(frozen=True)
class When:
    """Say at which of its events a fault strikes: the first one, how many in a row, and how probably."""

    first: int = 1
    times: float = 1
    chance: float = 1.0

    @classmethod
    def nth(cls, first: int, times: float = 1) -> Self:
        """Return the n-th event from now on (from 1), and so many after each other."""
        return cls(first, times)

    @classmethod
    def always(cls) -> Self:
        """Return every event from now on."""
        return cls(1, inf)

    @classmethod
    def probability(cls, chance: float) -> Self:
        """Return each event with this probability."""
        return cls(1, inf, chance)


@final
@dataclass
class _Armed:
    when: When
    seen: int = 0

    def strikes(self, rng: np.random.Generator) -> bool:
        self.seen += 1
        last = self.when.first + self.when.times
        if not self.when.first <= self.seen < last:
            return False
        return self.when.chance >= 1 or bool(rng.random() < self.when.chance)


@final
@dataclass
class Injector:
    """Decide for each event of one link whether a fault strikes it: by count, or drawn from a seed.

    `delay` (s) is how long a late reply is held back and a plug is out; `struck` counts what happened.
    """

    seed: int = 0
    delay: float = 0.3
    struck: Counter[Fault] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self._armed: dict[Fault, _Armed] = {}
        self._lock = Lock()
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever a fault is armed or disarmed: a port may be told to refuse."""
        self._watchers.append(watcher)

    def set(self, fault: Fault, when: When | None = None) -> None:
        """Arm a fault; without `when` it strikes the next event."""
        with self._lock:
            self._armed[fault] = _Armed(when or When())
        self._tell()

    def clear(self, fault: Fault | None = None) -> None:
        """Disarm one fault, or all of them."""
        with self._lock:
            if fault is None:
                self._armed.clear()
            else:
                self._armed.pop(fault, None)
        self._tell()

    def armed(self, fault: Fault) -> bool:
        """Tell whether a fault may still strike."""
        found = self._armed.get(fault)
        return found is not None and found.seen + 1 < found.when.first + found.when.times

    def holds(self, fault: Fault) -> bool:
        """Tell whether a fault was set and not cleared: one that lasts goes on until it is cleared."""
        return fault in self._armed

    def strikes(self, fault: Fault) -> bool:
        """Count one event of this fault and tell whether it strikes."""
        with self._lock:
            armed = self._armed.get(fault)
            hit = armed is not None and armed.strikes(self.rng)
            self.struck[fault] += hit
            return hit

    def _tell(self) -> None:
        for watcher in list(self._watchers):
            watcher()
