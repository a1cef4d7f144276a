"""Say how a cell is read and swept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
MOST_SAMPLES = 65_535
"""Samples that one reading can ask a board for."""


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
        sane = 1 <= self.samples <= MOST_SAMPLES and self.gate > 0 and self.v_read != 0
        if not (sane and isfinite(self.v_read) and isfinite(self.gate)):
            raise InputError(
                f"a reading needs a voltage, an open gate, and 1 to {MOST_SAMPLES} samples: {asdict(self)}"
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

    def __post_init__(self) -> None:
        volts = np.asarray(self.voltages, dtype=float)
        object.__setattr__(self, "voltages", volts)
        if volts.ndim != 1 or volts.size == 0 or not np.isfinite(volts).all():
            raise InputError(f"a sweep needs a list of voltages, each a number; it was given {volts}")
        if not all(isfinite(value) and value > 0 for value in (self.gate, self.compliance, self.dwell)):
            raise InputError(
                f"a sweep needs a gate (V), a compliance (A) and a dwell (s) above zero; "
                f"it was given {self.gate}, {self.compliance} and {self.dwell}"
            )

    def facts(self) -> dict[str, float]:
        """Return all but the voltages as plain numbers for the record."""
        return {"gate": self.gate, "compliance": self.compliance, "dwell": self.dwell}


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """Hold a measured I-V: voltage (V), current (A), time (s) and whether it was limited, per step.

    The voltage is the one that was programmed; in a limited step the source held the compliance and the cell
    had less. Left out, no step was limited.
    """

    voltage: FloatArray
    current: FloatArray
    time: FloatArray
    limited: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        if self.limited.size == 0:
            object.__setattr__(self, "limited", np.zeros(self.current.shape, dtype=bool))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the curve as named columns for the record."""
        return {
            "voltage": self.voltage,
            "current": self.current,
            "time": self.time,
            "limited": self.limited,
        }

    @classmethod
    def from_columns(cls, columns: Mapping[str, NDArray[Any]]) -> Self:
        """Return the curve of named columns of a record; an older one does not know what was limited."""
        volts, amperes, time = (columns[name].astype(float) for name in ("voltage", "current", "time"))
        limited = columns["limited"].astype(bool) if "limited" in columns else np.zeros(0, dtype=bool)
        return cls(volts, amperes, time, limited)
