"""Raise one voltage step by step, as all plain strategies do."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int16]
BoolArray = NDArray[np.bool_]


@final
@dataclass(frozen=True)
class Ladder:
    """Hold a staircase from `start` to `stop` by `step` (V); it stays at its end."""

    start: float
    stop: float
    step: float

    def volts(self, rung: IntArray) -> FloatArray:
        """Return the voltage (V) of each rung, counted from 0."""
        return np.asarray(np.minimum(self.start + self.step * rung, self.stop))

    def is_top(self, rung: IntArray) -> BoolArray:
        """Return which rungs are at the end of the staircase."""
        return np.asarray(self.start + self.step * rung >= self.stop - 1e-9)
