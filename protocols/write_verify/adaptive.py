"""Program with a model of the cell that learns from every pulse."""

from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np

from protocols.write_verify import typical
from protocols.write_verify.belief import Common, updated
from protocols.write_verify.law import Law
from protocols.write_verify.strategy import Arrays, BoolArray, Choice, FloatArray, State, Strategy
from rramlab.limits import Limits
from rramlab.pulse import Polarity

_SIDES = ("set", "reset")


@final
@dataclass(frozen=True)
class Adaptive(Strategy):
    """Aim each pulse by the response of a typical cell and the offset that this cell has shown.

    SET moves the gate under a full BL, where the transistor takes the voltage from the filament as it grows,
    so that a pulse ends by itself; RESET moves the SL. Per cell and polarity one offset is believed with a
    variance (Kalman). The first `scouts` cells and then all others correct the typical cell; no pulse is
    spent on characterisation. `short` (of the step) and `least` (S): how far a pulse stops before the target.
    """

    name: ClassVar[str] = "adaptive"
    scouts: ClassVar[int] = 32
    remembers: ClassVar[tuple[str, ...]] = ("set_mean", "set_var", "reset_mean", "reset_var")
    set_law: Law = field(default_factory=lambda: typical.SET)
    reset_law: Law = field(default_factory=lambda: typical.RESET)
    drive_set: float = 2.0
    gate_top: float = 2.0
    gate_reset: float = 3.3
    reset_top: float = 2.0
    width: float = 1e-6
    short: float = 0.2
    least: float = 0.3e-6
    walk: float = 0.003

    def share(self) -> Arrays:
        """Return the common offsets, unknown as yet."""
        return {side: Common.nothing() for side in _SIDES}

    def init(self, targets: FloatArray, memory: Arrays, shared: Arrays) -> State:
        """Return the offsets of cells: as remembered, or as expected of this macro."""
        cells: Arrays = dict(memory)
        for side, law in zip(_SIDES, (self.set_law, self.reset_law), strict=True):
            if f"{side}_mean" not in cells:
                common = Common(shared[side])
                cells[f"{side}_mean"] = common.mean(_place(targets)).astype(np.float32)
                spread = law.spread**2 + common.variance()
                cells[f"{side}_var"] = np.full(targets.size, spread, np.float32)
        return State(cells, shared)

    def next_pulses(self, state: State, targets: FloatArray, reading: FloatArray, limits: Limits) -> Choice:
        """Return the pulse that should take each cell to its target, or just short of it."""
        error = targets - reading
        up = error > 0
        step = np.maximum((1 - self.short) * np.abs(error), np.abs(error) - self.least)
        gate = np.full(up.shape, self.gate_reset)
        drive = np.full(up.shape, self.drive_set)
        gate[up] = np.clip(self.set_law.drive(reading[up], step[up]) + state["set_mean"][up], 0.85, self.gate_top)
        down = ~up
        x, fall = -np.log(reading[down]), -np.log1p(-step[down] / reading[down])
        volts = np.exp(self.reset_law.drive(x, fall) + state["reset_mean"][down])
        drive[down] = np.clip(volts, 0.5, self.reset_top)
        strong = np.where(up, gate >= self.gate_top, drive >= self.reset_top)
        polarity = np.where(up, Polarity.SET, Polarity.RESET).astype(np.uint8)
        return Choice(polarity, drive, gate, np.full(up.shape, self.width), strong)

    def learn(self, state: State, before: FloatArray, sent: Choice, after: FloatArray, known: BoolArray) -> None:
        """Move the offsets towards what the pulses showed, and the macro's with them."""
        up, down = known & sent.is_set, known & ~sent.is_set
        step = np.maximum(after[up] - before[up], _SEEN)
        self._move(state, "set", up, sent.gate[up], before[up], step, _blur(before[up], step), after[up])
        a, b = np.maximum(after[down], 1e-6), np.maximum(before[down], 1e-6)
        fall = np.log(b / np.minimum(a, b - _SEEN))
        blur = _blur(b, b - a) / a**2
        self._move(state, "reset", down, np.log(sent.drive[down]), -np.log(b), fall, blur, after[down])

    def _move(self, state, side, which, drive, x, step, blur, after) -> None:
        law = self.set_law if side == "set" else self.reset_law
        mean, var = state[f"{side}_mean"], state[f"{side}_var"]
        seen = drive - law.drive(x, step)
        noise = law.variance(x, step, blur)
        old, oldv = mean[which].astype(float), var[which].astype(float)
        first = oldv >= law.spread**2
        if first.any():
            Common(state.shared[side]).learn(_place(after[first]), np.clip(seen[first], -0.4, 0.4), noise[first] + law.spread**2)
        m, v = updated(old, oldv, seen, noise, self.walk)
        mean[which], var[which] = m, v


_SEEN = 0.3e-6
"""Least step (S) that is believed; less may be noise."""


def _blur(g, step):
    return 1e-12 * (2 * 0.04 * g / 50e-6 + 0.02 + 0.6 * np.clip(step / 8e-6, 0, 1))


def _place(conductance: FloatArray) -> FloatArray:
    return np.asarray((conductance - 60e-6) / 40e-6)
