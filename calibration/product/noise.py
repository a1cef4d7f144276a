"""Estimate how much products and readings scatter: between playings of a product, and from cell to cell.

A cell does not conduct in a product as it did in its readings: its read noise moved in between. That
deviation is common to all products of a call, so that errors of all products of a column go together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from calibration.product.data import MacroData
from calibration.product.lines import INNER
from calibration.product.plan import alone

FloatArray = NDArray[np.float64]

FLOOR = 1e-11
"""Scatter (A) below which none is believed: readings come in single precision."""
START = 4e-5
"""Scatter of a cell, of its conductance, at 1 S^(1/2): 0.6 % at 50 uS, until the cells have told theirs."""
_FAR = 25.0
"""Square of the distance beyond which a cell is an outlier: one in 20 000 normal ones (four readings) is."""
_ALIKE, _GROUPS = 128, 8
"""Cells of about one conductance whose scatter is taken as one, and the most groups of them."""
_TURNS = 8
_LITTLE = 1e-3


@final
@dataclass(frozen=True, eq=False)
class Scatter:
    """Hold variances: `fast` of the products (A^2, vectors x cols), `cells` of the cells.

    `cells` (S^2, rows x cols x levels x levels) is the covariance of what a cell's products at the levels of
    its readings deviate by from these readings. `counts` (rows x cols) is what each
    counts, 1 but for outliers.
    """

    fast: FloatArray
    cells: FloatArray
    counts: FloatArray

    @classmethod
    def guess(cls, data: MacroData) -> Self:
        """Return what is assumed of the cells before any fit."""
        levels = len(data.asked)
        shape = 0.8 + 0.2 * np.eye(levels)
        size = loudness(data.conductance)
        return cls(fast(data), START**2 * size[..., None, None] * shape, np.ones_like(size))

    @classmethod
    def seen(cls, data: MacroData, difference: FloatArray) -> Self:
        """Return what the differences (A, vectors x cols) between products and fit say of the cells."""
        noise, rows = fast(data), len(data.conductance)
        off = np.moveaxis(data.deviations(difference), 0, -1)
        played = np.moveaxis(data.deviations(np.sqrt(noise)), 0, -1) ** 2
        read = (data.white / data.asked) ** 2
        cells, counts = np.empty((*off.shape, off.shape[-1])), np.ones_like(data.conductance)
        # The gains of the columns were fitted to these deviations: that took the mean of each column away.
        free = rows / max(rows - 1.0, 1.0)
        for group in in_groups(data.conductance):
            size = loudness(data.conductance[group])[:, None]
            shape, counts[group] = spread(off[group] / np.sqrt(size), (played[group] + read) / size)
            # So few cells told so many numbers that they look a little quieter than they are.
            told = 1.0 + 0.5 * len(shape) * (len(shape) + 1) / len(size)
            own = free * told * size[..., None] * shape + np.diag(read)
            cells[group] = own / counts[group][:, None, None]
        return cls(noise, cells, counts)


def fast(data: MacroData) -> FloatArray:
    """Return the variance (A^2, vectors x cols) of the mean products that changes from product to product.

    It is that of the chain, seen without any input, and that of the cells, seen where one row is driven.
    """
    chain = max(float(data.noise[~data.wanted.any(axis=1)].mean()), FLOOR**2)
    first, size = alone(len(data.wanted), len(data.readings[0])), data.conductance
    cell = [(data.noise[one] - chain) / volts**2 for one, volts in zip(first[:2], data.asked, strict=False)]
    share, each = np.empty_like(size), np.mean(cell, axis=0) / loudness(size)
    for group in in_groups(size):
        share[group] = max(float(each[group].mean()), 0.0) * loudness(size[group])
    return np.asarray(chain + data.wanted**2 @ share)


def loudness(conductance: FloatArray) -> FloatArray:
    """Return to what (S) the variance of cells of these path conductances (S) is about in proportion.

    A filament g fluctuates as its square root; what is in series quiets the path: dG/dg = (G/g)^2.
    """
    share = 1.0 - np.minimum(INNER * conductance, 0.8)
    return np.asarray(conductance * share**3)


def in_groups(size: FloatArray) -> Iterator[tuple[NDArray[np.intp], ...]]:
    """Return the places of cells (rows, cols) that conduct about equally well, group by group."""
    groups = int(np.clip(size.size // _ALIKE, 1, _GROUPS))
    for cells in np.array_split(np.argsort(size, axis=None), groups):
        yield np.unravel_index(cells, size.shape)


def spread(values: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the covariance of vectors (n x k) beside their noise, and what each counts (n, 0 to 1).

    `noise` (n x k) are known variances. Vectors far out of the covariance of all others count the less.
    """
    size = np.sum((values / np.median(np.abs(values), axis=0)) ** 2, axis=1)
    inner = size <= np.median(size)
    shape = 2.0 * _beside(values[inner], 0.0 * noise[inner])
    for _ in range(_TURNS):
        whole = shape + noise[:, None, :] * np.eye(values.shape[1])
        distance = np.einsum("ni,ni->n", values, np.linalg.solve(whole, values[..., None])[..., 0])
        kept = (distance < _FAR) | inner
        shape = _beside(values[kept], noise[kept], shape)
    return shape, np.minimum(_FAR / np.maximum(distance, 1e-12), 1.0) ** 2


def _beside(values: FloatArray, noise: FloatArray, before: FloatArray | None = None) -> FloatArray:
    """Return the covariance that vectors have beside their noise, at least a little in every direction."""
    whole = 1.0 if before is None else float(np.trace(before))
    weight = (whole / (whole + noise.sum(axis=1))) ** 2
    square = (weight[:, None] * values).T @ values - np.diag(weight @ noise)
    size, directions = np.linalg.eigh(square / weight.sum())
    kept = np.maximum(size, _LITTLE * np.mean(values**2) + 1e-30)
    return np.asarray((directions * kept) @ directions.T)
