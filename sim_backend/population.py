"""Simulate a population of 1T1R cells: pulses and reads on any of them, at any time."""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_backend import noise, pulse, sense, telegraph
from sim_backend.blocks import IndexArray, as_index, blocks_of
from sim_backend.cells import GOOD, Cells, FloatArray, HalfArray
from sim_backend.compiled import in_parallel
from sim_backend.constants import Constants, constants
from sim_backend.draw import delivered_conductance, draw_cells
from sim_backend.harm import Harm
from sim_backend.lines import Points, Pulses
from sim_backend.preset import Preset
from sim_backend.relaxation import redraw_block, settle_block, visible_block


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
        self._harm = Harm(cells)
        self._average: noise.Averaging | None = None
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
        self._settle(at)
        self._temperature = _kelvin(temperature)
        self._constants = constants(self.preset, temperature)
        self._average = None

    def deliver(self, rng: np.random.Generator, at: float = 0.0) -> None:
        """Bring all cells into the state of delivery: formed, RESET to the HRS, a day old at `at` (s)."""
        good = self.cells.status == GOOD
        g = delivered_conductance(self.preset, len(self), rng)
        self.load(g, rng, at - self.preset.delivery.age, good)
        self._settle(at)

    def load(
        self,
        conductance: ArrayLike,
        rng: np.random.Generator,
        at: float = 0.0,
        where: ArrayLike | None = None,
    ) -> None:
        """Put cells by hand to a conductance (S) as if just pulsed there at `at` (s): for experiments."""
        g = np.broadcast_to(np.asarray(conductance, np.float64), (len(self),))
        chosen = np.ones(len(self), bool) if where is None else np.asarray(where, bool)
        self.cells.conductance[chosen] = g[chosen]
        self.cells.fresh[chosen] = 0
        self.cells.anchor[chosen] = at
        index = np.flatnonzero(chosen)
        for span, _ in blocks_of(index):
            normals = rng.standard_normal((span.stop - span.start, self.cells.bank.shape[1]), np.float32)
            redraw_block(self.cells, index[span], normals, self._constants)

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
        cells = as_index(index, len(self))
        for span, values in blocks_of(cells, v_bl, v_sl, v_wl, series_ohm, start, width):
            self._refuse_twice(cells[span])
            self._pulse(cells[span], Pulses(*values), rng)

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
        cells = as_index(index, len(self))
        v = np.broadcast_to(np.asarray(v_read, np.float64), cells.shape)
        if not duration > 0.0 or np.any(v == 0.0):
            raise ValueError(f"a read over {duration} s was asked for; duration and voltage must not be 0")
        current = np.empty(len(cells))
        for span, values in blocks_of(cells, v, 0.0, v_wl, series_ohm, start):
            self._refuse_twice(cells[span])
            self._sense(cells[span], Points(*values), duration, rng, current[span])
        if not self.harmless(v, duration):
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
        cells = as_index(index, len(self))
        out = np.empty(len(cells))
        for span, values in blocks_of(cells, v_bl, v_sl, v_wl, series_ohm, at):
            sense.current_block(self.cells, cells[span], Points(*values), self._constants, out[span])
        return out

    def filament(self, index: ArrayLike, at: ArrayLike) -> FloatArray:
        """Return the bare filament conductance (S), at 298 K, small signal, at time `at` (s)."""
        cells = as_index(index, len(self))
        times = np.array(np.broadcast_to(np.asarray(at, np.float64), cells.shape))
        return visible_block(self.cells, cells, times, self._constants)

    def harmless(self, voltages: ArrayLike, duration: float) -> bool:
        """Return whether no cell moves measurably at voltages (V, BL minus SL) over `duration` (s)."""
        return self._harm.harmless(np.asarray(voltages, np.float64), duration, self._constants)

    def _settle(self, at: float) -> None:
        in_parallel(lambda s: settle_block(self.cells, s.start, s.stop, at, self._constants), len(self))

    def _pulse(self, part: IndexArray, pulses: Pulses, rng: np.random.Generator) -> None:
        normals = rng.standard_normal((len(part), pulse.NORMALS + self.cells.bank.shape[1]), np.float32)
        uniform = rng.random(len(part), np.float32)

        def work(s: slice) -> None:
            pulse.pulse_block(self.cells, part[s], pulses.part(s), normals[s], uniform[s], self._constants)

        in_parallel(work, len(part))

    def _sense(
        self, part: IndexArray, points: Points, duration: float, rng: np.random.Generator, out: FloatArray
    ) -> None:
        c, w = self._constants, self._averaging(duration)
        white = self.preset.noise.white_current * math.sqrt(self.preset.noise.white_time / duration)
        flicker = self._telegraph(part, points.at, duration, rng)
        draws = rng.standard_normal((len(part), 2 * self.cells.noise.shape[1] + 1), np.float32)

        def work(s: slice) -> None:
            args = (flicker[s], draws[s], white, w, c, out[s])
            sense.read_block(self.cells, part[s], points.part(s), *args)

        in_parallel(work, len(part))

    def _averaging(self, duration: float) -> noise.Averaging:
        if self._average is not None and self._average.duration == duration:
            return self._average
        c = self._constants
        relax = c.relax_tau_slow * 10.0 ** np.arange(1 - self.cells.bank.shape[1], 1)
        slow = c.noise_tau_slow * 10.0 ** np.arange(1 - self.cells.noise.shape[1], 1)
        self._average = noise.averaging(duration, relax, slow)
        return self._average

    def _telegraph(
        self, part: IndexArray, start: FloatArray, duration: float, rng: np.random.Generator
    ) -> HalfArray:
        out = np.zeros(len(part), np.float32)
        where = np.flatnonzero(self.cells.telegraph[part])
        draws = rng.random((len(where), telegraph.DRAWS), np.float32)
        normals = rng.standard_normal(len(where), np.float32)
        telegraph.telegraph_block(self.cells, part, where, start, duration, draws, normals, out)
        return out

    def _refuse_twice(self, part: IndexArray) -> None:
        if pulse.any_twice(part, self._seen):
            raise ValueError("a cell is listed twice in one call; list it in two calls, one after the other")


def _kelvin(temperature: float) -> float:
    if not 200.0 <= temperature <= 600.0:
        raise ValueError(f"{temperature} K was asked for; 200 to 600 K is possible (0 C is 273.15 K)")
    return temperature
