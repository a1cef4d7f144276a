"""Carry what is not known of products and row drivers into the gain of the drive."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.loop.multipliers_network import STATES, Network
from calibration.loop.runs import REACH, Wiring
from calibration.procedure import Known
from rramlab.corrections.record import Record
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

POINTS = 200
_STEP = 1e-3


def of_products(parts: Sequence[Columns], known: Known) -> FloatArray:
    """Return the covariance (2, 2) of drive_gain that comes from the records of products and row drivers.

    A gain that is a little wrong makes the computed output wrong, and the gain of the drive makes up for it:
    by how much follows from the outputs at many states. Offsets cancel, as both signs are measured.
    """
    total = np.zeros((2, 2))
    for kind, name, axis in (("product", "adc_gain", 1), ("readout", "dac_gain", 0)):
        if kind in known:
            slopes = np.mean([slopes_of(part, axis) for part in parts], axis=0)
            total += carried(slopes, known[kind], name)
    if "product" in known:
        bent = np.mean([slopes_of(part, 1).sum(axis=2) for part in parts], axis=0)
        total += small_signal(bent, known["product"])
    return total


def carried(slopes: FloatArray, record: Record, name: str) -> FloatArray:
    """Return the covariance (2, 2) that slopes (2, macros, lines) make of a value (macros or more, lines)."""
    place = record.index(name)[: slopes.shape[1]].ravel()
    flat = slopes.reshape(2, -1)
    return np.asarray(flat @ record.covariance[np.ix_(place, place)] @ flat.T)


def small_signal(slopes: FloatArray, record: Record) -> FloatArray:
    """Return the covariance from the bend of the converters: near zero P3 is a gain of -3/2 (2, macros)."""
    place = record.index("adc_inl")[: slopes.shape[1], 1]
    return np.asarray(2.25 * slopes @ record.covariance[np.ix_(place, place)] @ slopes.T)


def slopes_of(part: Columns, axis: int) -> FloatArray:
    """Return by how much drive_gain follows the relative error of each line (2, macros, lines).

    `axis` 0 are the rows of the matrices, 1 the columns.
    """
    wiring, matrices = Wiring.of(part), np.asarray(part["products"], dtype=float)
    rng = np.random.default_rng(0)
    x = rng.uniform(-REACH, REACH, (POINTS, STATES))
    embedding = rng.uniform(-1.0, 1.0, (POINTS, wiring.hidden))
    meant = Network.of(wiring, matrices).output(x, embedding)
    power = (meant**2).sum(axis=0)
    found = np.zeros((2, len(matrices), matrices.shape[1 + axis]))
    for macro, line in lines(wiring, matrices.shape[1], axis):
        moved = matrices.copy()
        at = (macro, line) if axis == 0 else (macro, slice(None), line)
        moved[at] *= 1.0 + _STEP
        change = (Network.of(wiring, moved).output(x, embedding) - meant) / _STEP
        found[:, macro, line] = (change * meant).sum(axis=0) / power
    return found


def lines(wiring: Wiring, rows: int, axis: int) -> list[tuple[int, int]]:
    """Return macro and row (axis 0) or column (axis 1) of the lines that a wiring uses."""
    used = []
    for layer in wiring.layers:
        macro = layer.rows[0] // rows
        used += [
            (macro, row % rows if axis == 0 else row) for row in (layer.rows if axis == 0 else layer.cols)
        ]
    return used
