"""Compare stressed cells with cells left alone: what the stress did, with its uncertainty."""

from dataclasses import asdict, dataclass
from math import hypot
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.log_law import mean_and_error

FloatArray = NDArray[np.float64]

SEEN = 3.0
"""Standard uncertainties from which on an effect counts as seen: by chance once in 370 comparisons."""
_TWO = 1.96


@final
@dataclass(frozen=True)
class Effect:
    """Hold a slope (S per unit of stress) of stressed and of null cells, and the change (S) over all of it.

    `excess` is what stressed cells do beyond the null cells of the same state. Each has its standard
    uncertainty; the cells are what repeats, so that drift that all share cancels.
    """

    cells: int
    null_cells: int
    slope: float
    slope_error: float
    null_slope: float
    null_error: float
    change: float
    change_error: float

    @property
    def excess(self) -> float:
        """Return slope minus null slope (S per unit of stress)."""
        return self.slope - self.null_slope

    @property
    def excess_error(self) -> float:
        """Return the standard uncertainty of the excess."""
        return hypot(self.slope_error, self.null_error)

    @property
    def is_seen(self) -> bool:
        """Tell whether the stress did more than chance."""
        return abs(self.excess) > SEEN * self.excess_error or abs(self.change) > SEEN * self.change_error

    @property
    def bound(self) -> float:
        """Return the largest change (S) over all of the stress that is compatible with the data, at 95 %."""
        return abs(self.change) + _TWO * self.change_error

    def facts(self) -> dict[str, float]:
        """Return the effect as plain numbers (SI)."""
        more = {"excess": self.excess, "excess_error": self.excess_error, "bound": self.bound}
        return {**asdict(self), **more, "seen": self.is_seen}


def effect_of(stress: FloatArray, stressed: FloatArray, null: FloatArray) -> Effect:
    """Return the effect of a stress (points) on readings (points, cells) in S, against null cells.

    The slope of each cell is that of its least-squares line over the stress; the change is last minus first
    reading, stressed minus null. Cells without all readings are left out.
    """
    stressed, null = (part[:, np.isfinite(part).all(axis=0)] for part in (stressed, null))
    slope, null_slope = (mean_and_error(_slopes(stress, part)) for part in (stressed, null))
    change, null_change = (mean_and_error(part[-1] - part[0]) for part in (stressed, null))
    return Effect(
        stressed.shape[1],
        null.shape[1],
        *slope,
        *null_slope,
        change[0] - null_change[0],
        hypot(change[1], null_change[1]),
    )


def _slopes(stress: FloatArray, readings: FloatArray) -> FloatArray:
    around = stress - stress.mean()
    return np.asarray(around @ (readings - readings.mean(axis=0)) / (around**2).sum())


def checkpoints(total: int, step: int = 1, per_decade: int = 2) -> NDArray[np.int64]:
    """Return at which counts cells are looked at: 0, then log-spaced multiples of `step`, up to `total`."""
    decades = max(np.log10(total / step), 0.0)
    spread = np.geomspace(step, total, int(np.ceil(per_decade * decades)) + 1)
    whole = np.unique(np.round(spread / step).astype(np.int64)) * step
    return np.concatenate([[0], whole[whole < total], [total]])
