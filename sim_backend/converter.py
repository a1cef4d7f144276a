"""Convert between what is meant and what is there: the converters of all lines, each with its errors."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Numbers = int | NDArray[np.integer[Any]]


@final
@dataclass(frozen=True)
class ConverterSpread:
    """Hold standard deviations: relative gain, offset (unit of the values), nonlinearity (of full scale)."""

    gain: float
    offset: float
    inl: float


@final
@dataclass(frozen=True, eq=False)
class Converters:
    """Hold the converters of one kind: gain and offset per macro and line, nonlinearity per macro.

    A value x comes out as x (1 + gain) + offset + scale (inl_0 P2(x/scale) + inl_1 P3(x/scale)) with the
    Legendre polynomials P2 and P3; `scale` and `offset` have the unit of x (V or A), `gain` and `offset` have
    shape (macros, lines), `inl` has shape (macros, 2).
    """

    scale: float
    gain: FloatArray
    offset: FloatArray
    inl: FloatArray

    @classmethod
    def draw(
        cls, scale: float, shape: tuple[int, int], spread: ConverterSpread, rng: np.random.Generator
    ) -> Self:
        """Draw the converters of (macros, lines)."""
        return cls(
            scale,
            rng.normal(0.0, spread.gain, shape),
            rng.normal(0.0, spread.offset, shape),
            rng.normal(0.0, spread.inl, (shape[0], 2)),
        )

    def convert(self, values: ArrayLike, macro: Numbers, line: Numbers) -> FloatArray:
        """Return what comes out for values at lines of macros, all of one shape or broadcast to one."""
        x, inl = np.asarray(values, dtype=np.float64), self.inl[macro]
        p2, p3 = legendre(x / self.scale)
        bent = self.scale * (inl[..., 0] * p2 + inl[..., 1] * p3)
        return np.asarray(x * (1.0 + self.gain[macro, line]) + self.offset[macro, line] + bent)


def legendre(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the Legendre polynomials of second and third degree."""
    return 1.5 * x**2 - 0.5, 2.5 * x**3 - 1.5 * x
