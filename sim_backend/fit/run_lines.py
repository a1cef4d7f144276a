"""Take the resistance of lines and switches to each cell from the calibration that a run was made with."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramlab.corrections.correction import PRODUCT, READOUT, Correction

FloatArray = NDArray[np.float64]


def series_of(
    calibration: Sequence[Mapping[str, Any]], row: FloatArray, col: FloatArray
) -> FloatArray | None:
    """Return the resistance (ohm) to cells, or None where no calibration tells.

    One switch, and one segment per cell passed on either line, drivers at row 0 and column 0 of each macro.
    """
    records = Correction.from_facts(calibration).records
    if PRODUCT not in records or READOUT not in records or "r_line" not in records[PRODUCT].values:
        return None
    rows = records[READOUT]["dac_gain"].shape[1]
    line, switch = (float(records[PRODUCT][name]) for name in ("r_line", "r_switch"))
    return np.asarray(switch + line * (row % rows + col + 2.0))
