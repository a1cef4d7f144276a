"""Compare I-V curves below switching: how much more a cell conducts at a higher voltage."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from sim_backend.fit.experiment import FIFTHS, Experiment, Feature, Figure
from sim_backend.fit.figures import median, of_exponential, spread
from sim_backend.fit.inverse import load_readings
from sim_backend.fit.pulses import ReadSetting
from sim_backend.fit.table import Table
from sim_backend.population import Population
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_OF_THE_PATH = (
    "conduction.",
    "transistor.",
    "retention.tc",
    "variation.chi",
    "variation.vt",
    "variation.series",
)
_LEAST_CURRENT = 1e-9
_NEAR = 1e-4


@final
class Curves(Experiment):
    """Hold currents (A) at voltages (V) on cells whose state does not change.

    The current that a cell's table shows at 0 V is an offset of the instrument: it is subtracted. Each cell
    is taken at its conductance at the reference voltage nearest to the setting's `v_read`; what is
    compared is ln(G(V)/G(reference)) in `bands` (S).

    The table may tell more: `curve` numbers the curves of cells that have several, `v_wl` (V) the gate of
    each, `series` (ohm) that of its lines. `quiet` curves are of a source meter, which adds no noise of the
    read chain.
    """

    crowd = 1024

    def __init__(
        self,
        table: Table,
        setting: ReadSetting,
        held: NDArray[np.bool_],
        bands: Sequence[float],
        floor: float = 0.01,
        quiet: bool = False,
    ) -> None:
        self.name, self.table, self.setting, self.quiet = table.name, table, setting, quiet
        self.held, self.bands, self.floor = held, np.asarray(bands), floor
        _, self.cells = np.unique(table["cell"].astype(np.int64), return_inverse=True)
        _, self._curves = np.unique(_curve_numbers(table), return_inverse=True)
        current = table["current"] - _offsets(table, self._curves)
        volts = np.where(np.abs(table["voltage"]) < _NEAR, np.nan, table["voltage"])
        self._conductance = np.maximum(current, _LEAST_CURRENT) / volts
        self._reference = _reference(table["voltage"], setting.v_read)
        self._start = self._at_reference(self._conductance)

    def measured(self) -> FloatArray:
        """Return the conductance I/V (S) of each row; NaN at 0 V."""
        return self._conductance

    def simulate(self, preset: Preset, rng: np.random.Generator, copies: int) -> FloatArray:
        """Return the conductance I/V (S) that `copies` simulated sets of the cells show, (copies, rows)."""
        population = Population.draw(preset, (int(self.cells.max()) + 1) * copies, rng)
        out, turns = np.full((copies, len(self.table)), np.nan), self._turns()
        for turn in range(int(turns.max()) + 1):
            self._take(population, np.flatnonzero(turns == turn), copies, rng, out)
        return out

    def touched(self, name: str) -> bool:
        """Return whether a parameter matters: to quiet curves only what the path is made of."""
        return name.startswith(_OF_THE_PATH) or not self.quiet

    def features(self, values: FloatArray, held: bool) -> Sequence[Feature]:
        """Return ln(G(V)/G(reference)) by band of conductance and by voltage."""
        volts, order = np.unique(self.table["voltage"], return_inverse=True)
        band = np.digitize(self._start[self._curves], self.bands) - 1
        chosen = (self.held if held else ~self.held) & (band >= 0) & (band < len(self.bands) - 1)
        far = np.abs(self.table["voltage"] - self._reference) > _NEAR
        chosen &= far & np.isfinite(self._conductance) & np.isfinite(self._start[self._curves])
        kept, group = np.unique((band * len(volts) + order)[chosen], return_inverse=True)
        full = np.full(len(band), -1, np.int64)
        full[chosen] = group
        labels = [self._label(int(n) // len(volts), float(volts[int(n) % len(volts)])) for n in kept]
        change = np.log(np.maximum(values, _LEAST_CURRENT)) - np.log(self._beside(values))
        return [Feature("curve", change, full, labels, "1", self.floor, FIFTHS)]

    def figures(self) -> Mapping[str, Figure]:
        """Return median and spread of G(V)/G(reference)."""
        return {"median": of_exponential(median), "spread": of_exponential(spread)}

    def _beside(self, values: FloatArray) -> FloatArray:
        """Return, for each row, its cell's conductance (S) at the reference voltage."""
        flat = values.reshape(-1, len(self.table))
        start = np.stack([self._at_reference(each)[self._curves] for each in flat])
        return np.maximum(start.reshape(values.shape), _LEAST_CURRENT)

    def _at_reference(self, values: FloatArray) -> FloatArray:
        rows = np.flatnonzero(np.abs(self.table["voltage"] - self._reference) < _NEAR)
        out = np.full(int(self._curves.max()) + 1, np.nan)
        out[self._curves[rows]] = values[rows]
        return out

    def _turns(self) -> IntArray:
        """Return the number of each row's curve among those of its cell, from 0."""
        pairs = np.unique(np.stack([self.cells, self._curves]), axis=1)
        first = np.searchsorted(pairs[0], pairs[0], side="left")
        turn = np.zeros(int(self._curves.max()) + 1, np.int64)
        turn[pairs[1]] = np.arange(pairs.shape[1]) - first
        return turn[self._curves]

    def _take(
        self,
        population: Population,
        rows: IntArray,
        copies: int,
        rng: np.random.Generator,
        out: FloatArray,
    ) -> None:
        """Lay into `out` (copies, rows) what one curve of each cell in these rows shows."""
        t, s, count = self.table, self.setting, len(population) // copies
        start, gate, ohm = np.full(count, np.nan), np.full(count, s.v_wl), np.zeros(count)
        start[self.cells[rows]] = self._start[self._curves[rows]]
        gate[self.cells[rows]] = t.columns["v_wl"][rows] if "v_wl" in t.columns else s.v_wl
        ohm[self.cells[rows]] = t.columns["series"][rows] if "series" in t.columns else 0.0
        start, gate, ohm = (np.tile(each, copies) for each in (start, gate, ohm))
        load_readings(population, np.nan_to_num(start, nan=1e-6), self._reference, gate, ohm)
        for volt in np.unique(t["voltage"][rows]):
            mine = rows[t["voltage"][rows] == volt]
            index = (np.arange(copies)[:, None] * count + self.cells[mine]).ravel()
            if abs(volt) >= _NEAR:
                lines = float(volt), gate[index], ohm[index]
                out[:, mine] = self._seen(population, index, *lines, rng).reshape(copies, len(mine))

    def _seen(
        self,
        population: Population,
        index: IntArray,
        volt: float,
        gate: FloatArray,
        ohm: FloatArray,
        rng: np.random.Generator,
    ) -> FloatArray:
        if self.quiet:
            return population.conductance(index, volt, gate, 1.0, ohm)
        return population.read(index, volt, gate, 1.0, self.setting.duration, ohm, rng)

    def _label(self, band: int, volt: float) -> str:
        low, high = self.bands[band : band + 2] * 1e6
        return f"{low:g} to {high:g} uS, {volt:g} V"


def _curve_numbers(table: Table) -> FloatArray:
    return table["curve"] if "curve" in table.columns else table["cell"]


def _reference(volts: FloatArray, wanted: float) -> float:
    positive = np.unique(volts[volts > _NEAR])
    if len(positive) < 2:
        raise InputError("an I-V table needs two voltages above 0 V and more; this one has fewer")
    return float(positive[np.argmin(np.abs(positive - wanted))])


def _offsets(table: Table, cells: NDArray[np.int64]) -> FloatArray:
    """Return the offset current (A) of each row's cell: what flows at 0 V, 0 where that was not measured."""
    zero = np.flatnonzero(np.abs(table["voltage"]) < _NEAR)
    count = np.bincount(cells[zero], minlength=int(cells.max()) + 1)
    total = np.bincount(cells[zero], table["current"][zero], minlength=int(cells.max()) + 1)
    return np.asarray(total / np.maximum(count, 1))[cells]
