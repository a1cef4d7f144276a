"""Describe distributions by the means of their sorted fifths: location, spread, skew and tails at once.

A slice mean is an average of neighbouring order statistics: it moves smoothly with every parameter,
which single quantiles of a finite sample do not, and no single outlier decides it.
"""

from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
class Slices:
    """Compute the slice means of the values in each group of rows.

    `group` (n,) numbers the group of each row from 0, -1 for none; `edges` (s + 1,) are the shares at
    which the sorted values of a group are cut.
    """

    def __init__(self, group: IntArray, edges: FloatArray) -> None:
        count = int(group.max(initial=-1)) + 1
        self.rows = [np.flatnonzero(group == k) for k in range(count)]
        self.edges = edges

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of groups and of slices."""
        return len(self.rows), len(self.edges) - 1

    def means(self, values: FloatArray, weights: FloatArray | None = None) -> FloatArray:
        """Return the slice means, (groups, slices), of values (n,) or of copies of them (copies, n).

        Those of copies are averaged: each copy has as few values as what was measured, and is as biased.
        """
        out = np.full(self.shape, np.nan)
        for k, rows in enumerate(self.rows):
            if weights is None:
                out[k] = _even_means(np.atleast_2d(values)[:, rows], self.edges)
            elif weights[rows].sum() > 0.0:
                out[k] = _means(values[rows], weights[rows], self.edges)
        return out


def _means(values: FloatArray, weights: FloatArray, edges: FloatArray) -> FloatArray:
    order = np.argsort(values, kind="stable")
    w = weights[order]
    mass = np.concatenate([[0.0], np.cumsum(w)])
    area = np.concatenate([[0.0], np.cumsum(w * values[order])])
    at = edges * mass[-1]
    return np.asarray(np.diff(np.interp(at, mass, area)) / np.diff(at))


def _even_means(values: FloatArray, edges: FloatArray) -> FloatArray:
    """Return the slice means of values (copies, n) of one weight, averaged over copies."""
    copies, n = values.shape
    area = np.concatenate([np.zeros((copies, 1)), np.cumsum(np.sort(values, axis=1), axis=1)], axis=1)
    mean = area.mean(axis=0)
    at = edges * n
    return np.asarray(np.diff(np.interp(at, np.arange(n + 1.0), mean)) / np.diff(at))
