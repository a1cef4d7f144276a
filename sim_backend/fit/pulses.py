"""Compare pulses: gate staircases, amplitude ladders, width sweeps, single shots, in any order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.fit.experiment import FIFTHS, Experiment, Feature, Figure
from sim_backend.fit.figures import median, of_exponential, spread
from sim_backend.fit.grouping import banded, numbered
from sim_backend.fit.inverse import load_readings
from sim_backend.fit.table import Table
from sim_backend.population import Population
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

GAP = 1e-3
"""Time (s) between the pulses of a cell."""
LEAST = 0.1e-6
"""Readings below this (S) are taken as this: noise of a reading knows no sign."""


@final
@dataclass(frozen=True)
class ReadSetting:
    """Hold how cells were read: `v_read` (V), gate `v_wl` (V), `duration` (s), `delay` (s) after a pulse."""

    v_read: float = 0.2
    v_wl: float = 3.3
    duration: float = 1e-3
    delay: float = 1e-3


@final
class Pulses(Experiment):
    """Hold pulses on cells: line voltages (V), width (s), the reading (S) before the first and after each.

    A simulated cell starts where the measured one was read before its first pulse, and then takes all
    pulses of that cell in their order. Rows of like voltages and widths form groups of `least` rows and
    more, joined along the gate voltage; `floor` is the disagreement in ln(G) that is tolerated.

    The table may tell more: `at` (s) when a pulse began, with the reading before the first one ending near 0;
    `delay` (s) from its end to the reading; `part`, a number that parts groups; `floor` (S), below which a
    cell was left out of a pulse, so that a simulated one is as well; `series` (ohm) of its lines.
    """

    def __init__(
        self,
        table: Table,
        setting: ReadSetting,
        held: NDArray[np.bool_],
        least: int = 100,
        floor: float = 0.03,
    ) -> None:
        self.name, self.table, self.setting = table.name, table, setting
        self.held, self.least, self.floor = held, least, floor
        _, self.cells = np.unique(table["cell"].astype(np.int64), return_inverse=True)
        self.steps = _steps(self.cells, table.columns.get("order"))
        self._mates = _repeats(self.cells, self._conditions(), self.steps)

    crowd = 384

    @property
    def repeated(self) -> bool:
        """Return whether some cell took the same pulse more than once: only that tells cycles from cells."""
        return bool(np.any(self._mates >= 0))

    def measured(self) -> FloatArray:
        """Return the reading (S) after each pulse."""
        return self.table["after"]

    def simulate(self, preset: Preset, rng: np.random.Generator, copies: int) -> FloatArray:
        """Return what `copies` simulated sets of the cells read (S) after each pulse, (copies, rows)."""
        count = int(self.cells.max()) + 1
        population = Population.draw(preset, count * copies, rng)
        last = np.tile(self._first(count), copies)
        ohm = np.zeros(count)
        ohm[self.cells] = self.table.columns.get("series", 0.0)
        s = self.setting
        load_readings(population, last, s.v_read, s.v_wl, np.tile(ohm, copies))
        out = np.full((copies, len(self.table)), np.nan)
        for step in range(int(self.steps.max()) + 1):
            rows = np.flatnonzero(self.steps == step)
            out[:, rows] = self._step(population, rows, last, copies, (step + 1) * GAP, rng)
        return out

    def features(self, values: FloatArray, held: bool) -> Sequence[Feature]:
        """Return ln(G) by condition, and where pulses were repeated on the same cells how far they differ."""
        conditions = self._conditions()
        band = banded(self.table["v_wl"], numbered(*conditions[1:])[0], self.least)
        chosen = self.held if held else ~self.held
        logs = np.log(np.maximum(values, LEAST))
        group, labels = _groups(chosen & np.isfinite(self.measured()), band, conditions)
        found = [Feature("after", logs, group, labels, "1", self.floor, FIFTHS)]
        if self.repeated:
            rows, mates = self._pairs(chosen)
            difference = np.full(logs.shape, 0.0)
            difference[..., rows] = (logs[..., rows] - logs[..., mates]) / np.sqrt(2.0)
            part = np.zeros(len(self.table), bool)
            part[rows] = True
            group, labels = _groups(part, band, conditions)
            found.append(Feature("repeat", difference, group, labels, "1", self.floor, FIFTHS))
        return found

    def figures(self) -> Mapping[str, Figure]:
        """Return median and spread of the conductance (S)."""
        return {"median": of_exponential(median), "spread": of_exponential(spread)}

    def _pairs(self, chosen: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
        mates = self._mates
        both = np.flatnonzero((mates >= 0) & chosen & np.isfinite(self.measured()))
        both = both[np.isfinite(self.measured()[mates[both]])]
        return both, mates[both]

    def _conditions(self) -> list[FloatArray]:
        t = self.table
        parts = t.columns.get("part", np.zeros(len(t)))
        return [t["v_wl"], t["width"], t["v_bl"], t["v_sl"], parts]

    def _first(self, count: int) -> FloatArray:
        first = np.flatnonzero(self.steps == 0)
        readings = np.full(count, LEAST)
        readings[self.cells[first]] = np.nan_to_num(self.table["before"][first], nan=LEAST)
        return readings

    def _step(
        self,
        population: Population,
        rows: IntArray,
        last: FloatArray,
        copies: int,
        at: float,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return what the cells of these rows read; `last` (S), what each cell read last, is kept up."""
        t, s = self.table, self.setting
        index = (np.arange(copies)[:, None] * (len(last) // copies) + self.cells[rows]).ravel()
        names = ("v_bl", "v_sl", "v_wl", "width")
        bl, sl, wl, width = (np.tile(t[name][rows], copies) for name in names)
        begin, delay, floor, ohm = (
            np.tile(t.columns[name][rows] if name in t.columns else np.full(len(rows), usual), copies)
            for name, usual in (("at", at), ("delay", s.delay), ("floor", 0.0), ("series", 0.0))
        )
        # Left out is a pulse of 0 V: it draws as many random numbers as any, so that fits stay smooth.
        left_out = last[index] < floor
        bl, sl = np.where(left_out, 0.0, bl), np.where(left_out, 0.0, sl)
        population.bias(index, bl, sl, wl, width, begin, ohm, rng)
        last[index] = population.read(index, s.v_read, s.v_wl, begin + width + delay, s.duration, ohm, rng)
        return np.asarray(last[index].reshape(copies, len(rows)))


def _steps(cells: IntArray, order: FloatArray | None) -> IntArray:
    """Return the place of each row among those of its cell, from 0, in the order of the table or given."""
    key = np.arange(len(cells)) if order is None else order
    sequence = np.lexsort((key, cells))
    ordered = cells[sequence]
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    place = np.arange(len(cells)) - np.maximum.accumulate(np.where(begins, np.arange(len(cells)), 0))
    steps = np.empty(len(cells), np.int64)
    steps[sequence] = place
    return steps


def _repeats(cells: IntArray, conditions: list[FloatArray], steps: IntArray) -> IntArray:
    """Return for each row an earlier row of the same cell and condition, -1 if there is none."""
    condition, _ = numbered(*conditions)
    sequence = np.lexsort((steps, condition, cells))
    mates = np.full(len(cells), -1, np.int64)
    here, before = sequence[1:], sequence[:-1]
    same = (cells[here] == cells[before]) & (condition[here] == condition[before])
    mates[here[same]] = before[same]
    return mates


def _groups(
    chosen: NDArray[np.bool_], band: FloatArray, conditions: list[FloatArray]
) -> tuple[IntArray, list[str]]:
    number, found = numbered(band[chosen], *(c[chosen] for c in conditions[1:]))
    group = np.full(len(chosen), -1, np.int64)
    group[chosen] = number
    parted = len(np.unique(found[:, -1])) > 1
    return group, [_label(row, parted) for row in found]


def _label(row: FloatArray, parted: bool) -> str:
    v_wl, width, v_bl, v_sl, part = row
    kind, drive = ("SET", v_bl - v_sl) if v_bl >= v_sl else ("RESET", v_sl - v_bl)
    which = f", {_turn(part)}" if parted else ""
    return f"{kind} {drive:g} V, gate {v_wl:g} V, {width * 1e9:g} ns{which}"


def _turn(part: float) -> str:
    return f"step {part + 1:g}" if part >= 0 else "last steps"
