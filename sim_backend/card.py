"""Put a card of plain resistors into the sockets of the macros: what a calibration is checked against."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import BenchFileError
from sim_backend.cells import STUCK_LRS
from sim_backend.population import Population
from sim_backend.preset import Preset
from sim_backend.relaxation import G_LEAST

FloatArray = NDArray[np.float64]

HEADER = ["row", "col", "ohm"]
OPEN = 1e9
"""Resistance of a socket without a resistor (ohm)."""
_PLAIN: dict[str, float | tuple[float, ...]] = {
    "conduction.chi0": 0.0,
    "conduction.chi_scale": 0.0,
    "transistor.kp": 1e6,  # A/V^2: so wide a transistor drops no voltage
    "transistor.series_ohm": 0.0,
    "noise.relative": 0.0,
    "noise.white_current": 0.0,
    "telegraph.fraction": 0.0,
    "telegraph.strong_fraction": 0.0,
    "retention.loss_rate": 0.0,
    "retention.tc_per_kelvin": (0.0,) * 4,
}
_NEVER_CLOSED = -100.0
"""Threshold (V) of a transistor that conducts at any gate voltage."""


def read_card(path: Path, shape: tuple[int, int]) -> FloatArray:
    """Return the resistance (ohm) in each socket of a bench of rows x columns; what is not listed is open."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BenchFileError(f"the resistor card {path} cannot be read: {error}") from None
    if not lines or [word.strip() for word in lines[0]] != HEADER:
        raise BenchFileError(f"the resistor card {path} has no header '{','.join(HEADER)}' in its first line")
    ohm = np.full(shape, np.nan)
    for row, col, value in _entries(path, lines[1:], shape):
        if not np.isnan(ohm[row, col]):
            raise BenchFileError(f"the resistor card {path} names the cell r{row}c{col} twice")
        ohm[row, col] = value
    return np.where(np.isnan(ohm), OPEN, ohm)


def _entries(
    path: Path, lines: Iterable[list[str]], shape: tuple[int, int]
) -> Iterator[tuple[int, int, float]]:
    """Yield row, column and ohm of each line; blank ones are passed over."""
    for number, words in enumerate(lines, 2):
        if not any(word.strip() for word in words):
            continue
        try:
            row, col, ohm = int(words[0]), int(words[1]), float(words[2])
            good = len(words) == 3 and 0 <= row < shape[0] and 0 <= col < shape[1] and 1 <= ohm <= OPEN
        except (ValueError, IndexError):
            good = False
        if not good:
            raise BenchFileError(
                f"the resistor card {path}, line {number}: '{','.join(words)}' is no cell of "
                f"{shape[0]} x {shape[1]} with a resistance of 1 to {OPEN:g} ohm"
            )
        yield row, col, ohm


def resistors(ohm: FloatArray) -> Population:
    """Return cells that are plain resistors (ohm): linear, without noise, deaf to pulses and to the gate."""
    flat = ohm.ravel()
    population = Population.draw(Preset.load("taox180").override(_PLAIN), flat.size, np.random.default_rng(0))
    cells = population.cells
    # No filament is seen below G_LEAST: what is more resistive has the rest in series.
    cells.conductance[...] = np.maximum(1.0 / flat, G_LEAST)
    cells.series[...] = flat - 1.0 / cells.conductance
    cells.vt[...] = _NEVER_CLOSED
    cells.status[...], cells.fresh[...] = STUCK_LRS, 0
    return population
