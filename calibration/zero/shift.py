"""Turn readings at two small voltages into the shift of the zero of each column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.least_squares import BoolArray, Problem
from calibration.least_squares_fit import Fit, fit
from calibration.readout.model import PRIOR
from calibration.readout.standard import RESOLUTION
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, curves, erred
from rramlab.corrections.record import Record
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NOISE = 3e-9
"""Size (A) to begin with of what a reading adds to the zero of its column."""


@final
@dataclass(frozen=True, eq=False)
class Shifts:
    """Hold the shift (A) that each cell shows, of which column, and how the record's errors enter it.

    `slopes` (cells, values of the record) are the derivatives of the shift by the values of 'readout'.
    """

    shift: FloatArray
    column: IntArray
    slopes: FloatArray
    covariance: FloatArray

    def of_readout(self, kept: BoolArray, columns: int) -> FloatArray:
        """Return the covariance (A^2) that the columns' shifts have from the record they are against."""
        share = np.zeros((columns, len(self.shift)))
        share[self.column[kept], np.flatnonzero(kept)] = 1.0
        slopes = (share / np.maximum(share.sum(axis=1, keepdims=True), 1.0)) @ self.slopes
        return np.asarray(slopes @ self.covariance @ slopes.T)


def shifts_of(parts: Sequence[Columns], readout: Record) -> Shifts:
    """Return what the cells of all parts show; their conductances were corrected by this record."""
    names = ("macro", "row", "col")
    macro, row, col = (np.concatenate([part[name] for part in parts]) for name in names)
    conductance = np.concatenate([part["conductance"] for part in parts], axis=1)
    first, second = (_volts(readout, macro, row, float(volt)) for volt in parts[0]["volts"])
    # Corrected currents are G V + shift: two voltages tell G and the shift.
    shift = (conductance[0] - conductance[1]) / (1.0 / first - 1.0 / second)
    slopes = np.zeros((len(shift), len(readout.covariance)))
    cells = np.arange(len(shift))
    path = conductance.mean(axis=0)
    slopes[cells, readout.index("adc_offset")[macro, col]] = -1.0
    slopes[cells, readout.index("dac_offset")[macro, row]] = -path
    bent = {"adc_inl": -curves(0.0, READ_SCALE), "dac_inl": -path[:, None] * curves(0.0, DRIVE_SCALE)}
    for name, slope in bent.items():
        slopes[cells[:, None], readout.index(name)[macro]] = slope
    reported = shift * (1.0 + readout["adc_gain"][macro, col])
    columns = readout["adc_gain"].shape[1]
    return Shifts(reported, macro * columns + col, slopes, readout.covariance)


def mean_of_columns(shifts: Shifts, columns: int) -> Fit:
    """Return the mean shift (A) of each column, without the cells that disagree with all others."""
    points = len(shifts.shift)
    design = np.zeros((points, columns))
    design[np.arange(points), shifts.column] = 1.0
    prior = np.full(columns, PRIOR["adc_offset"])
    alike, cells = (np.ones(points),), np.arange(points)
    problem = Problem(design, shifts.shift, np.full(points, RESOLUTION), cells, alike, prior=prior)
    return fit(problem, np.array([NOISE]))


def _volts(readout: Record, macro: IntArray, row: IntArray, volt: float) -> FloatArray:
    """Return what the row drivers make of a nominal voltage (V)."""
    gain, offset = readout["dac_gain"][macro, row], readout["dac_offset"][macro, row]
    return erred(np.full(row.shape, volt), gain, offset, readout["dac_inl"][macro], DRIVE_SCALE)
