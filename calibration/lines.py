"""Model the lines of a macro: what wires and switches take from a product, and from a reading of one cell.

Row lines are driven at column 0, column lines are held at virtual ground at row 0. Each cell has one segment
(`r_line`) of its own on either line, and each line has half of the path's switch (`r_switch`) at its end.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

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
        return self.r_switch + self.r_line * segments

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
    """Hold the conductance of each path without its lines: powers of its voltage (S/V^k, k x rows x cols)."""

    coefficients: FloatArray

    @classmethod
    def without(cls, lines: Lines, volts: FloatArray, conductance: FloatArray) -> "Paths":
        """Return the paths whose readings (S, voltages x rows x cols) were `conductance`.

        `volts` (V, voltages x rows x 1) stood across path and lines. The curve goes through all points.
        """
        current = conductance * volts
        own = volts - current * lines.series(*conductance.shape[1:])
        powers = np.stack([own**k for k in range(len(own))], axis=-1)
        each = np.moveaxis(powers, 0, -2)
        readings = np.moveaxis(current / own, 0, -1)[..., None]
        return cls(np.ascontiguousarray(np.moveaxis(np.linalg.solve(each, readings)[..., 0], -1, 0)))

    def current(self, volts: FloatArray) -> FloatArray:
        """Return the current (A) of each path at its voltage (V, ..., rows, cols)."""
        total = np.zeros(np.broadcast_shapes(volts.shape, self.coefficients.shape[1:]))
        for one in self.coefficients[::-1]:
            total *= volts
            total += one
        return np.asarray(total * volts)

    def columns(self, lines: Lines, rows: FloatArray) -> FloatArray:
        """Return the column currents (A, vectors x cols) of a product for row voltages (V, vectors x rows).

        ValueError if the lines take so much that the voltages do not settle.
        """
        size = max(1, _TOGETHER // self.coefficients[0].size)
        parts = [self._settled(lines, rows[i : i + size]) for i in range(0, len(rows), size)]
        return np.concatenate(parts)

    def _settled(self, lines: Lines, rows: FloatArray) -> FloatArray:
        seen = np.repeat(rows[:, :, None], self.coefficients.shape[2], axis=2)
        current = self.current(seen)
        enough = TOLERANCE * float(np.abs(rows).max(initial=0.0))
        for _ in range(PASSES):
            fresh = rows[:, :, None] - lines.drop(current)
            change = float(np.abs(fresh - seen).max(initial=0.0))
            seen, current = fresh, self.current(fresh)
            if change <= enough:
                return np.asarray(current.sum(axis=1))
        raise ValueError(
            f"the voltages of a product do not settle with {lines.r_line:.3g} ohm a segment and "
            f"{lines.r_switch:.3g} ohm a switch: the lines take most of them; use fewer rows at a time"
        )
