"""Simulate a population of 1T1R cells: pulses and reads on any of them, at any time."""

import math
from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_backend import kinetics, noise
from sim_backend.cells import GOOD, STUCK_LRS, Cells, FloatArray, HalfArray
from sim_backend.constants import Constants, constants
from sim_backend.draw import delivered_conductance, draw_cells, stuck_conductance
from sim_backend.preset import Preset
from sim_backend.relaxation import redraw_block, settle_block, visible_block

BLOCK = 65_536
"""Cells per kernel call; bounds the temporary memory."""

STILL = 1e-12
"""A bias that cannot move any cell by more than this (S) is not simulated (1e-6 uS: a
hundred-thousandth of the noise of a read; 2 000 such pulses stay below 0.002 uS)."""

IndexArray = NDArray[np.int64]


@final
class Population:
    """Hold cells of one technology and let pulses, reads and time act on them.

    Every cell carries its own times and is advanced exactly when it is touched. A time before
    the last pulse of a cell counts as the time of that pulse.
    """

    def __init__(self, preset: Preset, cells: Cells, temperature: float = 298.15) -> None:
        self.preset = preset
        self.cells = cells
        self._temperature = temperature
        self._constants = constants(preset, temperature)
        self._seen: NDArray[np.uint8] = np.zeros(len(cells.conductance), np.uint8)

    @classmethod
    def draw(
        cls, preset: Preset, n: int, rng: np.random.Generator, temperature: float = 298.15
    ) -> "Population":
        """Draw `n` pristine, unformed cells at `temperature` (K)."""
        if n < 1:
            raise ValueError(f"a population of {n} cells was asked for; at least 1 is possible")
        return cls(preset, draw_cells(preset, n, rng), _kelvin(temperature))

    def __len__(self) -> int:
        return len(self.cells.conductance)

    @property
    def temperature(self) -> float:
        """Return the temperature (K)."""
        return self._temperature

    @property
    def constants(self) -> Constants:
        """Return the kernels' constants at the present temperature."""
        return self._constants

    @property
    def stuck(self) -> NDArray[np.bool_]:
        """Return which cells cannot be programmed: unformable ones and stuck ones."""
        return np.asarray(self.cells.status != GOOD)

    def set_temperature(self, temperature: float, at: float) -> None:
        """Change the temperature (K) at time `at` (s); what went before stays with the old one."""
        settle_block(self.cells, at, self._constants)
        self._temperature = _kelvin(temperature)
        self._constants = constants(self.preset, temperature)

    def deliver(self, rng: np.random.Generator, at: float = 0.0) -> None:
        """Bring all cells into the state of delivery: formed, RESET to the HRS, a day old at `at` (s)."""
        c = self.cells
        good, low = c.status == GOOD, c.status == STUCK_LRS
        self.load(delivered_conductance(self.preset, len(self), rng), rng, at - self.preset.delivery.age, good)
        settle_block(c, at, self._constants)
        c.conductance[low] = stuck_conductance(self.preset, int(low.sum()), rng)
        c.fresh[low] = 0

    def load(
        self, conductance: ArrayLike, rng: np.random.Generator, at: float = 0.0, where: ArrayLike | None = None
    ) -> None:
        """Put cells by hand to a conductance (S) as if just pulsed there at `at` (s): for experiments."""
        g = np.broadcast_to(np.asarray(conductance, np.float64), (len(self),))
        chosen = np.ones(len(self), bool) if where is None else np.asarray(where, bool)
        self.cells.conductance[chosen] = g[chosen]
        self.cells.fresh[chosen] = 0
        self.cells.anchor[chosen] = at
        for part in _blocks(np.flatnonzero(chosen)):
            normals = rng.standard_normal((len(part), self.cells.bank.shape[1]), np.float32)
            redraw_block(self.cells, part, normals, self._constants)

    def bias(
        self,
        index: ArrayLike,
        v_bl: ArrayLike,
        v_sl: ArrayLike,
        v_wl: ArrayLike,
        width: ArrayLike,
        start: ArrayLike,
        series_ohm: ArrayLike,
        rng: np.random.Generator,
    ) -> None:
        """Apply one rectangular pulse to each listed cell.

        Line voltages `v_bl`, `v_sl`, `v_wl` (V), `width` (s), `start` (s) and the extra series resistance
        `series_ohm` (ohm) are scalars or one value per listed cell. BL above SL drives SET (or
        forms a fresh cell), SL above BL drives RESET.
        """
        cells = self._index(index)
        for part, values in _blocks_of(cells, v_bl, v_sl, v_wl, width, start, series_ohm):
            self._refuse_twice(part)
            normals = rng.standard_normal((len(part), kinetics.NORMALS + self.cells.bank.shape[1]), np.float32)
            uniform = rng.random(len(part), np.float32)
            kinetics.pulse_block(self.cells, part, *values, normals, uniform, self._constants)

    def read(
        self,
        index: ArrayLike,
        v_read: ArrayLike,
        v_wl: ArrayLike,
        start: ArrayLike,
        duration: float,
        series_ohm: ArrayLike,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return the conductance I/V (S) of the whole path, noisy, averaged over `duration` (s).

        Read at `v_read` (V, BL against SL at 0 V) with the gate at `v_wl` (V). A read that is large or
        long enough disturbs the cells as the kinetics says.
        """
        cells = self._index(index)
        v = np.broadcast_to(np.asarray(v_read, np.float64), cells.shape)
        if not duration > 0.0 or np.any(v == 0.0):
            raise ValueError(f"a read over {duration} s at {v_read} V was asked for; both must differ from zero")
        current = self._read_current(cells, v, v_wl, start, duration, series_ohm, rng)
        if not self.harmless(float(np.abs(v).max()), duration):
            self.bias(cells, v, 0.0, v_wl, duration, start, series_ohm, rng)
        return np.asarray(current / v)

    def conductance(
        self, index: ArrayLike, v_read: ArrayLike, v_wl: ArrayLike, at: ArrayLike, series_ohm: ArrayLike = 0.0
    ) -> FloatArray:
        """Return the noise-free conductance I/V (S) of the whole path at time `at` (s), touching nothing."""
        return np.asarray(self.current(index, v_read, 0.0, v_wl, at, series_ohm) / np.asarray(v_read))

    def current(
        self,
        index: ArrayLike,
        v_bl: ArrayLike,
        v_sl: ArrayLike,
        v_wl: ArrayLike,
        at: ArrayLike,
        series_ohm: ArrayLike = 0.0,
    ) -> FloatArray:
        """Return the noise-free current (A, positive from BL to SL) at time `at` (s), touching nothing."""
        cells = self._index(index)
        out = np.empty(len(cells))
        done = 0
        for part, values in _blocks_of(cells, v_bl, v_sl, v_wl, at, series_ohm):
            noise.current_block(self.cells, part, *values, self._constants, out[done : done + len(part)])
            done += len(part)
        return out

    def filament(self, index: ArrayLike, at: ArrayLike) -> FloatArray:
        """Return the bare filament conductance (S), at 298 K, small signal, at time `at` (s)."""
        cells = self._index(index)
        times = np.array(np.broadcast_to(np.asarray(at, np.float64), cells.shape))
        return visible_block(self.cells, cells, times, self._constants)

    def harmless(self, voltage: float, duration: float) -> bool:
        """Return whether `voltage` (V) for `duration` (s) can move no cell by more than `STILL` (S)."""
        if voltage <= 0.0:
            return True
        c = self._constants
        weakest = min(c.set_v0, c.reset_v_min) * self._least_factor()
        worst = c.v_activation / weakest - c.v_activation / voltage
        return math.log(c.rate * duration / STILL) + worst < 0.0

    def _least_factor(self) -> float:
        return 0.9 * float(min(self.cells.set_factor.min(), self.cells.reset_factor.min()))

    def _read_current(
        self,
        cells: IndexArray,
        v: FloatArray,
        v_wl: ArrayLike,
        start: ArrayLike,
        duration: float,
        series_ohm: ArrayLike,
        rng: np.random.Generator,
    ) -> FloatArray:
        w = self._averaging(duration)
        white = self.preset.noise.white_current * math.sqrt(self.preset.noise.white_time / duration)
        out = np.empty(len(cells))
        done = 0
        for part, values in _blocks_of(cells, v, v_wl, start, series_ohm):
            self._refuse_twice(part)
            flicker = self._telegraph(part, values[2], duration, rng)
            draws = rng.standard_normal((len(part), 2 * self.cells.noise.shape[1] + 1), np.float32)
            span = out[done : done + len(part)]
            noise.read_block(self.cells, part, *values, flicker, draws, white, w, self._constants, span)
            done += len(part)
        return out

    def _averaging(self, duration: float) -> noise.Averaging:
        c = self._constants
        relax = c.relax_tau_slow * 10.0 ** np.arange(1 - self.cells.bank.shape[1], 1)
        slow = c.noise_tau_slow * 10.0 ** np.arange(1 - self.cells.noise.shape[1], 1)
        return noise.averaging(duration, relax, slow)

    def _telegraph(
        self, part: IndexArray, start: FloatArray, duration: float, rng: np.random.Generator
    ) -> HalfArray:
        out = np.zeros(len(part), np.float32)
        where = np.flatnonzero(self.cells.telegraph[part])
        draws = rng.random((len(where), noise.TELEGRAPH_DRAWS), np.float32)
        normals = rng.standard_normal(len(where), np.float32)
        noise.telegraph_block(self.cells, part, where, start, duration, draws, normals, out)
        return out

    def _index(self, index: ArrayLike) -> IndexArray:
        cells = np.ascontiguousarray(np.asarray(index, np.int64).ravel())
        if len(cells) and (cells.min() < 0 or cells.max() >= len(self)):
            raise ValueError(f"cell {cells.min()} to {cells.max()} was asked for; 0 to {len(self) - 1} is possible")
        return cells

    def _refuse_twice(self, part: IndexArray) -> None:
        if kinetics.any_twice(part, self._seen):
            raise ValueError("a cell is listed twice in one call; list it in two calls, one after the other")


def _kelvin(temperature: float) -> float:
    if not 200.0 <= temperature <= 600.0:
        raise ValueError(f"temperature of {temperature} K was asked for; 200 to 600 K is possible (0 C is 273.15 K)")
    return temperature


def _blocks(index: IndexArray) -> Iterator[IndexArray]:
    for begin in range(0, len(index), BLOCK):
        yield index[begin : begin + BLOCK]


def _blocks_of(index: IndexArray, *values: ArrayLike) -> Iterator[tuple[IndexArray, list[Any]]]:
    arrays = [np.asarray(v, np.float64).ravel() for v in values]
    for begin in range(0, len(index), BLOCK):
        part = index[begin : begin + BLOCK]
        yield part, [_slice(a, begin, len(part), len(index)) for a in arrays]


def _slice(values: FloatArray, begin: int, count: int, total: int) -> FloatArray:
    if len(values) == 1:
        return np.full(count, values[0])
    if len(values) != total:
        raise ValueError(f"{len(values)} values were given for {total} cells; give one, or one per cell")
    return np.ascontiguousarray(values[begin : begin + count])
