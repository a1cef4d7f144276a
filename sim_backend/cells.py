"""Hold the state of many cells as plain arrays that kernels can take."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
HalfArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]

GOOD, UNFORMABLE, STUCK_LRS = 0, 1, 2


class Cells(NamedTuple):
    """Hold one entry per cell; `bank` and `noise` hold one row per cell.

    Relaxation is anchored at the last pulse: `conductance` (S) and `bank` (S) are those at
    `anchor` (s), and what is visible later follows in closed form. So reads leave no rounding
    behind, however many there are, and a million seconds cost nothing.
    """

    conductance: FloatArray
    anchor: FloatArray
    cycles: FloatArray
    noise_at: FloatArray
    bank: HalfArray
    noise: HalfArray
    telegraph: HalfArray
    telegraph_tau: HalfArray
    telegraph_state: NDArray[np.int8]
    status: ByteArray
    fresh: ByteArray
    set_factor: HalfArray
    reset_factor: HalfArray
    vt: HalfArray
    chi_factor: HalfArray
    series: HalfArray
    v_form: HalfArray
    ceil_factor: HalfArray
    spread: HalfArray

    @property
    def bytes_per_cell(self) -> float:
        """Return the memory of the state per cell (bytes)."""
        arrays: list[NDArray[Any]] = list(self)
        return sum(a.nbytes for a in arrays) / len(self.conductance)
