"""Mapping of weights to conductances and back, with one reference conductance per row.

A weight is w_ij = (G_ij - G_ref,i) / k: cell (i, j) against the reference of its row i. Rows are inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]

WINDOW = (20e-6, 100e-6)
REFERENCE = 50e-6
NEGLIGIBLE = 1e-9


@final
@dataclass(frozen=True)
class LayerMapping:
    """Hold how one layer stands in conductances: window (S), reference (S), scale k (S per unit weight)."""

    window: tuple[float, float]
    reference: float
    scale: float

    def __post_init__(self) -> None:
        """Refuse a window without room on both sides of the reference, or a scale that is none."""
        low, high = self.window
        if not 0.0 < low < self.reference < high < float("inf"):
            raise InputError(
                f"reference {_us(self.reference)} in window {_us(low)} to {_us(high)} was asked for; "
                "the reference must lie inside the window, and the window above 0 S"
            )
        if not 0.0 < self.scale < float("inf"):
            raise InputError(
                f"scale {self.scale!r} S per unit weight was asked for; it must be finite and above 0"
            )

    @classmethod
    def fit(
        cls,
        weights: ArrayLike,
        window: tuple[float, float] = WINDOW,
        reference: float = REFERENCE,
        margin: float = 0.0,
    ) -> "LayerMapping":
        """Choose the largest scale that keeps all weights inside the window less `margin` (S) at both ends.

        The largest scale makes a given error of a conductance the smallest error of a weight. The margin
        leaves room for targets that follow a reference which was programmed a little off.
        """
        values = finite("weights", weights)
        largest, smallest = float(values.max(initial=0.0)), float(values.min(initial=0.0))
        up, down = window[1] - margin - reference, reference - margin - window[0]
        if not (up > 0.0 and down > 0.0 and margin >= 0.0):
            raise InputError(
                f"margin {_us(margin)} was asked for; possible is 0 S up to less than both sides' room"
            )
        rooms = [room / reach for room, reach in ((up, largest), (down, -smallest)) if reach > NEGLIGIBLE]
        return cls(window, reference, min(rooms, default=up))

    @property
    def weight_range(self) -> tuple[float, float]:
        """Return the smallest and largest weight that the window can hold against the nominal reference."""
        return (self.window[0] - self.reference) / self.scale, (self.window[1] - self.reference) / self.scale

    def to_conductance(self, weights: ArrayLike, references: ArrayLike | None = None) -> FloatArray:
        """Return the conductances (S) of weights (rows, columns); InputError when one is outside the window.

        `references` (rows,) in S, when measured, take the place of the nominal reference, so that the
        error of a reference does not enter the weights of its row.
        """
        conductances, clipped = self.clip_to_conductance(weights, references)
        if clipped:
            low, high = self.weight_range
            raise InputError(
                f"{clipped} of {conductances.size} weights cannot be held by the window "
                f"{_us(self.window[0])} to {_us(self.window[1])}; possible are about {low:.4g} to {high:.4g} "
                f"at {_us(self.scale)} per unit weight; refit the scale, or clip with `clip_to_conductance`"
            )
        return conductances

    def clip_to_conductance(
        self, weights: ArrayLike, references: ArrayLike | None = None
    ) -> tuple[FloatArray, int]:
        """Return the conductances (S) clipped to the window, and how many were clipped."""
        wanted = self._row_references(references) + self.scale * finite("weights", weights)
        low, high = self.window
        # A weight that sets the scale lands on the edge give or take rounding: that is no clipping.
        outside = (wanted < low * (1.0 - 1e-9)) | (wanted > high * (1.0 + 1e-9))
        return np.clip(wanted, low, high), int(np.count_nonzero(outside))

    def to_weight(self, conductances: ArrayLike, references: ArrayLike | None = None) -> FloatArray:
        """Return the weights that conductances (rows, columns) in S stand for, inside the window or not."""
        return (finite("conductances", conductances) - self._row_references(references)) / self.scale

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping as plain numbers, in S."""
        return {"window": list(self.window), "reference": self.reference, "scale": self.scale}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "LayerMapping":
        """Return the mapping written by `to_dict`."""
        low, high = (float(value) for value in data["window"])
        return cls((low, high), float(data["reference"]), float(data["scale"]))

    def _row_references(self, references: ArrayLike | None) -> FloatArray:
        """Return the references as a column (rows, 1), or the nominal one."""
        if references is None:
            return np.full((1, 1), self.reference)
        return finite("references", references).reshape(-1, 1)


def finite(name: str, values: ArrayLike) -> FloatArray:
    """Return the values as float64, or refuse what is not finite."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise InputError(
            f"{np.count_nonzero(~np.isfinite(array))} of {array.size} {name} are not finite numbers"
        )
    return array


def _us(siemens: float) -> str:
    """Return a conductance as text in uS."""
    return f"{siemens * 1e6:.6g} uS"
