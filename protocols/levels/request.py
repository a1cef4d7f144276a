"""Say what is asked of levels, and plan which cell takes which level when."""

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.asked import within_reason
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.quantity import format_quantity
from rramlab.reading import Staircase

FloatArray = NDArray[np.float64]

MOST_LEVELS = 4096
PULSES_PER_LEVEL = 10
"""Pulses of a cell per level, passes included, that a plan reckons with."""
POINTS = 10
"""Steps of an I-V from 0 V to the read voltage."""
_SHARE = 0.3
"""Tolerance in parts of the pitch."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI); None takes what the bench or the number of levels says."""

    cells: str = "r0-15,c0-15"
    levels: int = 64
    low: float | None = None
    high: float | None = None
    rounds: int | None = None
    tolerance: float | None = None
    passes: int = 3
    wait: float = 10.0
    max_pulses: int = 60
    times: tuple[float, ...] = (1.0, 10.0, 100.0)
    reads: int = 5
    curves: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", tuple(self.times))  # a list, where it comes from a record
        if not 2 <= self.levels <= MOST_LEVELS:
            raise InputError(f"{self.levels} levels were asked for; 2 to {MOST_LEVELS} are possible")
        rising = all(a < b for a, b in zip(self.times, self.times[1:], strict=False))
        if not self.times or not self.times[0] > 0 or not rising:
            raise InputError(f"times {self.times} s were asked for; give rising ones above zero: 1s,10s,100s")
        if self.rounds is not None and self.rounds < 1:
            raise InputError(f"{self.rounds} rounds were asked for; give 1 or more")
        if self.reads < 2 or self.curves < 0:
            raise InputError(
                f"{self.reads} readings and {self.curves} I-V were asked for; 2 readings or more, and 0 I-V "
                f"or more are possible"
            )

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return {**asdict(self), "times": list(self.times)}

    def targets(self, bench: Bench) -> FloatArray:
        """Return the levels (S), evenly spaced from the low to the high end."""
        low = bench.window.low if self.low is None else self.low
        high = bench.window.high if self.high is None else self.high
        if not bench.window.low * (1 - 1e-9) <= low < high <= bench.window.high * (1 + 1e-9):
            asked, window = _span(low, high), _span(bench.window.low, bench.window.high)
            raise InputError(f"levels over {asked} were asked for; the window of this bench is {window}")
        return np.linspace(low, high, self.levels)

    def spec(self, bench: Bench) -> Spec:
        """Return what write-verify is to reach on this bench."""
        targets = self.targets(bench)
        pitch = float(targets[1] - targets[0])
        return within_reason(
            Spec(
                tolerance=min(_SHARE * pitch, 1e-6) if self.tolerance is None else self.tolerance,
                window=(bench.window.low, bench.window.high),
                reading=bench.reading.spec(),
                max_pulses=self.max_pulses,
                passes=self.passes,
                wait=self.wait,
            )
        )

    def turns(self, cells: int) -> int:
        """Return how often each of so many cells is programmed: at least until all levels have been."""
        return ceil(self.levels / cells) if self.rounds is None else self.rounds

    def schedule(self, cells: int, seed: int) -> NDArray[np.int64]:
        """Return the level of each cell in each round (rounds, cells).

        Levels are dealt out in shuffled order, each as often as any other, so that the place of a cell on
        its lines and the state it comes from have nothing to do with its level.
        """
        rng, needed = np.random.default_rng([seed, 7]), self.turns(cells) * cells
        deals = [rng.permutation(self.levels) for _ in range(ceil(needed / self.levels))]
        return np.concatenate(deals)[:needed].reshape(-1, cells)

    def staircase(self, bench: Bench) -> Staircase:
        """Return the I-V of a level: 0 -> +v_read -> -v_read -> 0, which disturbs nothing."""
        out = np.linspace(0.0, bench.reading.v_read, POINTS + 1)
        volts = np.concatenate([out, out[-2::-1], -out[1:], -out[-2::-1]])
        return Staircase(volts, bench.reading.gate, bench.limits.i_set)

    def check(self, cells: int, bench: Bench) -> None:
        """Refuse what this bench cannot hold, or what would wear its cells."""
        self.spec(bench).check(self.targets(bench), bench.limits.reset_floor)
        bench.limits.check_sweep(self.staircase(bench), np.array([np.inf]))
        self._check_wear(cells, bench.limits)

    def _check_wear(self, cells: int, limits: Limits) -> None:
        most = max(limits.pulses_per_cell // PULSES_PER_LEVEL, 1)
        turns, fewest = self.turns(cells), ceil(self.levels / most)
        if turns > most:
            raise LimitExceeded(
                f"{turns} rounds take about {PULSES_PER_LEVEL * turns} pulses a cell, and "
                f"{limits.pulses_per_cell} are allowed; nothing was sent. Name {fewest} cells or "
                f"more, or raise pulses_per_cell under [limits] in the bench file"
            )


def _span(low: float, high: float) -> str:
    return f"{format_quantity(low, 'S')} to {format_quantity(high, 'S')}"
