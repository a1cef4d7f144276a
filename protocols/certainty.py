"""Say how sure conductances are that a protocol hands out: by the calibration of the bench, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]

UNITS = {"uncertainty": "S"}
WHAT = "Standard uncertainty of a conductance"
_UNKNOWN = "unknown: the bench is not calibrated (rramlab calibrate all)"
_NAMES = ("uncertainty_uS", "uncertainty_most_uS")
_MICRO = 1e6


@final
@dataclass(frozen=True, eq=False)
class Certainty:
    """Hold the standard uncertainty (S) of conductances by calibration and read chain; NaN if uncalibrated.

    The read noise of the cells is not in it: that is what the cells do.
    """

    uncertainty: FloatArray

    @classmethod
    def of(cls, backend: Backend, cells: Cells, conductance: FloatArray, spec: ReadSpec) -> "Certainty":
        """Return how sure these conductances (S) of cells are that were read so."""
        return cls(backend.uncertainty(cells, conductance, spec))

    @property
    def is_known(self) -> bool:
        """Tell whether the bench is calibrated."""
        return bool(np.isfinite(self.uncertainty).any())

    def columns(self) -> Columns:
        """Return the column of a kept result; none where the bench is not calibrated."""
        return {"uncertainty": self.uncertainty} if self.is_known else {}

    def facts(self) -> dict[str, float | None]:
        """Return the median and the most for a summary (uS), None where the bench is not calibrated."""
        if not self.is_known:
            return dict.fromkeys(_NAMES)
        both = np.nanmedian(self.uncertainty), np.nanmax(self.uncertainty)
        return {name: _MICRO * float(value) for name, value in zip(_NAMES, both, strict=True)}

    @property
    def text(self) -> str:
        """Return the median and the most in words, or that they are unknown."""
        return told(self.facts())


def told(summary: Mapping[str, Any]) -> str:
    """Return in words what `facts` put into a summary."""
    usual, most = (summary[name] for name in _NAMES)
    return _UNKNOWN if usual is None else f"{usual:.3f} uS in the median, at most {most:.3f} uS"


def with_uncertainty(conductance: float, uncertainty: float) -> str:
    """Return a conductance (S) in uS with its standard uncertainty, if there is one: "50.12 ± 0.09"."""
    if not uncertainty > 0:
        return f"{_MICRO * conductance:.3f}"
    digits = int(np.clip(1 - np.floor(np.log10(_MICRO * uncertainty)), 0, 4))
    return f"{_MICRO * conductance:.{digits}f} ± {_MICRO * uncertainty:.{digits}f}"
