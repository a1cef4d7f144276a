"""Visit the cells of a group: read them by the board at several voltages, sweep them by the source meter."""

import numpy as np
from numpy.typing import NDArray

from calibration.cells import Pattern
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec, Staircase

FloatArray = NDArray[np.float64]

STEPS = (0.02, 0.4, 0.7, 1.0)
"""Voltages at which cells are read, of that of the bench's reading; the smallest one shows the offsets.

All are positive. For a negative one a board lowers the bit line, where a sweep may raise the source line; the
access transistor is less open then, and a path of 90 uS differs by 2 %: two paths would be compared.
"""
SAMPLES, PASSES, BATCH = 4, 16, 8
"""Samples of a reading, passes over the cells (half before the sweep), and cells between two voltages."""
GROUP = 64
"""Cells of a part: half a minute of readings and sweeps, over which slow noise is averaged."""
DWELL, COMPLIANCE = 0.05, 60e-6
"""Time of a step of the meter (s), and the full scale of the read chain (A), which no cell should reach."""


def groups(rows: int, cols: int) -> list[range]:
    """Return the columns of each part of a macro."""
    width = max(1, GROUP // Pattern(rows, cols).per_column)
    return [range(begin, min(begin + width, cols)) for begin in range(0, cols, width)]


def levels(reading: ReadSpec) -> FloatArray:
    """Return the voltages (V) at which cells are read."""
    return np.array(STEPS) * reading.v_read


def steps_of(volts: FloatArray) -> FloatArray:
    """Return the steps (V) of a sweep: 0 V, and all but the smallest voltage, where a curve is straight."""
    return np.concatenate([[0.0], np.sort(volts)[1:]])


def readings(backend: Backend, cells: Cells, volts: FloatArray, gate: float, passes: int) -> Columns:
    """Return conductances as reported (S; passes, volts, cells), and when each cell was read (s).

    Few cells at a time are read at all voltages, so that slow noise is the same in all of them.
    """
    raw, at = np.zeros((passes, len(volts), len(cells))), np.zeros((passes, len(cells)))
    for turn in range(passes):
        for begin in range(0, len(cells), BATCH):
            some = slice(begin, begin + BATCH)
            at[turn, some] = backend.now()
            batch = Cells(cells.row[some], cells.col[some])
            for step, volt in enumerate(volts):
                raw[turn, step, some] = backend.read(batch, ReadSpec(float(volt), gate, SAMPLES))
    return {"raw": raw, "read_at": at}


def sweeps(backend: Backend, cells: Cells, volts: FloatArray, gate: float) -> Columns:
    """Return currents as the meter reports them (A; cells, volts), when (s), and whether none was limited."""
    staircase = Staircase(volts, gate, min(COMPLIANCE, backend.limits.i_set), DWELL)
    current, at = np.zeros((len(cells), len(volts))), np.zeros(len(cells))
    usable = np.ones(len(cells), dtype=bool)
    for number in range(len(cells)):
        at[number] = backend.now()
        curve = backend.sweep(cells.take(np.array([number])), staircase)
        current[number], usable[number] = curve.current, not curve.limited.any()
    return {"sweep_volts": volts, "sweep_current": current, "compared_at": at, "usable": usable}
