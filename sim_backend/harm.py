"""Bound what a bias can do to any cell, so that what moves nothing need not be simulated."""

import math
from typing import final

import numpy as np

from sim_backend.cells import Cells, FloatArray
from sim_backend.constants import Constants

STILL = 1e-12
"""A bias that cannot move any cell by more than this (S) is not simulated (1e-6 uS: a
hundred-thousandth of the noise of a read; 2 000 such pulses stay below 0.002 uS)."""

_MARGIN = 0.88  # Five sigma of the cycle-to-cycle spread.


@final
class Harm:
    """Know the weakest cell of a population."""

    def __init__(self, cells: Cells) -> None:
        self._least_set = float(cells.set_factor.min())
        self._least_reset = float(cells.reset_factor.min())

    def harmless(self, voltages: FloatArray, duration: float, c: Constants) -> bool:
        """Return whether no cell moves by more than `STILL` (S) at any of the voltages (V, BL minus SL).

        The filament never sees more than the lines give, no cell is weaker than the weakest, and none
        is more conductive than the ceiling.
        """
        up, down = float(np.max(voltages, initial=0.0)), -float(np.min(voltages, initial=0.0))
        weakest = self._weakest_set(c), self._weakest_reset(c)
        up = max(up, c.reset_gain * down)
        return _moves_less(up, weakest[0], duration, c.v_activation, c) and _moves_less(
            down, weakest[1], duration, c.reset_v_activation, c
        )

    def _weakest_set(self, c: Constants) -> float:
        return _MARGIN * c.set_v0 * self._least_set

    def _weakest_reset(self, c: Constants) -> float:
        at_ceil = c.reset_v0 + c.reset_slope * math.log(c.g_ref / c.g_ceil)
        return max(c.reset_v_min, _MARGIN * at_ceil * self._least_reset)


def _moves_less(voltage: float, weakest: float, duration: float, activation: float, c: Constants) -> bool:
    if voltage == 0.0 or duration == 0.0:
        return True
    bound = max(1.0, c.g_ceil / c.g_ref)
    exponent = activation / weakest - activation / voltage
    return math.log(c.rate * bound * duration / STILL) + exponent < 0.0
