"""Gather rows of like conditions into groups that are large enough to have a distribution."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def numbered(*keys: NDArray[np.generic]) -> tuple[IntArray, FloatArray]:
    """Return the number of each row's combination of keys, and the combinations (groups, keys)."""
    stacked = np.stack([np.asarray(key, np.float64) for key in keys], axis=1)
    found, inverse = np.unique(stacked, axis=0, return_inverse=True)
    return np.asarray(inverse, np.int64).ravel(), found


def banded(values: FloatArray, within: IntArray, least: int) -> FloatArray:
    """Return the lower end of each row's band: neighbouring values joined until `least` rows are together.

    Bands are formed apart for each number in `within`, in rising order of the value.
    """
    band = np.full(len(values), np.nan)
    for k in np.unique(within):
        rows = np.flatnonzero(within == k)
        band[rows] = _bands(values[rows], least)
    return band


def _bands(values: FloatArray, least: int) -> FloatArray:
    levels, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    starts, have = [0], 0
    for k, count in enumerate(counts):
        if have >= least:
            starts.append(k)
            have = 0
        have += int(count)
    if have < least and len(starts) > 1:
        starts.pop()
    first = np.searchsorted(starts, np.arange(len(levels)), side="right") - 1
    return np.asarray(levels[np.asarray(starts)[first]][inverse.ravel()])
