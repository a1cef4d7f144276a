"""Find address bits that do nothing: two addresses, one cell."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.rig.odds import in_words, log10_binomial

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

SAME = 4.0
"""Two readings of one cell differ by less than this many sigma of the reading."""
SHARE, SURE = 0.9, -6.0
"""Share of pairs that must agree, and log10 of the odds that unlike cells agree as often."""
_SHIFTS = ((1, 0), (0, 1), (3, 5), (5, 3), (7, 11))


@final
@dataclass(frozen=True)
class DeadBit:
    """Hold an address bit that changes nothing, how many pairs say so, and the odds that it is chance."""

    name: str
    pairs: int
    agreeing: int
    log10_odds: float

    @property
    def sentence(self) -> str:
        """Return the fault in words."""
        return (
            f"{self.name} does nothing: {self.agreeing} of {self.pairs} pairs of addresses that differ in it "
            f"read alike, to the noise of a reading (by chance {in_words(self.log10_odds)})"
        )


def dead_bits(first: FloatArray, second: FloatArray) -> list[DeadBit]:
    """Return the bits of row and column that change nothing in two maps (S) read one after the other.

    The two maps tell the noise of a reading; cells that are not related tell how often unlike cells agree.
    """
    mean, noise = (first + second) / 2, _sigma(first - second) / sqrt(2)
    unlike = max(_unrelated(mean, SAME * noise), 1.0 / mean.size)
    found: list[DeadBit] = []
    for axis, word in ((0, "row"), (1, "column")):
        for bit in range((mean.shape[axis] - 1).bit_length()):
            agree = _pairs(mean, axis, bit) < SAME * noise
            if agree.size == 0 or agree.mean() < SHARE or unlike >= SHARE:
                continue
            odds = log10_binomial(int(agree.sum()), agree.size, unlike)
            if odds < SURE:
                found.append(DeadBit(f"{word} bit {bit}", agree.size, int(agree.sum()), odds))
    return found


def _pairs(mean: FloatArray, axis: int, bit: int) -> FloatArray:
    """Return how far (S) the cells of each pair of addresses are apart that differ in one bit."""
    low = np.flatnonzero((np.arange(mean.shape[axis]) >> bit & 1) == 0)
    low = low[low + (1 << bit) < mean.shape[axis]]
    apart = np.abs(np.take(mean, low, axis) - np.take(mean, low + (1 << bit), axis)).ravel()
    return np.asarray(apart[np.isfinite(apart)])


def _unrelated(mean: FloatArray, within: float) -> float:
    """Return the share of unrelated pairs that agree, the largest of a few ways to pair."""
    apart = [np.abs(mean - np.roll(mean, shift, (0, 1))) for shift in _SHIFTS]
    known = [each[np.isfinite(each)] for each in apart]
    # A dead bit makes some of these pairs one cell: the least share is that of unlike cells.
    return min(float((each < within).mean()) if each.size else 1.0 for each in known)


def _sigma(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return 1.4826 * float(np.median(np.abs(known))) if known.size else float("nan")
