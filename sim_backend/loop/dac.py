"""Convert normalised values to converter codes as the controller board does, and refuse what would wrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def code(values: ArrayLike, bits: int = 12, name: str = "value") -> NDArray[np.int64]:
    """Return the codes trunc(2**(bits-1) (1 + x)) of normalised values, -1 <= x < 1; half scale is x = 0.

    A value outside is refused: the board would carry it into the command bits and write another channel.
    """
    x = np.asarray(values, dtype=np.float64)
    half = 2 ** (bits - 1)
    bad = ~((x >= -1) & (x < 1))
    if bad.any():
        worst = x[bad][np.argmax(np.abs(x[bad]))]
        raise ValueError(
            f"{name} = {worst:.6g} at {np.count_nonzero(bad)} of {x.size} points does not fit the converter: "
            f"possible is -1 to {1 - 1 / half:.6g} (code 0 to {2 * half - 1}); raise the full scale "
            "behind it or lower the signal"
        )
    return np.asarray(np.trunc(half * (1 + x)), dtype=np.int64)


def held(values: ArrayLike, bits: int | None, name: str = "value") -> FloatArray:
    """Return the normalised values that the converter really holds; bits None leaves them as they are."""
    if bits is None:
        return np.asarray(values, dtype=np.float64)
    return code(values, bits, name) / 2.0 ** (bits - 1) - 1.0


def carried(values: ArrayLike, bits: int | None) -> FloatArray:
    """Return values to play tick by tick (ticks, channels), whose sum is right to half a code at every tick.

    What a code cannot hold is carried into the next tick, so that an integrator behind the converter sees a
    constant finer than a code. A quarter of a code is on top: the board cuts off what is below one.
    """
    x = np.asarray(values, dtype=np.float64)
    if bits is None:
        return x
    half = 2.0 ** (bits - 1)
    total = np.round(np.cumsum(x * half, axis=0))
    return np.asarray((np.diff(total, axis=0, prepend=0.0) + 0.25) / half)
