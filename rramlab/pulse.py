"""Say what a programming pulse is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from math import isfinite
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.quantity import format_quantity, parse_quantity

FloatArray = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]


@final
class Polarity(IntEnum):
    """Tell the line that is driven: BL for SET and FORM, SL for RESET."""

    SET = 0
    RESET = 1
    FORM = 2


@final
class Delivery(IntEnum):
    """Tell what became of a pulse: a pulse whose delivery is UNKNOWN is never repeated, the cell is read."""

    APPLIED = 0
    NOT_APPLIED = 1
    UNKNOWN = 2


@final
@dataclass(frozen=True)
class Pulse:
    """Describe one pulse: polarity, drive of the BL or SL (V), gate on the WL (V), width (s)."""

    polarity: Polarity
    drive: float
    gate: float
    width: float

    def __post_init__(self) -> None:
        if not all(isfinite(value) and value > 0 for value in (self.drive, self.gate, self.width)):
            raise InputError(f"pulse '{self}' needs a drive, a gate and a width above zero, none endless")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the pulse of a text such as "SET 1.2V gate=1.4V 1us"."""
        match = re.fullmatch(r"\s*(SET|RESET|FORM)\s+(\S+)\s+gate=(\S+)\s+(\S+)\s*", text)
        if match is None:
            raise InputError(f"'{text}' is not a pulse; write for example 'SET 1.2V gate=1.4V 1us'")
        volts = parse_quantity(match[2], "V"), parse_quantity(match[3], "V")
        return cls(Polarity[match[1]], *volts, parse_quantity(match[4], "s"))

    def __str__(self) -> str:
        drive, gate = format_quantity(self.drive, "V"), format_quantity(self.gate, "V")
        return f"{self.polarity.name} {drive} gate={gate} {format_quantity(self.width, 's')}"


@final
@dataclass(frozen=True, eq=False)
class PulseTrain:
    """Hold one pulse per listed cell, as a struct of arrays (V, V, s)."""

    cells: Cells
    polarity: NDArray[np.uint8]
    drive: FloatArray
    gate: FloatArray
    width: FloatArray

    def __post_init__(self) -> None:
        for name, dtype in (("polarity", np.uint8), ("drive", float), ("gate", float), ("width", float)):
            object.__setattr__(self, name, self._column(name, dtype))
        if (self.polarity > max(Polarity)).any():
            raise InputError(f"polarity {self.polarity.max()} is none; use SET, RESET or FORM")
        for name in ("drive", "gate", "width"):
            column = getattr(self, name)
            if not ((column > 0) & (column < np.inf)).all():
                raise InputError(f"each pulse of a train needs a {name} above zero, none endless: {column}")

    def _column(self, name: str, dtype: type) -> NDArray[Any]:
        given: NDArray[Any] = np.asarray(getattr(self, name), dtype=dtype)
        if given.shape not in ((), (1,), (len(self.cells),)):
            raise InputError(
                f"{len(self.cells)} cells were named with {name} of shape {given.shape}; give one each"
            )
        return np.ascontiguousarray(np.broadcast_to(given, (len(self.cells),)))

    @classmethod
    def of(cls, cells: Cells, pulse: Pulse) -> Self:
        """Return the same pulse for each of these cells."""
        n = len(cells)
        volts = np.full(n, pulse.drive), np.full(n, pulse.gate)
        return cls(cells, np.full(n, pulse.polarity, dtype=np.uint8), *volts, np.full(n, pulse.width))

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "PulseTrain":
        """Return the chosen ones of these pulses."""
        return replace(
            self,
            cells=self.cells.take(which),
            polarity=self.polarity[which],
            drive=self.drive[which],
            gate=self.gate[which],
            width=self.width[which],
        )

    def rounded(self) -> "PulseTrain":
        """Return the pulses in whole microvolts and nanoseconds, finer than any instrument sets them.

        So a simulation and a bench, to which whole numbers are sent, do the same to the last bit. They are
        rounded down, so that what was just inside a limit stays there.
        """
        drive, gate, width = _floor(self.drive, 1e6), _floor(self.gate, 1e6), _floor(self.width, 1e9)
        return replace(self, drive=drive, gate=gate, width=width)

    def columns(self) -> Columns:
        """Return the pulses as named columns for the record."""
        return {
            **self.cells.columns(),
            "polarity": self.polarity,
            "drive": self.drive,
            "gate": self.gate,
            "width": self.width,
        }

    @classmethod
    def from_columns(cls, columns: Columns) -> Self:
        """Return the pulses of named columns of a record."""
        floats = (columns[name].astype(float) for name in ("drive", "gate", "width"))
        cells = Cells(columns["row"].astype(np.intp), columns["col"].astype(np.intp))
        return cls(cells, columns["polarity"].astype(np.uint8), *floats)


def _floor(values: FloatArray, per_unit: float) -> FloatArray:
    # 2.3 V is 2299999.9999999995 uV in floating point, and still 2300000 uV.
    return np.floor(values * per_unit + 1e-4) / per_unit
