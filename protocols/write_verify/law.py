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

    From x0 a pulse of drive d lands at x0 + s with s = L ln(1 + exp((X(d) - x0)/L)): X(d) (`drives`, `ends`)
    is where the pulse ends by itself, the filament taking the voltage away from itself; L (`depths`, at
    `ends`) is how soft that end is. It follows from a rate that falls by a factor e per L, as the
    field-driven kinetics has it. `jitter` is the spread of X(d) from pulse to pulse and `spread` that from
    cell to cell, both as drive; `gain` is the relative spread of a landed step.
    """

    drives: FloatArray
    ends: FloatArray
    depths: FloatArray
    jitter: float
    spread: float
    gain: float

    def depth(self, x: FloatArray) -> FloatArray:
        """Return L at x."""
        return np.interp(x, self.ends, self.depths)

    def drive(self, x: FloatArray, step: FloatArray) -> FloatArray:
        """Return the drive that takes a typical cell from x by `step`; also: which drive it seems to have felt."""
        depth = self.depth(x)
        ratio = step / depth
        return self._invert(x + depth * (ratio + np.log(-np.expm1(-ratio))))

    def _invert(self, end: FloatArray) -> FloatArray:
        inside = np.interp(end, self.ends, self.drives)
        below, above = end - self.ends[0], end - self.ends[-1]
        first, last = self._edges()
        return inside + np.minimum(below, 0.0) * first + np.maximum(above, 0.0) * last

    def _edges(self) -> tuple[float, float]:
        slopes = np.diff(self.drives) / np.diff(self.ends)
        return float(slopes[0]), float(slopes[-1])

    def variance(self, x: FloatArray, step: FloatArray, blur: FloatArray) -> FloatArray:
        """Return the variance of `drive(x, step)` as an observation, `blur` being the variance of `step`."""
        depth = self.depth(x)
        steep = 1.0 / np.maximum(-np.expm1(-step / depth), 1e-3)
        end = x + np.maximum(step, depth)
        slope = np.interp(
            end, 0.5 * (self.ends[1:] + self.ends[:-1]), np.diff(self.drives) / np.diff(self.ends)
        )
        return self.jitter**2 + (blur + (self.gain * step) ** 2) * (steep * slope) ** 2
