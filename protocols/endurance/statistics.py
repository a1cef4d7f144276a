"""Draw figures out of cycles: windows over cells, spreads, wear per decade, failures over cycles."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.spread import Spread
from protocols.endurance.cells import History
from protocols.endurance.outcome import FAILED, Endured
from protocols.forming.statistics import share_interval

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Windows:
    """Hold both states (S) and their ratio over cells at each count: 5 %, 50 % and 95 % quantiles, (3, n)."""

    cycle: IntArray
    lrs: FloatArray
    hrs: FloatArray
    ratio: FloatArray

    @classmethod
    def of(cls, history: History) -> "Windows":
        """Return the windows at the counts at which all cells that were cycled then were read."""
        cycle, lrs, hrs = history.planes()
        full = np.isfinite(lrs).sum(axis=1) > 0
        alive = (history.failed_at[None, :] == 0) | (cycle[:, None] < history.failed_at[None, :])
        cycled = np.isin(history.outcome, (Endured.UNFORMED,), invert=True)
        full &= (np.isfinite(lrs) | ~(alive & cycled)).all(axis=1)
        found = (lrs[full], hrs[full], lrs[full] / np.maximum(hrs[full], 1e-9))
        return cls(cycle[full], *(_quantiles(each) for each in found))


@final
@dataclass(frozen=True)
class Wear:
    """Hold by what factor a state or the window moves per decade of cycles, with its standard error."""

    cells: int
    log10_per_decade: float
    error: float

    @classmethod
    def of(cls, cycle: IntArray, values: FloatArray) -> "Wear":
        """Return the mean slope of log10 of values (readings, cells) over log10 cycles, cell by cell.

        The error is that of a mean over cells; NaN with fewer than two cells or readings of a decade or more.
        """
        x = np.log10(np.maximum(cycle, 1)).astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.log10(values)
        slopes = np.array([_slope(x, column) for column in y.T])
        known = slopes[np.isfinite(slopes)]
        if known.size < 2:
            return cls(int(known.size), float("nan"), float("nan"))
        return cls(int(known.size), float(known.mean()), float(known.std(ddof=1) / sqrt(known.size)))


@final
@dataclass(frozen=True, eq=False)
class FailureCurve:
    """Hold how many cells had failed after each count, and the 95 % interval of their share."""

    cells: int
    cycle: IntArray
    failed: IntArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, history: History) -> "FailureCurve":
        """Return the curve of the cells that were cycled, from the first to the last cycle."""
        cycled = history.outcome != Endured.UNFORMED
        at = history.failed_at[cycled & np.isin(history.outcome, FAILED)]
        cycle = np.unique(np.concatenate([[1], at, [max(history.done, 1)]])).astype(np.int64)
        failed = np.array([(at <= count).sum() for count in cycle], np.int64)
        bounds = np.array([share_interval(int(k), int(cycled.sum())) for k in failed])
        return cls(int(cycled.sum()), cycle, failed, bounds[:, 0], bounds[:, 1])


def spreads(history: History) -> tuple[Spread, Spread]:
    """Return the spread of log10 of LRS and HRS (S) from cycle to cycle and from cell to cell.

    Only readings before a cell failed count.
    """
    cycle, lrs, hrs = history.planes()
    good = (history.failed_at == 0) | (cycle[:, None] < history.failed_at)
    planes = (np.where(good & (plane > 0), plane, np.nan) for plane in (lrs, hrs))
    first, second = (Spread.of(np.log10(plane).T) for plane in planes)
    return first, second


def _quantiles(values: FloatArray) -> FloatArray:
    return np.asarray(np.nanquantile(values, (0.05, 0.5, 0.95), axis=1)) if values.size else np.zeros((3, 0))


def _slope(x: FloatArray, y: FloatArray) -> float:
    known = np.isfinite(y)
    if known.sum() < 3 or np.ptp(x[known]) < 1:
        return float("nan")
    off = x[known] - x[known].mean()
    return float((off * y[known]).sum() / (off**2).sum())
