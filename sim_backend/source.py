"""Drive a cell from a source with a current compliance: beyond it the source lowers its voltage."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.reading import Staircase
from sim_backend.array import Array

IndexArray = NDArray[np.int64]

PARTS = 8
"""Parts of a dwell in which the source holds one voltage each when it is limited; each twice as long."""
HALVINGS = 14
"""Halvings of the interval in which the limited voltage is looked for."""


def held_step(
    array: Array, index: IndexArray, volt: float, staircase: Staircase, at: float, rng: np.random.Generator
) -> tuple[float, bool]:
    """Apply one step of a staircase (V, BL minus SL); return the current (A) at its end, and whether limited.

    The source looks at the current at both ends of a time; a switching cell is between them. In a limited
    step the voltage falls as a SET goes on and rises as a RESET does. The jump of a fresh cell that breaks
    down is one that no voltage in between avoids: under a compliance too low for it the cell stays fresh.
    """
    source = Source(array, index, staircase, rng)
    before = source.photograph()
    if source.admits(volt, at, staircase.dwell):
        return source.current(volt, at + staircase.dwell), False
    source.take_back(before)
    found = volt
    for part in staircase.dwell * 2.0 ** np.arange(PARTS) / (2.0**PARTS - 1.0):
        found = source.limited(volt, at, float(part))
        at += float(part)
    return source.current(found, at), found != volt


Photograph = tuple[list[NDArray[Any]], Any]


@final
class Source:
    """Hold a source on one cell, with what it takes to try a voltage and to take it back."""

    def __init__(
        self, array: Array, index: IndexArray, staircase: Staircase, rng: np.random.Generator
    ) -> None:
        self._array, self._index, self._staircase, self._rng = array, index, staircase, rng
        first = int(index[0]) // array.cols * array.cols
        self._row = slice(first, first + array.cols)

    def current(self, volt: float, at: float) -> float:
        """Return the current (A, positive from BL to SL) at a voltage (V) and a time (s)."""
        lines = max(volt, 0.0), max(-volt, 0.0)
        return float(self._array.current(self._index, *lines, self._staircase.gate, at)[0])

    def admits(self, volt: float, at: float, seconds: float) -> bool:
        """Apply a voltage (V) and return whether the current was within the compliance at both ends."""
        first = abs(self.current(volt, at))
        lines = max(volt, 0.0), max(-volt, 0.0)
        self._array.pulse(self._index, *lines, self._staircase.gate, seconds, at, self._rng)
        return max(first, abs(self.current(volt, at + seconds))) <= self._staircase.compliance

    def limited(self, volt: float, at: float, seconds: float) -> float:
        """Apply the largest voltage (V) up to `volt` that the compliance admits, and return it."""
        before = self.photograph()
        if self.admits(volt, at, seconds):
            return volt
        low, high = 0.0, volt
        for _ in range(HALVINGS):
            self.take_back(before)
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.admits(middle, at, seconds) else (low, middle)
        self.take_back(before)
        self.admits(low, at, seconds)
        return low

    def photograph(self) -> Photograph:
        """Return the cells of the row, neighbours under stress included, and the state of the randomness."""
        return [
            kept[self._row].copy() for kept in self._array.population.cells
        ], self._rng.bit_generator.state

    def take_back(self, before: Photograph) -> None:
        """Return to a photograph: the next try meets the same cells and draws the same numbers."""
        for kept, old in zip(self._columns(), before[0], strict=True):
            kept[self._row] = old
        self._rng.bit_generator.state = before[1]

    def _columns(self) -> list[NDArray[Any]]:
        return list(self._array.population.cells)
