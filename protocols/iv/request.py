"""Say what is asked of quasi-static sweeps, and plan them within the limits."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.limits import Limits
from rramlab.reading import Staircase

FloatArray = NDArray[np.float64]

MOST_CYCLES = 10_000
MOST_STEPS = 10_000
_FEWEST_STEPS = 8
"""Steps to the top of a sweep below which no switching voltage can be found."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI); None takes what the limits of the bench admit."""

    cells: str = "r0c0"
    cycles: int = 10
    v_set: float = 1.5
    gate_set: float = 1.4
    compliance: float = 100e-6
    v_reset: float = 1.0
    gate_reset: float | None = None
    compliance_reset: float | None = None
    step: float = 0.02
    dwell: float = 1e-3
    skip: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.cycles <= MOST_CYCLES:
            raise InputError(f"{self.cycles} cycles were asked for; 1 to {MOST_CYCLES} are possible")
        if not 0 <= self.skip < max(self.cycles, 2):
            raise InputError(
                f"--skip {self.skip} leaves nothing of {self.cycles} cycles; "
                f"give 0 to {max(self.cycles - 1, 1)}"
            )
        if not (self.v_set > 0 and self.v_reset > 0 and self.step > 0):
            raise InputError(
                f"sweeps to {self.v_set:g} V and -{self.v_reset:g} V in steps of {self.step:g} V were asked "
                f"for; give all three above zero, such as 1.5V, 1V and 20mV"
            )
        steps = self.v_set / self.step, self.v_reset / self.step
        if min(steps) < _FEWEST_STEPS - 1e-6 or max(steps) > MOST_STEPS:
            raise InputError(
                f"steps of {self.step:g} V make {min(steps):.3g} to {max(steps):.3g} steps of a sweep; "
                f"{_FEWEST_STEPS} to {MOST_STEPS} are possible, so that there is something to find"
            )

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self)

    @property
    def left_out(self) -> int:
        """Return how many first cycles do not count; one always does."""
        return min(self.skip, self.cycles - 1)

    def plan(self, limits: Limits) -> tuple[Staircase, Staircase]:
        """Return the sweeps 0 -> +V -> 0 and 0 -> -V -> 0; LimitExceeded if the door would refuse one."""
        compliance = limits.i_set if self.compliance_reset is None else self.compliance_reset
        gate = limits.gate if self.gate_reset is None else self.gate_reset
        up = Staircase(_triangle(self.v_set, self.step), self.gate_set, self.compliance, self.dwell)
        down = Staircase(_triangle(-self.v_reset, self.step), gate, compliance, self.dwell)
        conducting = np.array([np.inf])
        for stairs in (up, down):
            limits.check_sweep(stairs, conducting)
        return up, down


def _triangle(top: float, step: float) -> FloatArray:
    """Return the voltages from 0 V to `top` and back, the steps as near to `step` as the top allows."""
    count = max(round(abs(top) / step), 1)
    out = np.linspace(0.0, top, count + 1)
    return np.concatenate([out, out[-2::-1]])
