"""Say when reads fall due, and which of those that were missed are worth taking late."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

FloatArray = NDArray[np.float64]

MOST_READS = 100_000
LONGEST_SLICE, SHORTEST_SLICE = 3600.0, 60.0
"""A long wait is cut into slices (s), so that a clock that stood still is noticed soon."""
_DONE = 1e-6


def log_spaced(first: float, last: float, reads: int) -> FloatArray:
    """Return the times (s) of so many reads from `first` to `last`, evenly spread over log time."""
    if not 2 <= reads <= MOST_READS or not 0 < first < last:
        raise InputError(
            f"{reads} reads from {first:g} s to {last:g} s are not possible; give 2 to {MOST_READS} reads "
            f"and a first time above zero and before the last one"
        )
    return np.geomspace(first, last, reads)


def slice_of(left: float, exact: bool) -> float:
    """Return how long to wait next (s) when so much is left; all of it where waiting is exact."""
    if exact or left <= SHORTEST_SLICE:
        return left
    return float(np.clip(left / 2, SHORTEST_SLICE, LONGEST_SLICE))


def is_due(left: float) -> bool:
    """Tell whether so little (s) is left that no clock can tell it from nothing."""
    return left <= _DONE


def is_missed(times: FloatArray, index: int, now: float, back: float) -> bool:
    """Tell whether read `index` is a gap: it fell due while nothing ran, and the next one is nearer by now.

    `now` and `back` (s) are the present time and the moment from which somebody watches again. A read that
    fell due while the process ran is never a gap, however late; nor is the last one.
    """
    if index + 1 >= len(times) or times[index] > back:
        return False
    here, following = float(times[index]), float(times[index + 1])
    middle = sqrt(here * following) if here > 0 else following / 2
    return now >= middle
