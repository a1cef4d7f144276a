"""Say what is asked of forming, and plan pulses that no limit refuses half way."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.pulse import Polarity, PulseTrain
from rramlab.quantity import format_quantity

FloatArray = NDArray[np.float64]

LEAST_WIDTH, MOST_WIDTH = 1e-6, 1e-3
"""Widths of forming pulses (s) for which the ramp is meant."""
RESET_FIRST, RESET_STEP, RESET_WIDTH = 1.0, 0.2, 1e-6
"""RESET after forming: first SL voltage (V), step (V), width (s)."""
_GATE_STEP, _LEAST_GATE = 0.01, 0.75
"""Steps (V) in which the highest gate is looked for, down to just above the threshold of the transistor."""


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for (SI); `gate` None takes the highest that the limits admit."""

    cells: str = "all"
    width: float = 1e-6
    start: float = 1.8
    stop: float = 3.3
    step: float = 0.05
    gate: float | None = None
    formed_at: float = 20e-6

    def __post_init__(self) -> None:
        if not LEAST_WIDTH * (1 - 1e-9) <= self.width <= MOST_WIDTH * (1 + 1e-9):
            asked = format_quantity(self.width, "s")
            raise InputError(f"forming pulses of {asked} were asked for; 1us to 1ms are possible")
        if not (0 < self.start <= self.stop and self.step >= 0.005):
            raise InputError(
                f"a ramp from {self.start:g} V to {self.stop:g} V in steps of {self.step:g} V is none; "
                f"let it rise from above zero in steps of 5mV or more, such as 1.8V to 3.3V in 50mV"
            )
        if not 5e-6 <= self.formed_at <= 100e-6:
            asked = format_quantity(self.formed_at, "S")
            raise InputError(f"--formed-at {asked} is not possible; give 5uS to 100uS, such as 20uS")

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return asdict(self)

    def plan(self, limits: Limits) -> "Ramp":
        """Return the ramp on a bench of these limits; LimitExceeded if one of its pulses would be refused."""
        count = int((self.stop - self.start) / self.step + 1e-6) + 1
        drive = np.asarray(self.start + self.step * np.arange(count), np.float64)
        gate = _highest_gate(limits, drive[-1], self.width) if self.gate is None else self.gate
        ramp = Ramp(drive, gate, self.width, _resets(limits), limits.gate, self.formed_at)
        ramp.check(limits)
        return ramp


@final
@dataclass(frozen=True, eq=False)
class Ramp:
    """Hold the pulses of forming: BL voltages (V), gate (V), width (s), and those of the RESET after it.

    `formed_at` (S) is the reading above which a cell is formed, and below which the RESET is to take it.
    """

    drive: FloatArray
    gate: float
    width: float
    reset: FloatArray
    reset_gate: float
    formed_at: float

    def forms(self, cells: Cells, place: NDArray[np.intp]) -> PulseTrain:
        """Return the forming pulses of cells that stand at these places of the ramp."""
        return _train(cells, Polarity.FORM, self.drive[place], self.gate, self.width)

    def resets(self, cells: Cells, place: int) -> PulseTrain:
        """Return the RESET pulses of cells at a place of the staircase."""
        drive = np.full(len(cells), self.reset[place])
        return _train(cells, Polarity.RESET, drive, self.reset_gate, RESET_WIDTH)

    def check(self, limits: Limits) -> None:
        """Refuse a ramp of which the door would refuse a pulse."""
        first = Cells(np.zeros(1, np.intp), np.zeros(1, np.intp))
        for place in range(len(self.drive)):
            limits.check_train(self.forms(first, np.array([place])).rounded())
        for place in range(len(self.reset)):
            limits.check_train(self.resets(first, place).rounded())
        most = len(self.drive) + len(self.reset)
        if most > limits.pulses_per_cell:
            raise LimitExceeded(
                f"the ramp takes up to {most} pulses a cell, and {limits.pulses_per_cell} are allowed; "
                f"nothing was sent. Take larger steps, or raise pulses_per_cell under [limits] in the bench"
            )


def _train(cells: Cells, polarity: Polarity, drive: FloatArray, gate: float, width: float) -> PulseTrain:
    n = len(cells)
    return PulseTrain(cells, np.full(n, polarity), drive, np.full(n, gate), np.full(n, width))


def _resets(limits: Limits) -> FloatArray:
    """Return the staircase of RESET (V) as far as the limits admit, at least its first step."""
    first = min(RESET_FIRST, limits.v_reset)
    drive = np.arange(first, limits.v_reset + 1e-9, RESET_STEP)
    cells = Cells(np.zeros(drive.size, np.intp), np.arange(drive.size))
    train = _train(cells, Polarity.RESET, drive, limits.gate, RESET_WIDTH).rounded()
    current = limits.current(train)
    admitted = (current <= limits.i_reset) & (current * train.drive * train.width <= limits.energy)
    return np.asarray(drive[admitted | (drive == first)], np.float64)


def _highest_gate(limits: Limits, drive: float, width: float) -> float:
    """Return the highest gate (V) whose current and energy the limits admit at the top of the ramp."""
    first = Cells(np.zeros(1, np.intp), np.zeros(1, np.intp))
    gates = np.arange(limits.gate_form, _LEAST_GATE - 1e-9, -_GATE_STEP)
    for gate in gates:
        train = _train(first, Polarity.FORM, np.array([drive]), float(gate), width).rounded()
        current = limits.current(train)
        energy = current * train.drive * train.width
        if (current <= limits.i_form).all() and (energy <= limits.energy_form).all():
            return float(gate)
    raise LimitExceeded(
        f"no gate keeps pulses of {format_quantity(width, 's')} at {drive:g} V within energy_form of "
        f"{format_quantity(limits.energy_form, 'J')}; nothing was sent. Take a shorter --width, or raise "
        f"energy_form under [limits] in the bench file if the macro's data sheet allows"
    )
