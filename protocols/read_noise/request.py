"""Say what is asked of a measurement of read noise."""

from dataclasses import asdict, dataclass
from typing import Any, final

from protocols.asked import within_reason
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.errors import InputError

MOST_READS, LEAST_READS, MOST_SAMPLES, MOST_LEVELS = 1_000_000, 64, 10_000, 256
AVERAGING_READS = 128
"""Readings per averaging time."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI); 0 levels are the cells as they are."""

    cells: str = "r0-1,c0-31"
    levels: int = 8
    reads: int = 2048
    averaging: tuple[int, ...] = (1, 4, 16, 64)
    settle: float = 600.0
    false_alarm: float = 1e-3

    def __post_init__(self) -> None:
        object.__setattr__(self, "averaging", tuple(self.averaging))
        if not 0 <= self.levels <= MOST_LEVELS:
            raise InputError(f"{self.levels} levels are not possible; give 1 to {MOST_LEVELS}, or 0")
        if not LEAST_READS <= self.reads <= MOST_READS:
            raise InputError(f"--reads {self.reads} is not possible; give {LEAST_READS} to {MOST_READS:,}")
        if not self.averaging or not all(1 <= count <= MOST_SAMPLES for count in self.averaging):
            raise InputError(f"samples of {self.averaging} are not possible; give 1 to {MOST_SAMPLES} each")
        if not 1e-6 <= self.false_alarm <= 0.1:
            raise InputError(f"--false-alarm {self.false_alarm:g} is not possible; give 1e-6 to 0.1")

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self) | {"averaging": list(self.averaging)}

    def spec(self, bench: Bench) -> Spec:
        """Return how the levels are programmed."""
        window = (bench.window.low, bench.window.high)
        return within_reason(Spec(window=window, reading=bench.reading.spec(), passes=1, wait=0.0))


def parse_counts(text: str) -> tuple[int, ...]:
    """Return the whole numbers of a list such as "1,4,16"."""
    try:
        return tuple(sorted({int(part) for part in text.split(",") if part.strip()}))
    except ValueError:
        raise InputError(f"'{text}' is no list of whole numbers; write for example 1,4,16") from None
