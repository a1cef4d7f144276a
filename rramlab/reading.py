"""Say how a cell is read and swept."""

from dataclasses import asdict, dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class ReadSpec:
    """Declare a reading: BL voltage (V), WL voltage (V), samples of 1 ms averaged.

    A conductance has a meaning only together with this: transistor and lines are in series with the cell.
    """

    v_read: float = 0.2
    gate: float = 3.3
    samples: int = 1

    def __post_init__(self) -> None:
        if self.samples < 1 or self.v_read == 0 or self.gate <= 0:
            raise InputError(
                f"a reading needs a voltage, an open gate and at least one sample: {asdict(self)}"
            )

    def facts(self) -> dict[str, float]:
        """Return the reading as plain numbers for the record."""
        return asdict(self)


@final
@dataclass(frozen=True, eq=False)
class Staircase:
    """Declare a quasi-static I-V: steps of BL - SL (V), gate (V), compliance (A), dwell per step (s)."""

    voltages: FloatArray
    gate: float
    compliance: float
    dwell: float = 1e-3


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """Hold a measured I-V: voltage (V), current (A) and time (s) per step."""

    voltage: FloatArray
    current: FloatArray
    time: FloatArray
