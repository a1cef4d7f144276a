"""Correct readings: from what the board reported to the conductance of the path, and how sure that is."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, curves, erred, mended
from rramlab.corrections.record import Record
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_GAINS = ("dac_gain", "dac_offset", "adc_gain", "adc_offset")


@final
@dataclass(frozen=True, eq=False)
class Readout:
    """Hold the record 'readout' of a bench: row converters and single-cell current range, macro by macro.

    dac_gain, dac_offset (V): (macros, rows); adc_gain, adc_offset (A): (macros, cols); dac_inl, adc_inl:
    (macros, 2); white_current (A): rms of the chain's own noise in a sample of 1 ms.

    A record 'zero' of the same columns holds by how much adc_offset (A) has moved since.
    """

    record: Record
    zero: Record | None = None

    def conductance(self, cells: Cells, spec: ReadSpec, raw: FloatArray) -> FloatArray:
        """Return the conductance (S) of the paths whose readings were reported as `raw` (S)."""
        macro, row = self._place(cells)
        r = self.record
        current = mended(
            raw * spec.v_read,
            r["adc_gain"][macro, cells.col],
            self._offset()[macro, cells.col],
            r["adc_inl"][macro],
            READ_SCALE,
        )
        return np.asarray(current / self._volts(macro, row, spec))

    def uncertainty(self, cells: Cells, spec: ReadSpec, conductance: FloatArray) -> FloatArray:
        """Return the standard uncertainty (S) of corrected readings: calibration and noise of the chain.

        The cell's own read noise is not in it: that is what the cell does.
        """
        macro, row = self._place(cells)
        slopes = self._slopes(macro, row, cells.col, spec, conductance)
        places = self._places(macro, row, cells.col)
        parts = self.record.covariance[places[:, :, None], places[:, None, :]]
        variance = np.einsum("ni,nij,nj->n", slopes, parts, slopes)
        if self.zero is not None:
            variance = variance + (slopes[:, 3] * self.zero.uncertainty("adc_offset")[macro, cells.col]) ** 2
        white = self.record["white_current"] / (abs(spec.v_read) * np.sqrt(spec.samples))
        return np.asarray(np.sqrt(np.maximum(variance, 0.0) + white**2))

    def inputs(self, voltages: FloatArray, macro: int) -> FloatArray:
        """Return what to ask of the row converters so that the rows get these voltages (V, ..., rows)."""
        r = self.record
        return mended(
            voltages, r["dac_gain"][macro], r["dac_offset"][macro], r["dac_inl"][macro], DRIVE_SCALE
        )

    def _offset(self) -> FloatArray:
        offset = self.record["adc_offset"]
        return offset if self.zero is None else offset + self.zero["adc_offset"]

    def _place(self, cells: Cells) -> tuple[IntArray, IntArray]:
        rows = self.record["dac_gain"].shape[1]
        return cells.row // rows, cells.row % rows

    def _volts(self, macro: IntArray, row: IntArray, spec: ReadSpec) -> FloatArray:
        r = self.record
        gain, offset = r["dac_gain"][macro, row], r["dac_offset"][macro, row]
        return erred(np.full(row.shape, spec.v_read), gain, offset, r["dac_inl"][macro], DRIVE_SCALE)

    def _slopes(
        self, macro: IntArray, row: IntArray, col: IntArray, spec: ReadSpec, conductance: FloatArray
    ) -> FloatArray:
        """Return the derivatives of the conductance (S) by the eight numbers that it depends on."""
        volts = self._volts(macro, row, spec)
        driven = -conductance / volts
        sensed = -1.0 / (volts * (1.0 + self.record["adc_gain"][macro, col]))
        current = conductance * volts
        bend = curves(np.full(row.shape, spec.v_read), DRIVE_SCALE) * driven[:, None]
        bow = curves(current, READ_SCALE) * sensed[:, None]
        ones = [driven * spec.v_read, driven, sensed * current, sensed]
        return np.column_stack([*ones, bend, bow])

    def _places(self, macro: IntArray, row: IntArray, col: IntArray) -> IntArray:
        index = {name: self.record.index(name) for name in (*_GAINS, "dac_inl", "adc_inl")}
        drive = [index[name][macro, row] for name in _GAINS[:2]]
        sense = [index[name][macro, col] for name in _GAINS[2:]]
        return np.column_stack([*drive, *sense, index["dac_inl"][macro], index["adc_inl"][macro]])
