"""Turn SI floats into the whole numbers of the wire, on which a limit can be exact, and back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def whole(values: ArrayLike, per_unit: float, dtype: str) -> NDArray[np.int64]:
    """Return the nearest whole numbers of a type of the wire; NaN and too large ones are refused."""
    span = np.iinfo(dtype)
    scaled = np.rint(np.asarray(values, dtype=float) * per_unit)
    if not ((scaled >= span.min) & (scaled <= span.max)).all():
        raise ValueError(f"{values!r} does not fit into {dtype} of 1/{per_unit:g}; use a smaller value")
    return scaled.astype(np.int64)


def microvolts(volts: float) -> int:
    """Return a voltage (V) as whole microvolts, with its sign."""
    return int(whole(volts, 1e6, "<i4"))


def volts(micro: int) -> float:
    """Return whole microvolts as V, the float nearest to the decimal number."""
    return micro / 1_000_000


def nanoseconds(seconds: float) -> int:
    """Return a time (s) as whole nanoseconds."""
    return int(whole(seconds, 1e9, "<u4"))
