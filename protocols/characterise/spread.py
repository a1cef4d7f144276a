"""Part the spread of a quantity into that of a cell from cycle to cycle and that from cell to cell."""

from dataclasses import asdict, dataclass
from math import sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_NAN = float("nan")


@final
@dataclass(frozen=True)
class Spread:
    """Hold mean and standard deviations, each with its standard error, in the unit of the quantity.

    `cycle_sigma` is the spread of one cell over its cycles, `cell_sigma` that of the cells' own means, what
    the few cycles behind each mean add taken off.
    """

    count: int
    cells: int
    mean: float
    mean_error: float
    cycle_sigma: float
    cycle_error: float
    cell_sigma: float
    cell_error: float
    median: float

    @classmethod
    def of(cls, values: FloatArray) -> "Spread":
        """Return the spread of values (cells, cycles), NaN where there is none.

        One-way analysis of variance with random effects: cycle variance = mean square within cells; cell
        variance = (mean square between - within) / n0, n0 the effective number of cycles per cell (Searle).
        """
        counts = np.isfinite(values).sum(axis=1)
        values, counts = values[counts > 0], counts[counts > 0]
        n, k = int(counts.sum()), int(counts.size)
        if n == 0:
            return cls(0, 0, *(_NAN,) * 7)
        means = np.nansum(values, axis=1) / counts
        mean = float(np.nansum(values)) / n
        within = _mean_square(float(np.nansum((values - means[:, None]) ** 2)), n - k)
        between = _mean_square(float((counts * (means - mean) ** 2).sum()), k - 1)
        effective = (n - float((counts**2).sum()) / n) / (k - 1) if k > 1 else _NAN
        cell = sqrt(max((between - within) / effective, 0.0)) if k > 1 and n > k else _NAN
        of_means = float(means.std(ddof=1)) if k > 1 else _NAN
        mean_error = of_means / sqrt(k) if k > 1 else sqrt(within / n)
        cycle = sqrt(within)
        errors = cycle / sqrt(2 * (n - k)) if n > k else _NAN, of_means / sqrt(2 * (k - 1)) if k > 1 else _NAN
        return cls(n, k, mean, mean_error, cycle, errors[0], cell, errors[1], float(np.nanmedian(values)))

    def facts(self) -> dict[str, float]:
        """Return the spread as plain numbers."""
        return asdict(self)


def _mean_square(total: float, degrees: int) -> float:
    return total / degrees if degrees > 0 else _NAN
