"""Arrange a population in macros of word lines, bit lines and source lines."""

from collections.abc import Iterator
from enum import Enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_backend.blocks import IndexArray
from sim_backend.cells import FloatArray
from sim_backend.population import Population


class Orientation(Enum):
    """Say which line runs along a row, together with the word line."""

    WL_PARALLEL_BL = "wl_parallel_bl"
    WL_PARALLEL_SL = "wl_parallel_sl"


@final
class Array:
    """Address the cells of a population by macro, row and column, with all that the lines do to them.

    Cell (row r, column c) of macro m is number (m * rows + r) * cols + c. Line resistance is
    `r_line` (ohm per segment, on BL and on SL, drivers at row 0 and column 0), `r_switch` (ohm) is
    met once per path; both come on top of the preset's lumped series resistance.
    `inhibit` (0 to 1) is the share of the driven voltage to which the unselected lines that
    cross an on row are raised: 0 leaves the half-selected cells under full stress.
    """

    def __init__(
        self,
        population: Population,
        rows: int,
        cols: int,
        macros: int = 1,
        orientation: Orientation = Orientation.WL_PARALLEL_BL,
        r_line: float = 0.0,
        r_switch: float = 0.0,
        inhibit: float = 1.0,
    ) -> None:
        if min(rows, cols, macros) < 1 or macros * rows * cols != len(population):
            asked = f"{macros} macros of {rows} x {cols} were asked for"
            raise ValueError(f"{asked}; the population has {len(population)} cells")
        if not 0.0 <= inhibit <= 1.0 or r_line < 0.0 or r_switch < 0.0:
            raise ValueError("inhibit goes from 0 to 1, resistances from 0 ohm upwards")
        self.population = population
        self.rows, self.cols, self.macros = rows, cols, macros
        self.orientation = Orientation(orientation)
        self.r_line, self.r_switch, self.inhibit = r_line, r_switch, inhibit

    def __len__(self) -> int:
        return len(self.population)

    def index(self, row: ArrayLike, col: ArrayLike, macro: ArrayLike = 0) -> IndexArray:
        """Return the cell numbers of rows and columns."""
        r, c, m = np.broadcast_arrays(np.asarray(row), np.asarray(col), np.asarray(macro))
        _within("row", r, self.rows)
        _within("column", c, self.cols)
        _within("macro", m, self.macros)
        return np.asarray(((m * self.rows + r) * self.cols + c).ravel(), np.int64)

    def series(self, index: ArrayLike) -> FloatArray:
        """Return the resistance (ohm) of lines and switch to each cell: one segment per cell passed."""
        i = np.asarray(index, np.int64).ravel()
        segments = i % self.cols + 1 + i // self.cols % self.rows + 1
        return np.asarray(self.r_switch + self.r_line * segments, np.float64)

    def read(
        self,
        index: ArrayLike,
        v_read: ArrayLike,
        v_wl: ArrayLike,
        start: ArrayLike,
        duration: float,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return the conductance I/V (S) of each cell's whole path; unselected bit lines stand at 0 V."""
        return self.population.read(index, v_read, v_wl, start, duration, self.series(index), rng)

    def conductance(self, index: ArrayLike, v_read: ArrayLike, v_wl: ArrayLike, at: ArrayLike) -> FloatArray:
        """Return the noise-free conductance I/V (S) of each cell's whole path at time `at` (s)."""
        return self.population.conductance(index, v_read, v_wl, at, self.series(index))

    def current(
        self, index: ArrayLike, v_bl: ArrayLike, v_sl: ArrayLike, v_wl: ArrayLike, at: ArrayLike
    ) -> FloatArray:
        """Return the noise-free current (A, positive from BL to SL) of each cell at time `at` (s)."""
        return self.population.current(index, v_bl, v_sl, v_wl, at, self.series(index))

    def pulse(
        self,
        index: ArrayLike,
        v_bl: ArrayLike,
        v_sl: ArrayLike,
        v_wl: ArrayLike,
        width: ArrayLike,
        start: ArrayLike,
        rng: np.random.Generator,
    ) -> None:
        """Apply one pulse per listed cell, and the stress of each on its half-selected neighbours.

        Line voltages (V), `width` and `start` (s) are scalars or one value per cell, in the order of time.
        """
        i = np.asarray(index, np.int64).ravel()
        values = [
            np.broadcast_to(np.asarray(v, np.float64), i.shape) for v in (v_bl, v_sl, v_wl, width, start)
        ]
        stress = self.half_select_voltage(values[0], values[1])
        if not self._stresses(stress, values[3]):
            self._bias(i, values, rng)
            return
        for turn in self._turns(i):
            part = [v[turn] for v in values]
            self._bias(i[turn], part, rng)
            self._stress(i[turn], part, stress[turn], rng)

    def half_select_voltage(self, v_bl: ArrayLike, v_sl: ArrayLike) -> FloatArray:
        """Return BL minus SL (V) of the cells that share the on word line with a pulsed cell.

        With WL along BL a raised BL stresses the row (SET); with WL along SL a raised SL does
        (RESET). The other polarity leaves the row at 0 V. Raised means above the line of rest,
        which is the lower of the two.
        """
        difference = np.asarray(v_bl, np.float64) - np.asarray(v_sl, np.float64)
        shared = difference > 0.0 if self.orientation is Orientation.WL_PARALLEL_BL else difference < 0.0
        return np.asarray(np.where(shared, difference * (1.0 - self.inhibit), 0.0))

    def _bias(self, index: IndexArray, values: list[FloatArray], rng: np.random.Generator) -> None:
        v_bl, v_sl, v_wl, width, start = values
        self.population.bias(index, v_bl, v_sl, v_wl, width, start, self.series(index), rng)

    def _stresses(self, stress: FloatArray, width: FloatArray) -> bool:
        # The bound is harm.STILL: 1e-12 S for the weakest cell there is.
        if self.cols == 1 or not len(stress):
            return False
        return not self.population.harmless(stress, float(width.max()))

    def _turns(self, index: IndexArray) -> Iterator[NDArray[np.int64]]:
        # The pulses of one row follow each other; different rows do not touch each other. So turn
        # k holds the k-th pulse of every row, and in a turn no cell is touched twice.
        row = index // self.cols
        order = np.argsort(row, kind="stable")
        first = np.searchsorted(row[order], row[order], side="left")
        turn = np.empty(len(index), np.int64)
        turn[order] = np.arange(len(index)) - first
        for k in range(int(turn.max(initial=-1)) + 1):
            yield np.flatnonzero(turn == k)

    def _stress(
        self, selected: IndexArray, values: list[FloatArray], stress: FloatArray, rng: np.random.Generator
    ) -> None:
        v_bl, v_sl, v_wl, width, start = values
        others = self._row_mates(selected)
        which = np.repeat(np.arange(len(selected)), self.cols - 1)
        lines = self._line_voltages(v_bl, v_sl, stress)
        self._bias(others, [v[which] for v in (*lines, v_wl, width, start)], rng)

    def _row_mates(self, selected: IndexArray) -> IndexArray:
        begin = selected // self.cols * self.cols
        other = np.arange(1, self.cols)
        return np.asarray((begin[:, None] + (selected[:, None] - begin[:, None] + other) % self.cols).ravel())

    def _line_voltages(
        self, v_bl: FloatArray, v_sl: FloatArray, stress: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        if self.orientation is Orientation.WL_PARALLEL_BL:
            return np.maximum(v_bl, v_sl), np.maximum(v_bl, v_sl) - stress
        return np.maximum(v_bl, v_sl) + stress, np.maximum(v_bl, v_sl)


def _within(what: str, values: NDArray[np.generic], count: int) -> None:
    if values.size and (values.min() < 0 or values.max() >= count):
        raise ValueError(
            f"{what} {values.min()} to {values.max()} was asked for; 0 to {count - 1} is possible"
        )
