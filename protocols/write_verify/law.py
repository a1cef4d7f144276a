"""Know how far a pulse takes a typical cell: a self-limiting law with a drive that sets its end."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Law:
    """Hold one polarity's response in a coordinate x that every pulse of it raises.

    From x a pulse of drive d lands at x + s with s = L ln(1 + exp((X(d) - x)/L)). X(d) (`ends` at `drives`)
    is where a pulse ends by itself; L (`depths` at `ends`) is how soft that end is. It is what follows from a
    rate that falls by a factor e per L, as field-driven kinetics has it under a transistor that takes the
    voltage away from the filament as it grows. `jitter` is the spread of the drive from pulse to pulse,
    `spread` that from cell to cell; `gain` is the relative spread of a landed step.
    """

    drives: FloatArray
    ends: FloatArray
    depths: FloatArray
    jitter: float
    spread: float
    gain: float

    def drive(self, x: FloatArray, step: FloatArray) -> FloatArray:
        """Return the drive that takes a typical cell from `x` by `step` (above zero).

        Given a step that was seen, it is the drive that a typical cell would have felt.
        """
        depth = np.interp(x, self.ends, self.depths)
        ratio = step / depth
        return self._at(x + depth * (ratio + np.log(-np.expm1(-ratio))))

    def variance(self, x: FloatArray, step: FloatArray, blur: FloatArray) -> FloatArray:
        """Return the variance of `drive(x, step)` as an observation of a step read with variance `blur`."""
        depth = np.interp(x, self.ends, self.depths)
        steep = 1.0 / np.maximum(-np.expm1(-step / depth), 1e-3)
        middles = 0.5 * (self.ends[1:] + self.ends[:-1])
        slope = np.interp(x + np.maximum(step, depth), middles, np.diff(self.drives) / np.diff(self.ends))
        return np.asarray(self.jitter**2 + (blur + (self.gain * step) ** 2) * (steep * slope) ** 2)

    def _at(self, end: FloatArray) -> FloatArray:
        # Beyond the table its outermost slopes go on: a macro may lie far from the typical cell.
        first, last = (np.diff(self.drives) / np.diff(self.ends))[[0, -1]]
        below, above = np.minimum(end - self.ends[0], 0.0), np.maximum(end - self.ends[-1], 0.0)
        return np.asarray(np.interp(end, self.ends, self.drives) + below * first + above * last)
