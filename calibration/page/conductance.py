"""Tell what a calibration does to the reading of a conductance: before, and how sure it is after."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, erred
from rramlab.corrections.readout import Readout
from rramlab.corrections.record import Record
from rramlab.quantity import format_quantity
from rramlab.reading import MOST_SAMPLES, ReadSpec

FloatArray = NDArray[np.float64]
_MIDDLE = (2.5, 97.5)


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """Hold what paths of one conductance (S) are reported as (S), and the uncertainty (S) once corrected.

    Each has one value per cell of the bench; `calibrated` is the uncertainty without the noise of the chain.
    """

    conductance: float
    reported: FloatArray
    uncertainty: FloatArray
    calibrated: FloatArray

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
        exact, many = np.full(len(cells), conductance), replace(spec, samples=MOST_SAMPLES)
        sure, still = (Readout(record).uncertainty(cells, each, exact) for each in (spec, many))
        return cls(conductance, reported, sure, still)

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
        usual, still = (
            f"{format_quantity(u, 'S', 3)} ({100 * u / g:.2f} %)"
            for u in (float(np.median(each)) for each in (self.uncertainty, self.calibrated))
        )
        return (
            f"A path of {format_quantity(g, 'S')} was reported as {low} to {high} by 95 % of the cells, at "
            f"worst {format_quantity(worst, 'S', 3)} ({100 * worst / g:.1f} %) off. Corrected, its standard "
            f"uncertainty is {usual} in a reading as the bench file says, {still} in one of many samples. "
            f"The cell's own read noise is not in it."
        )
