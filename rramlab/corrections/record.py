"""Hold one calibration: what was found, how sure it is, of which bench, when, and for how long."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import CalibrationError

FloatArray = NDArray[np.float64]
FORMAT = "rramlab calibration 1"


@final
@dataclass(frozen=True, eq=False)
class Record:
    """Hold values by name with their unit, and one covariance over all of them in this order.

    `identity` is what it belongs to (serial numbers, by part), `conditions` under what it was measured,
    `residuals` what the model left unexplained, `made` seconds since the epoch, `valid` seconds from then,
    `run` the folder of the run that measured it.
    """

    kind: str
    values: Mapping[str, FloatArray]
    units: Mapping[str, str]
    covariance: FloatArray
    identity: Mapping[str, str]
    made: float
    valid: float
    conditions: Mapping[str, Any] = field(default_factory=dict)
    residuals: Mapping[str, float] = field(default_factory=dict)
    run: str = ""

    def __post_init__(self) -> None:
        arrays = {name: np.asarray(value, dtype=float) for name, value in self.values.items()}
        object.__setattr__(self, "values", arrays)
        size = sum(value.size for value in arrays.values())
        if self.covariance.shape != (size, size) or set(arrays) != set(self.units):
            raise CalibrationError(
                f"the calibration '{self.kind}' has {size} values, a covariance of {self.covariance.shape} "
                f"and units of {', '.join(self.units)}; they do not fit together"
            )
        finite = all(np.isfinite(value).all() for value in (*arrays.values(), self.covariance))
        if not (finite and (np.diag(self.covariance) >= 0).all()):
            raise CalibrationError(f"the calibration '{self.kind}' holds what is not a number")

    def __getitem__(self, name: str) -> FloatArray:
        return self.values[name]

    def index(self, name: str) -> NDArray[np.int64]:
        """Return where a value stands in the covariance, in the shape of the value."""
        sizes = [value.size for value in self.values.values()]
        begin = sum(sizes[: list(self.values).index(name)])
        value = self.values[name]
        return np.arange(begin, begin + value.size).reshape(value.shape)

    def uncertainty(self, name: str) -> FloatArray:
        """Return the standard uncertainty of a value, in its shape and unit."""
        return np.asarray(np.sqrt(np.diag(self.covariance)[self.index(name)]))

    @property
    def expires(self) -> float:
        """Return until when it holds (s since the epoch)."""
        return self.made + self.valid

    @property
    def date(self) -> str:
        """Return when it was made, to the minute, in UTC."""
        return datetime.fromtimestamp(self.made, UTC).strftime("%Y-%m-%d %H:%M UTC")

    def facts(self) -> dict[str, Any]:
        """Return the record as plain JSON."""
        told = {name: value for name, value in asdict(self).items() if name not in ("values", "covariance")}
        values = {name: value.tolist() for name, value in self.values.items()}
        spread = {name: self.uncertainty(name).tolist() for name in self.values}
        packed = {"values": values, "uncertainty": spread, "covariance": packed_triangle(self.covariance)}
        return {"format": FORMAT, **told, **packed}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the record that `facts` wrote down; CalibrationError if it is none."""
        try:
            if facts["format"] != FORMAT:
                raise ValueError(f"its format is '{facts['format']}', and '{FORMAT}' is read here")
            told = {name: value for name, value in facts.items() if name not in ("format", "uncertainty")}
            values = {name: np.array(value, dtype=float) for name, value in told.pop("values").items()}
            size = sum(value.size for value in values.values())
            covariance = unpacked_triangle(told.pop("covariance"), size)
            return cls(values=values, covariance=covariance, **told)
        except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
            raise CalibrationError(f"this is no calibration record ({error})") from None


def packed_triangle(matrix: FloatArray) -> str:
    """Return the upper triangle of a symmetric matrix as text (little-endian doubles, zlib, base 64)."""
    upper = matrix[np.triu_indices(len(matrix))].astype("<f8")
    return base64.b64encode(zlib.compress(upper.tobytes())).decode("ascii")


def unpacked_triangle(text: str, size: int) -> FloatArray:
    """Return the symmetric matrix of so many rows that `packed_triangle` wrote down."""
    upper = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), dtype="<f8")
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = upper
    return np.asarray(matrix + np.triu(matrix, 1).T)
