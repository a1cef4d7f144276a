"""Tell what a calibration does to the reading of a conductance: before, and how sure it is after."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, erred
from rramlab.corrections.readout import Readout
from rramlab.corrections.record import Record
from rramlab.quantity import format_quantity
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
_MIDDLE = (2.5, 97.5)


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """Hold what paths of one conductance (S) are reported as (S), and the uncertainty (S) once corrected.

    Both have one value per cell of the bench.
    """

    conductance: float
    reported: FloatArray
    uncertainty: FloatArray

    @classmethod
    def of(cls, record: Record, spec: ReadSpec, conductance: float) -> "Reading":
        """Return what the record 'readout' says of all cells of its bench."""
        macros, rows = record["dac_gain"].shape
        cells = Cells.of_shape((macros * rows, record["adc_gain"].shape[1]))
        macro, row, col = cells.row // rows, cells.row % rows, cells.col
        asked = np.full(len(cells), spec.v_read)
        drive = record["dac_gain"][macro, row], record["dac_offset"][macro, row], record["dac_inl"][macro]
        sense = record["adc_gain"][macro, col], record["adc_offset"][macro, col], record["adc_inl"][macro]
        current = conductance * erred(asked, *drive, DRIVE_SCALE)
        reported = erred(current, *sense, READ_SCALE) / spec.v_read
        exact = np.full(len(cells), conductance)
        return cls(conductance, reported, Readout(record).uncertainty(cells, spec, exact))

    @property
    def error(self) -> FloatArray:
        """Return how far off the reports are (S)."""
        return np.asarray(self.reported - self.conductance)

    @property
    def middle(self) -> tuple[float, float]:
        """Return between what the error (S) of 95 % of the cells lies."""
        low, high = np.percentile(self.error, _MIDDLE)
        return float(low), float(high)

    def sentence(self) -> str:
        """Return before and after in words."""
        g = self.conductance
        low, high = (format_quantity(g + error, "S") for error in self.middle)
        worst = float(np.abs(self.error).max())
        usual, most = float(np.median(self.uncertainty)), float(self.uncertainty.max())
        return (
            f"A path of {format_quantity(g, 'S')} was reported as {low} to {high} by 95 % of the cells, at "
            f"worst {format_quantity(worst, 'S', 3)} ({100 * worst / g:.1f} %) off. Corrected, its standard "
            f"uncertainty is {format_quantity(usual, 'S', 3)} ({100 * usual / g:.2f} %), at most "
            f"{format_quantity(most, 'S', 3)}; the cell's own read noise is not in it."
        )
