"""State how a converter errs: gain, offset, and a curve beside the straight line (integral nonlinearity).

    reported = x (1 + gain) + offset + F (inl[0] P2(x/F) + inl[1] P3(x/F))

F is the full scale, P2 and P3 are Legendre's polynomials: over the whole scale neither looks like a gain or
an offset. The same law holds for currents (A) on their way in and for voltages (V) on their way out.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

DRIVE_SCALE = 0.4
"""Full scale of the converters that drive rows (V)."""
READ_SCALE = 60e-6
"""Full scale of the current range for one cell (A)."""
PRODUCT_SCALE = 1e-3
"""Full scale of the current range for a whole column (A)."""
_PASSES = 4


def curves(x: ArrayLike, scale: float) -> FloatArray:
    """Return P2 and P3 of x over a full scale, in the unit of x; shape of x and 2."""
    u = np.asarray(x, dtype=float) / scale
    return scale * np.stack([0.5 * (3.0 * u**2 - 1.0), 0.5 * (5.0 * u**3 - 3.0 * u)], axis=-1)


def erred(x: ArrayLike, gain: FloatArray, offset: FloatArray, inl: FloatArray, scale: float) -> FloatArray:
    """Return what a converter makes of x; `inl` ends with its two numbers."""
    values = np.asarray(x, dtype=float)
    bent = np.sum(curves(values, scale) * inl, axis=-1)
    return np.asarray(values * (1.0 + gain) + offset + bent)


def mended(y: ArrayLike, gain: FloatArray, offset: FloatArray, inl: FloatArray, scale: float) -> FloatArray:
    """Return the x of which a converter made y: the errors are small, so that few passes are exact."""
    reported = np.asarray(y, dtype=float)
    x = reported
    for _ in range(_PASSES):
        bent = np.sum(curves(x, scale) * inl, axis=-1)
        x = (reported - offset - bent) / (1.0 + gain)
    return np.asarray(x)
