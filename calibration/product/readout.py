"""Carry the uncertainty of the readout into that of the products: both are fed by the same row converters.

A row's gain that is wrong in the record makes its readings wrong and drives the products wrong, and cancels;
that of a column's narrow range goes into the gain of its wide range in full.
"""

import numpy as np
from numpy.typing import NDArray

from calibration.product.data import MacroData
from calibration.product.fit import Fitted, Pieces
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, curves
from rramlab.corrections.record import Record

FloatArray = NDArray[np.float64]


def carried(found: Fitted, readout: Record) -> FloatArray:
    """Return the covariance that the readout's gives the numbers found."""
    size, many = len(found.inverse), len(readout.covariance)
    moved = np.zeros((size, many))
    for one in found.pieces:
        macro = one.data.macro
        gain = 1.0 + found.wide.gain[macro][:, None, None]
        slopes, left = one.whitened(gain * _moves(one, readout))
        forces = np.einsum("cvi,cvn->cin", slopes, left)
        theirs = found.wide.places(macro)
        ours = _places(readout, macro, len(theirs))
        np.add.at(moved, (theirs[:, :, None], ours[:, None, :]), forces)
    by = found.inverse @ moved
    return np.asarray(by @ readout.covariance @ by.T)


def _moves(one: Pieces, readout: Record) -> FloatArray:
    """Return by what products less prediction (A) move with the readout (cols x vectors x numbers)."""
    data = one.data
    level = data.at_level()
    cells = np.moveaxis(data.readings, -1, 0)
    driven = -np.moveaxis(data.conductance, -1, 0)[:, None, :] * np.ones((1, len(data.wanted), 1))
    moved = np.zeros((len(cells), len(data.wanted), 2 * cells.shape[2] + 6))
    rows = cells.shape[2]
    for k in range(len(data.asked)):
        on = data.wanted * level[k]
        by_volts = cells[:, k] / data.volts[k, :, 0]
        back = on[None] * by_volts[:, None, :]
        moved[..., :rows] += back * data.asked[k]
        moved[..., rows : 2 * rows] += back
        moved[..., 2 * rows : 2 * rows + 2] += back @ curves(np.full(rows, data.asked[k]), DRIVE_SCALE)
        moved[..., 2 * rows + 2 :] += _sensed(data, readout, k, on)
    moved[..., :rows] += driven * data.wanted
    moved[..., rows : 2 * rows] += driven
    moved[..., 2 * rows : 2 * rows + 2] += np.einsum("cvr,vrn->cvn", driven, curves(data.wanted, DRIVE_SCALE))
    return moved


def _sensed(data: MacroData, readout: Record, k: int, on: FloatArray) -> FloatArray:
    """Return the same for gain, offset and curve of the narrow range (cols x vectors x 4), for one level."""
    volts = data.volts[k, :, 0]
    current = data.readings[k].T * volts
    gain = 1.0 + readout["adc_gain"][data.macro][:, None, None]
    one = np.stack([current, np.ones_like(current)], axis=-1)
    by = np.concatenate([one, curves(current, READ_SCALE)], axis=-1) / (volts[:, None] * gain)
    return np.asarray(np.einsum("vr,crn->cvn", on, by))


def _places(readout: Record, macro: int, cols: int) -> NDArray[np.int64]:
    rows = np.concatenate([readout.index("dac_gain")[macro], readout.index("dac_offset")[macro]])
    shared = np.concatenate([rows, readout.index("dac_inl")[macro]])
    own = np.column_stack([readout.index("adc_gain")[macro], readout.index("adc_offset")[macro]])
    inl = np.tile(readout.index("adc_inl")[macro], (cols, 1))
    return np.column_stack([np.tile(shared, (cols, 1)), own, inl])
