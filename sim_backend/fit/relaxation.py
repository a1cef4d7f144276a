"""Compare relaxation: readings of programmed cells at times after programming, against the first of them."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import GOOD
from sim_backend.fit.experiment import Experiment, Feature, Figure
from sim_backend.fit.figures import beyond, deviation, spread
from sim_backend.fit.history import History
from sim_backend.fit.inverse import load_readings
from sim_backend.fit.pulses import ReadSetting
from sim_backend.fit.table import Table
from sim_backend.population import Population
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TAILS = np.array([0.0, 0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.995, 1.0])
"""Shares at which sorted changes are cut: the tails are what matters after programming."""
FEW = np.array([0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98])
MANY = 400
"""Groups smaller than this do not show far tails: they are cut more coarsely, at `FEW`.

One cell in fifty is left out at either end: telegraph noise, which write-verify partly selects, makes it."""
TAIL = 8e-6
"""A change beyond this (S) counts as lost: two levels of a 4 uS grid."""
_OF_SWITCHING = (
    "kinetics.",
    "forming.",
    "variation.set",
    "variation.reset",
    "variation.increment",
)
FLOOR, SHARE = 0.05e-6, 0.05
"""Disagreement (S, and as a share) of a change that is tolerated."""


@final
class Relaxing(Experiment):
    """Hold readings (S) at times (s) after the first, with that first one as `programmed` on every row.

    `bands` (S) cut the programmed conductances into groups. A simulated cell is programmed to what was
    read first, is read again after the setting's delay, and then at the times of its rows; with a `history`
    it lives through the pulses that programmed it. A time of 0 is the first reading itself and takes no part.
    """

    crowd = 4096

    def __init__(
        self,
        table: Table,
        setting: ReadSetting,
        held: NDArray[np.bool_],
        bands: Sequence[float],
        history: History | None = None,
    ) -> None:
        self.name, self.setting, self._history = table.name, setting, history
        later = table["time"] > 0.0
        self.table, self.held, self.bands = table.where(later), held[later], np.asarray(bands)
        _, self.cells = np.unique(self.table["cell"].astype(np.int64), return_inverse=True)
        self.nominal = _nominal(self.table["time"])

    def measured(self) -> FloatArray:
        """Return the change (S) since the first reading."""
        return self.table["conductance"] - self.table["programmed"]

    def simulate(self, preset: Preset, rng: np.random.Generator, copies: int) -> FloatArray:
        """Return the changes (S) that `copies` simulated sets of the cells show, (copies, rows)."""
        count, s = int(self.cells.max()) + 1, self.setting
        population = Population.draw(preset, count * copies, rng)
        first, ohm = np.zeros(count), np.zeros(count)
        first[self.cells] = self.table["programmed"]
        ohm[self.cells] = self.table.columns.get("series", 0.0)
        first, ohm = np.tile(first, copies), np.tile(ohm, copies)
        begin = self._program(population, first, ohm, copies, rng)
        index = np.arange(count * copies)
        start = population.read(index, s.v_read, s.v_wl, begin, s.duration, ohm, rng)
        out = np.empty((copies, len(self.table)))
        for time in np.unique(self.nominal):
            rows = np.flatnonzero(self.nominal == time)
            index = (np.arange(copies)[:, None] * count + self.cells[rows]).ravel()
            at = begin + np.tile(self.table["time"][rows], copies)
            seen = population.read(index, s.v_read, s.v_wl, at, s.duration, ohm[index], rng)
            out[:, rows] = (seen - start[index]).reshape(copies, len(rows))
        return out

    def touched(self, name: str) -> bool:
        """Return whether a parameter matters: how cells switch does not, for readings switch none."""
        return not name.startswith(_OF_SWITCHING)

    def features(self, values: FloatArray, held: bool) -> Sequence[Feature]:
        """Return the change by band of programmed conductance and by time."""
        band = np.digitize(self.table["programmed"], self.bands) - 1
        times, order = np.unique(self.nominal, return_inverse=True)
        chosen = (self.held if held else ~self.held) & (band >= 0) & (band < len(self.bands) - 1)
        number = band * len(times) + order
        kept, group = np.unique(number[chosen], return_inverse=True)
        full = np.full(len(band), -1, np.int64)
        full[chosen] = group
        labels = [self._label(int(n) // len(times), float(times[int(n) % len(times)])) for n in kept]
        edges = TAILS if len(kept) and np.bincount(group).min() >= MANY else FEW
        return [Feature("change", values, full, labels, "S", FLOOR, edges, SHARE)]

    def figures(self) -> Mapping[str, Figure]:
        """Return standard deviation and robust spread (S), and the share of cells beyond 8 uS."""
        tail = f"share beyond {TAIL * 1e6:g} uS"
        return {"sigma": deviation, "spread": spread, tail: beyond(TAIL)}

    def _program(
        self,
        population: Population,
        first: FloatArray,
        ohm: FloatArray,
        copies: int,
        rng: np.random.Generator,
    ) -> float:
        """Program the cells to what was read first (S); return the time (s) of that reading."""
        s = self.setting
        load_readings(population, first, s.v_read, s.v_wl, ohm)
        if self._history is not None:
            self._history.relive(population, copies, rng)
            load_readings(population, first, s.v_read, s.v_wl, ohm)
            return 0.0
        good = population.cells.status == GOOD
        population.load(population.cells.conductance.copy(), rng, 0.0, good)
        return s.delay

    def _label(self, band: int, time: float) -> str:
        low, high = self.bands[band : band + 2] * 1e6
        return f"{low:g} to {high:g} uS, {time:g} s"


def _nominal(times: FloatArray) -> FloatArray:
    """Return the times with neighbours nearer than a factor of 1.5 drawn together, one digit each."""
    order = np.argsort(times)
    gaps = np.diff(np.log(times[order])) > np.log(1.5)
    number = np.concatenate([[0], np.cumsum(gaps)])
    out = np.empty(len(times))
    for k in np.unique(number):
        rows = order[number == k]
        out[rows] = float(f"{np.median(times[rows]):.1g}")
    return out
