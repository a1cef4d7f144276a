"""Sort watched cells into states, and fit the law of each."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.durations import TEN_YEARS
from protocols.ageing.log_law import Law, fit_law, mean_and_error, spread
from protocols.ageing.series import Series

FloatArray = NDArray[np.float64]

MOST_BANDS = 8
"""Bands of conductance into which cells are sorted that were not programmed."""


@final
@dataclass(frozen=True, eq=False)
class States:
    """Hold the state of each cell (-1: left out), the centre (S) of each state, and what sigma is about.

    `reference` (S) is the target of each cell, or its first reading where it was not programmed.
    """

    of_cell: NDArray[np.int32]
    centre: FloatArray
    reference: FloatArray
    programmed: bool

    def members(self, state: int) -> NDArray[np.bool_]:
        """Return which cells are in a state."""
        return np.asarray(self.of_cell == state)

    def laws(self, series: Series, rng: np.random.Generator, far: float = TEN_YEARS) -> list[Law]:
        """Return the law of each state, extrapolated to the time `far` (s)."""
        told = self.independent(series)
        ages, found = series.ages()[told], series.conductance[told]
        return [
            fit_law(ages[:, m], found[:, m], self.reference[m], far, rng)
            for m in map(self.members, range(len(self.centre)))
        ]

    def independent(self, series: Series) -> NDArray[np.bool_]:
        """Return which readings tell of the states: not the one by which cells were sorted, if it was one.

        Its noise chose the band of a cell, so that the next readings fall back towards the middle.
        """
        told = series.taken.copy()
        if not self.programmed and told.any():
            told[np.argmax(told)] = False
        return told

    def moments(self, series: Series, state: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return mean, its uncertainty, sigma, its uncertainty (S) of a state at each read, NaN in gaps."""
        told = self.independent(series)
        whole = np.isfinite(series.conductance[told]).all(axis=0) & self.members(state)
        found, about = series.conductance[:, whole], self.reference[whole]
        out = np.full((4, len(series.planned)), np.nan)
        if found.shape[1] > 1 and told.any():
            out[:2, told] = np.array([mean_and_error(row) for row in found[told]]).T
            out[2:, told] = spread(found[told] - about)
        return out[0], out[1], out[2], out[3]


def states_of(series: Series, targets: FloatArray, usable: NDArray[np.bool_]) -> States:
    """Return the states: one per target (S), or bands of the first reading where there are no targets."""
    if np.isfinite(targets).any():
        centre, which = np.unique(targets, return_inverse=True)
        return States(np.where(usable, which, -1).astype(np.int32), centre, targets, True)
    taken = np.flatnonzero(series.taken)
    first = series.conductance[taken[0]] if taken.size else np.full(len(targets), np.nan)
    usable = usable & np.isfinite(first)
    return _banded(first, usable)


def _banded(first: FloatArray, usable: NDArray[np.bool_]) -> States:
    """Return states that are equal shares of the cells by their first reading (S)."""
    bands = int(np.clip(usable.sum() // 8, 1, MOST_BANDS))
    which = np.full(first.size, -1, np.int32)
    order = np.flatnonzero(usable)[np.argsort(first[usable], kind="stable")]
    for band, part in enumerate(np.array_split(order, bands)):
        which[part] = band
    present = [first[which == band] for band in range(bands)]
    centre = np.array([part.mean() if part.size else np.nan for part in present])
    return States(which, centre, first, False)
