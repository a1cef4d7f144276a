"""Hold the clocks by which a long measurement knows how much time went by, also while nothing ran."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

_BOOT_ID = Path("/proc") / "sys" / "kernel" / "random" / "boot_id"


class HostTimes(ABC):
    """Tell the clocks of the computer; none of them stops with a process."""

    @abstractmethod
    def wall(self) -> float:
        """Return the seconds since the epoch; a person or a time server can move this clock."""

    @abstractmethod
    def steady(self) -> float:
        """Return the seconds since the computer started; nobody moves this clock, a restart sets it back."""

    @abstractmethod
    def boot(self) -> str:
        """Return a name of this start of the computer, or an empty text where none is known."""

    @abstractmethod
    def pause(self, seconds: float) -> None:
        """Do nothing for so long (s), while no bench is open that could wait."""


@final
class ThisHost(HostTimes):
    """Tell the clocks of this computer."""

    def wall(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def steady(self) -> float:
        """Return the seconds since the start, those in which the computer slept included where it tells."""
        number = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if number is None else time.clock_gettime(number)

    def boot(self) -> str:
        """Return the identity of this start, which Linux tells."""
        with suppress(OSError):
            return _BOOT_ID.read_text(encoding="ascii").strip()
        return ""

    def pause(self, seconds: float) -> None:
        """Sleep (s)."""
        time.sleep(seconds)


@final
@dataclass(frozen=True)
class Moment:
    """Hold one moment on all clocks: bench (s), wall (s since the epoch), steady (s) of this start."""

    bench: float
    wall: float
    steady: float = 0.0
    boot: str = ""

    @classmethod
    def of(cls, bench: float, host: HostTimes) -> "Moment":
        """Return the present moment."""
        return cls(bench, host.wall(), host.steady(), host.boot())

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Moment":
        """Return the moment that a note holds."""
        return cls(facts["bench"], facts["wall"], facts["steady"], facts["boot"])

    def facts(self) -> dict[str, Any]:
        """Return the moment as plain values for a note."""
        return asdict(self)
