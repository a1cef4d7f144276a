"""Model the lines of a macro: what wires and switches take from a product, and from a reading of one cell.

Row lines are driven at column 0, column lines are held at virtual ground at row 0. Each cell has one segment
(`r_line`) of its own on either line, and each line has half of the path's switch (`r_switch`) at its end.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

INNER = 2500.0
"""Resistance (ohm) in series with a filament, of an open transistor and its contacts, as a textbook has it.

It need not be right: what is read is interpolated, and this makes the interpolation good.
"""
TOLERANCE = 1e-10
"""Change of a cell's voltage, of the largest input, at which the iteration ends."""
PASSES = 60
_TOGETHER = 1 << 20
"""Cells times vectors that are iterated together: what stays in memory."""


@final
@dataclass(frozen=True)
class Lines:
    """Hold the resistance (ohm) of one segment of a line, and of the switch of a path."""

    r_line: float
    r_switch: float

    def series(self, rows: int, cols: int) -> FloatArray:
        """Return the resistance (ohm, rows x cols) that the reading of one cell meets on its way."""
        segments = np.add.outer(np.arange(rows) + 1.0, np.arange(cols) + 1.0)
        return np.asarray(self.r_switch + self.r_line * segments)

    def drop(self, current: FloatArray) -> FloatArray:
        """Return the voltage (V) that is lost for each cell, for currents of cells (A, ..., rows, cols)."""
        return self._along(current, -1) + self._along(current, -2)

    def _along(self, current: FloatArray, axis: int) -> FloatArray:
        """Return what is lost on the lines that run along an axis, from their ends at index 0 on."""
        beyond = np.flip(np.cumsum(np.flip(current, axis), axis=axis), axis)
        end = np.take(beyond, [0], axis=axis)
        return np.asarray(self.r_line * np.cumsum(beyond, axis=axis) + 0.5 * self.r_switch * end)


@final
@dataclass(frozen=True, eq=False)
class Paths:
    """Hold each path without its lines: a conductance that changes with its voltage.

    `level` (S), `tilt` (S/V) and `bend` (S/V^2) are rows x cols; the voltage is the one left by `INNER`, so
    that what bends is a filament. The transistor tilts: it opens less, the higher its drain.
    """

    level: FloatArray
    tilt: FloatArray
    bend: FloatArray

    @classmethod
    def without(cls, lines: Lines, volts: FloatArray, mean: FloatArray, odd: FloatArray) -> "Paths":
        """Return the paths whose readings at a large and a small voltage, at both signs, were these.

        `volts` (V, 2 x rows x 1) stood across path and lines, `mean` (S, 2 x rows x cols) is that of both
        signs, `odd` (rows x cols) by which part more than the mean is read at the large voltage.
        """
        left = 1.0 - mean * (lines.series(*mean.shape[1:]) + INNER)
        own = volts * left
        bend = np.subtract(*(mean / left)) / np.subtract(*own**2)
        level = mean[0] / left[0] - bend * own[0] ** 2
        return cls(level, odd * level * (1.0 + INNER * level) / own[0], bend)

    def current(self, own: FloatArray) -> FloatArray:
        """Return the current (A) of each path at its own voltage (V, ..., rows, cols)."""
        return ((self.bend * own + self.tilt) * own + self.level) * own

    def factor(self, lines: Lines, volts: FloatArray, conductance: FloatArray) -> FloatArray:
        """Return how many times as much as this each path conducted in readings (S, ..., rows, cols).

        `volts` (V, ..., rows, 1) stood across path and lines.
        """
        current = volts * conductance
        own = volts - current * (lines.series(*self.level.shape) + INNER)
        return np.asarray(current / self.current(own))

    def columns(self, lines: Lines, rows: FloatArray, factor: FloatArray | None = None) -> FloatArray:
        """Return the column currents (A, vectors x cols) of a product for row voltages (V, vectors x rows).

        `factor` (vectors x rows x cols) is how many times as much as this each cell conducts. ValueError if
        the lines take so much that the voltages do not settle.
        """
        size = max(1, _TOGETHER // self.level.size)
        turns = [slice(i, i + size) for i in range(0, len(rows), size)]
        more = np.ones((len(rows), 1, 1)) if factor is None else factor
        return np.concatenate([self._settled(lines, rows[i], more[i]) for i in turns])

    def _settled(self, lines: Lines, rows: FloatArray, factor: FloatArray) -> FloatArray:
        share = 1.0 / (1.0 + INNER * self.level)
        own = rows[:, :, None] * share
        enough = TOLERANCE * float(np.abs(rows).max(initial=0.0))
        for _ in range(PASSES):
            current = factor * self.current(own)
            step = (rows[:, :, None] - lines.drop(current) - INNER * current - own) * share
            own += step
            if float(np.abs(step).max(initial=0.0)) <= enough:
                return np.asarray((factor * self.current(own)).sum(axis=1))
        raise ValueError(
            f"the voltages of a product do not settle with {lines.r_line:.3g} ohm a segment and "
            f"{lines.r_switch:.3g} ohm a switch: the lines take most of them; use fewer rows at a time"
        )
