"""Keep chosen pulses inside the operating limits, so that no request is ever refused at the door."""

from dataclasses import replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify.strategy import BoolArray, Choice, FloatArray
from rramlab.cells import Cells
from rramlab.limits import Limits

GATE_SET = 2.2
"""Gate (V) above which no SET is driven: a cell that does not answer there is left alone."""

_HALVINGS = 20


@final
class Bounds:
    """Lower what a strategy asks for until the bench allows it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def inside(self, choice: Choice) -> Choice:
        """Return these pulses within the limits; one that had to be lowered counts as strong."""
        lowered = self._shortened(self._throttled(self._capped(choice)))
        cut = (lowered.gate < choice.gate - 1e-9) | (lowered.drive < choice.drive - 1e-9)
        return replace(lowered, strong=choice.strong | cut)

    def _capped(self, choice: Choice) -> Choice:
        up, limits = choice.is_set, self._limits
        gate = np.minimum(choice.gate, np.where(up, min(GATE_SET, limits.gate), limits.gate))
        v_set = np.where(gate <= limits.gate_set, limits.v_set, limits.v_set_open_gate)
        drive = np.minimum(choice.drive, np.where(up, v_set, limits.v_reset))
        return replace(choice, gate=gate, drive=drive, width=np.minimum(choice.width, limits.width))

    def _throttled(self, choice: Choice) -> Choice:
        over = np.flatnonzero(self._current(choice) > self._allowed(choice))
        if not over.size:
            return choice
        hot = choice.take(over)
        low, high = np.full(over.size, 0.01), np.ones(over.size)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            fits = self._fits(_scaled(hot, middle))
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        return _put(choice, over, _scaled(hot, low))

    def _shortened(self, choice: Choice) -> Choice:
        power = self._current(choice) * choice.drive
        return replace(choice, width=np.minimum(choice.width, self._limits.energy / np.maximum(power, 1e-30)))

    def _fits(self, choice: Choice) -> BoolArray:
        return np.asarray(self._current(choice) <= self._allowed(choice))

    def _allowed(self, choice: Choice) -> FloatArray:
        return np.where(choice.is_set, self._limits.i_set, self._limits.i_reset)

    def _current(self, choice: Choice) -> FloatArray:
        places = np.arange(choice.drive.size)
        return self._limits.current(choice.train(Cells(places, places)))


def _scaled(choice: Choice, share: FloatArray) -> Choice:
    # A SET is held back by its gate, a RESET by its SL.
    up = choice.is_set
    gate, drive = np.where(up, share, 1.0) * choice.gate, np.where(up, 1.0, share) * choice.drive
    return replace(choice, gate=gate, drive=drive)


def _put(choice: Choice, which: NDArray[np.intp], part: Choice) -> Choice:
    gate, drive = choice.gate.copy(), choice.drive.copy()
    gate[which], drive[which] = part.gate, part.drive
    return replace(choice, gate=gate, drive=drive)
