"""Say what "programmed" means: tolerance, reading, budgets, passes."""

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.quantity import format_quantity
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]

FLOOR = 5e-6
"""Conductance (S) below which no cell is RESET and no target may lie: deeper RESETs have burnt cells."""


@final
@dataclass(frozen=True)
class Spec:
    """Hold what is asked for; a conductance is what `reading` returns, transistor and lines included.

    `tolerance` (S) holds for two readings in a row; targets lie in `window` (S, S). Per cell at most
    `max_pulses` and `max_energy` (J) are spent over all passes. After each pass `wait` (s) goes by and all
    cells are read with `final_samples`; those that relaxed beyond `reopen` tolerances are programmed again,
    to within `finish` tolerances. `batch` cells share one request (None: all).
    """

    tolerance: float = 1e-6
    window: tuple[float, float] = (10e-6, 150e-6)
    reading: ReadSpec = field(default_factory=ReadSpec)
    final_samples: int = 16
    max_pulses: int = 100
    max_energy: float = 100e-9
    passes: int = 3
    wait: float = 60.0
    reopen: float = 0.6
    finish: float = 0.6
    batch: int | None = None

    def __post_init__(self) -> None:
        least, most = self.window
        if not (self.tolerance > 0 and 0 < self.finish <= 1 and 0 < self.reopen <= 1):
            raise InputError(
                f"tolerance {self.tolerance:g} S, reopen {self.reopen:g} and finish {self.finish:g} were "
                f"asked for; a tolerance is above zero, and its two shares lie above 0 and up to 1"
            )
        if not FLOOR <= least < most:
            raise InputError(f"a window of {least} S to {most} S is not possible; it begins at 5uS or above")
        if self.max_pulses < 1 or not self.max_energy > 0 or self.passes < 1 or not self.wait >= 0:
            raise InputError(
                f"{self.passes} passes with a wait of {self.wait:g} s, {self.max_pulses} pulses and "
                f"{self.max_energy:g} J per cell were asked for; give at least one pass and one pulse, "
                f"an energy above zero, and a wait of zero or more"
            )
        if self.batch is not None and self.batch < 1:
            raise InputError(f"a batch of {self.batch} cells is empty; give one or more")

    @property
    def final_reading(self) -> ReadSpec:
        """Return the reading of many samples that ends a pass."""
        return ReadSpec(self.reading.v_read, self.reading.gate, self.final_samples)

    def accepted(self, number: int) -> float:
        """Return the half width (S) of the acceptance window in pass `number`, counted from 0."""
        return self.tolerance if number == 0 else self.finish * self.tolerance

    def check(self, targets: FloatArray, reset_floor: float = 0.0) -> None:
        """Refuse targets (S) that no cell should be taken to; `reset_floor` (S) is that of the bench."""
        # A cell is RESET from above its target only, so its readings keep clear of the floor.
        least, most = max(self.window[0], reset_floor + 2 * self.tolerance), self.window[1]
        # A target on the edge may lie beyond it by the rounding of its unit.
        wrong = ~((targets >= least * (1 - 1e-9)) & (targets <= most * (1 + 1e-9)))
        if wrong.any():
            value = float(targets[int(np.argmax(wrong))])
            low, high = format_quantity(least, "S"), format_quantity(most, "S")
            raise InputError(
                f"{int(wrong.sum())} of {targets.size} targets lie outside the window of {low} to {high}, "
                f"the first is {format_quantity(value, 'S')}; scale the targets into the window"
            )
