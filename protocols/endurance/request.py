"""Say what is asked of endurance, and refuse what the limits of the bench do not give."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.pulse import Polarity, Pulse, PulseTrain

IntArray = NDArray[np.int64]

MOST_CYCLES = 10**9
MOST_PULSES = int(
    next(rule.le for rule in Limits.model_fields["pulses_per_cell"].metadata if hasattr(rule, "le"))
)
"""Pulses per cell and session that no bench file can raise."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for: cells and pulses as text, cycles, counts per decade, window."""

    cells: str = "r0-1,c0-31"
    cycles: int = 100
    per_decade: int = 5
    set_pulse: str = "SET 2V gate=1.4V 1us"
    reset_pulse: str = "RESET 1.6V gate=3.3V 1us"
    window: float = 2.0
    samples: int = 1

    def __post_init__(self) -> None:
        kinds = (self.pulses()[0].polarity, self.pulses()[1].polarity)
        if kinds != (Polarity.SET, Polarity.RESET):
            raise InputError(
                f"a cycle is a SET and a RESET; '{self.set_pulse}', '{self.reset_pulse}' was given"
            )
        if not (1 <= self.cycles <= MOST_CYCLES and 1 <= self.per_decade <= 100 and self.window > 1):
            raise InputError(
                f"{self.cycles} cycles, {self.per_decade} counts per decade and a window of {self.window:g} "
                f"were asked for; give at least one cycle, 1 to 100 counts, and a ratio above 1, such as 2"
            )
        if not 1 <= self.samples <= 10_000:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to 10000")

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self)

    def pulses(self) -> tuple[Pulse, Pulse]:
        """Return the pulses of a cycle."""
        return Pulse.parse(self.set_pulse), Pulse.parse(self.reset_pulse)

    def check(self, limits: Limits) -> None:
        """Refuse cycles that the door would refuse half way, with the limit that stands against them."""
        first = Cells(np.zeros(1, np.intp), np.zeros(1, np.intp))
        for pulse in self.pulses():
            limits.check_train(PulseTrain.of(first, pulse).rounded())
        allowed = limits.pulses_per_cell
        if 2 * self.cycles > allowed:
            possible = f"raise pulses_per_cell under [limits] in the bench file to {2 * self.cycles}"
            if 2 * self.cycles > MOST_PULSES:
                possible = (
                    f"raise pulses_per_cell under [limits] in the bench file (never above {MOST_PULSES})"
                )
            raise LimitExceeded(
                f"{self.cycles} cycles are {2 * self.cycles} pulses per cell, and pulses_per_cell allows "
                f"{allowed} a session; nothing was sent. Take --cycles {allowed // 2} and go on with "
                f"--after, or {possible}"
            )


def counts(before: int, cycles: int, per_decade: int) -> IntArray:
    """Return the cycles, counted from the first one of all runs, after which cells are read.

    They are evenly spread over log cycles; the first and the last one of this run are among them.
    """
    last = before + cycles
    places = np.arange(per_decade * (len(str(last)) + 1))
    spread = np.rint(10 ** (places / per_decade)).astype(np.int64)
    inside = spread[(spread > before) & (spread <= last)]
    return np.unique(np.concatenate([[before + 1], inside, [last]]))
