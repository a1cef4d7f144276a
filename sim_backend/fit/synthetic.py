"""Measure a simulated population as a bench would: tables to try a fit on where the truth is known."""

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import GOOD
from sim_backend.fit.pulses import GAP, ReadSetting
from sim_backend.fit.table import Table
from sim_backend.population import Population
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]
Pulse = tuple[float, float, float, float]
"""V_BL, V_SL, V_WL (V) and width (s)."""

_ERASE: Pulse = (0.0, 2.0, 3.3, 1e-6)


def staircases(repeats: int = 2) -> list[Pulse]:
    """Return a gate staircase, an SL ladder and a width sweep, `repeats` times, with RESETs in between."""
    series: list[Pulse] = []
    for _ in range(repeats):
        for gate in (1.1, 1.4, 1.7):
            series += [(2.0, 0.0, gate, 1e-6), _ERASE]
        series += [(2.0, 0.0, 2.0, 1e-6)]
        series += [(0.0, volt, 3.3, 1e-6) for volt in (0.9, 1.2, 1.5)]
        series += [_ERASE, (2.0, 0.0, 1.4, 1e-7), _ERASE, (2.0, 0.0, 1.4, 1e-5), _ERASE]
    return series


def pulse_table(
    preset: Preset, cells: int, series: list[Pulse], setting: ReadSetting, rng: np.random.Generator
) -> Table:
    """Return the table of a series of pulses on every good cell of a population delivered in the HRS."""
    population, index = _delivered(preset, cells, rng)
    before = population.read(index, setting.v_read, setting.v_wl, 1e-3, setting.duration, 0.0, rng)
    rows: dict[str, list[FloatArray]] = {name: [] for name in _PULSE_COLUMNS}
    for k, pulse in enumerate(series):
        at = 0.1 + (k + 1) * GAP
        population.bias(index, *pulse, at, 0.0, rng)
        later = at + pulse[3] + setting.delay
        after = population.read(index, setting.v_read, setting.v_wl, later, setting.duration, 0.0, rng)
        values = (index, k, *pulse, before, after)
        for name, value in zip(_PULSE_COLUMNS, values, strict=True):
            rows[name].append(np.broadcast_to(np.asarray(value, np.float64), index.shape))
        before = after
    return Table("pulses", {name: np.concatenate(parts) for name, parts in rows.items()})


def relaxation_table(
    preset: Preset, cells: int, times: FloatArray, setting: ReadSetting, rng: np.random.Generator
) -> Table:
    """Return readings of cells programmed to 20 to 100 uS, at times (s) after the first reading."""
    population, index = _delivered(preset, cells, rng)
    population.load(rng.uniform(20e-6, 100e-6, cells), rng, 1.0, population.cells.status == GOOD)
    s, begin = setting, 1.0 + setting.delay
    first = population.read(index, s.v_read, s.v_wl, begin, s.duration, 0.0, rng)
    later = [population.read(index, s.v_read, s.v_wl, begin + t, s.duration, 0.0, rng) for t in times]
    columns = {
        "cell": np.tile(index.astype(np.float64), len(times)),
        "time": np.repeat(times, len(index)),
        "conductance": np.concatenate(later),
        "programmed": np.tile(first, len(times)),
    }
    return Table("reads", columns)


def curve_table(
    preset: Preset, cells: int, volts: FloatArray, setting: ReadSetting, rng: np.random.Generator
) -> Table:
    """Return currents (A) at voltages (V) of cells at 10 to 120 uS that have settled."""
    population, index = _delivered(preset, cells, rng)
    population.load(rng.uniform(10e-6, 120e-6, cells), rng, 1.0, population.cells.status == GOOD)
    seen = [population.read(index, v, setting.v_wl, 1e4, setting.duration, 0.0, rng) * v for v in volts]
    columns = {
        "cell": np.tile(index.astype(np.float64), len(volts)),
        "voltage": np.repeat(volts, len(index)),
        "current": np.concatenate(seen),
    }
    return Table("curves", columns)


_PULSE_COLUMNS = ("cell", "order", "v_bl", "v_sl", "v_wl", "width", "before", "after")


def _delivered(preset: Preset, cells: int, rng: np.random.Generator) -> tuple[Population, NDArray[np.int64]]:
    population = Population.draw(preset, cells, rng)
    population.deliver(rng)
    return population, np.flatnonzero(population.cells.status == GOOD)
