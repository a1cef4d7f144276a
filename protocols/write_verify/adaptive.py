"""Program with a model of the cell that learns from every pulse."""

from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np

from protocols.write_verify import typical
from protocols.write_verify.common import Common
from protocols.write_verify.law import Law
from protocols.write_verify.side import Side
from protocols.write_verify.strategy import Arrays, BoolArray, Choice, FloatArray, State, Strategy
from rramlab.pulse import Polarity

LEAST = 0.05e-6
"""Smallest step (S) that is asked for: the mean of two readings that disagree may lie on the target."""


@final
@dataclass(frozen=True)
class Adaptive(Strategy):
    """Aim each pulse by the response of a typical cell and the offset that this cell has shown.

    SET moves the gate under a full BL, where the transistor takes the voltage from the filament as it grows
    and the pulse ends by itself; RESET moves the SL under an open gate. Per cell and polarity one offset is
    believed with a variance and moved by every pulse (Kalman). No pulse is spent on characterisation: the
    first `scouts` cells are programmed before the others, and all cells together correct the typical cell.

    A pulse stops short of its target by the shares `short` or `coarse` of the step and `least` (S), whichever
    is nearer: an overshoot costs more pulses than a SET that has to be continued.
    """

    name: ClassVar[str] = "adaptive"
    scouts: ClassVar[int] = 32
    remembers: ClassVar[tuple[str, ...]] = ("set_mean", "set_var", "reset_mean", "reset_var")
    set_law: Law = field(default_factory=lambda: typical.SET)
    reset_law: Law = field(default_factory=lambda: typical.RESET)
    drive_set: float = 2.0
    gate_reset: float = 3.3
    gate_set: tuple[float, float] = (0.85, 2.0)
    drive_reset: tuple[float, float] = (0.5, 2.0)
    width: float = 1e-6
    short: float = 0.2
    coarse: float = 0.04
    least: float = 0.25e-6
    walk: float = 0.006

    def share(self) -> Arrays:
        """Return what is known of a macro before its first pulse: nothing."""
        return {side.name: Common.nothing() for side in self._sides()}

    def init(self, targets: FloatArray, memory: Arrays, shared: Arrays) -> State:
        """Return the offsets of cells: as remembered, or as expected of this macro."""
        cells: Arrays = {"mute": np.zeros(targets.size, np.uint8)} | memory
        for side in self._sides():
            side.begin(cells, targets, shared)
        return State(cells, shared)

    def next_pulses(self, state: State, targets: FloatArray, reading: FloatArray) -> Choice:
        """Return the pulse that should take each cell to its target, or just short of it."""
        up = reading < targets
        step = self._step(np.abs(targets - reading))
        gate, drive = np.full(up.size, self.gate_reset), np.full(up.size, self.drive_set)
        upward, downward = self._sides()
        gate[up] = np.clip(upward.volts(state, up, reading[up], step[up]), *self.gate_set)
        drive[~up] = np.clip(downward.volts(state, ~up, reading[~up], step[~up]), *self.drive_reset)
        strong = np.where(up, gate >= self.gate_set[1], drive >= self.drive_reset[1])
        polarity = np.where(up, Polarity.SET, Polarity.RESET).astype(np.uint8)
        return Choice(polarity, drive, gate, np.full(up.size, self.width), strong)

    def learn(
        self, state: State, before: FloatArray, sent: Choice, after: FloatArray, known: BoolArray
    ) -> None:
        """Move the offsets towards what the pulses showed, and those of the macro with them."""
        upward, downward = self._sides()
        up, down = known & sent.is_set, known & ~sent.is_set
        upward.learn(state, up, sent.gate[up], before[up], after[up])
        downward.learn(state, down, sent.drive[down], before[down], after[down])

    def _step(self, error: FloatArray) -> FloatArray:
        step = np.maximum((1 - self.short) * error, (1 - self.coarse) * error - self.least)
        return np.asarray(np.maximum(step, LEAST))

    def _sides(self) -> tuple[Side, Side]:
        return Side("set", self.set_law, True, self.walk), Side("reset", self.reset_law, False, self.walk)
