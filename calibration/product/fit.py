"""Fit the wide current range of all columns, and the lines of the bench, to products of cells that were read.

reported = I (1 + gain) + offset + F (inl_0 P2(I/F) + inl_1 P3(I/F)),   I = crossbar(readings; lines)

Gauss-Newton over all columns together; what a column's products have in common (the cells' deviations) is in
the covariance that weighs them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.product.data import MacroData
from calibration.product.lines import Lines
from calibration.product.noise import Scatter
from rramlab.corrections.converter import PRODUCT_SCALE, curves, erred

FloatArray = NDArray[np.float64]

PASSES = 4
"""Steps of Gauss-Newton; before each the scatter of the cells is taken from what the last one left."""
MOST_LOST = 0.3
"""Part of the voltage that lines, or switches, take at the most."""
STEP = 0.01
"""Step (ohm) for derivatives by a resistance: small against the paths, large against rounding."""
WIDEST = {"inl": 0.02, "r_line": 100.0, "r_switch": 1000.0}
"""Standard deviations (1, ohm) that no bench exceeds: all that is known where the cells tell nothing."""


@final
@dataclass(frozen=True, eq=False)
class Wide:
    """Hold the numbers of the wide range: gain, offset (A) (macros, cols), inl (macros, 2), and the lines."""

    gain: FloatArray
    offset: FloatArray
    inl: FloatArray
    lines: Lines

    def vector(self) -> FloatArray:
        """Return all numbers in a row, as in the record."""
        lines = [self.lines.r_line, self.lines.r_switch]
        return np.concatenate([self.gain.ravel(), self.offset.ravel(), self.inl.ravel(), lines])

    def moved(self, step: FloatArray) -> "Wide":
        """Return the numbers after a step."""
        n, m = self.gain.size, self.inl.size
        return Wide(
            self.gain + step[:n].reshape(self.gain.shape),
            self.offset + step[n : 2 * n].reshape(self.gain.shape),
            self.inl + step[2 * n : 2 * n + m].reshape(self.inl.shape),
            Lines(self.lines.r_line + float(step[-2]), self.lines.r_switch + float(step[-1])),
        )

    def places(self, macro: int) -> NDArray[np.int64]:
        """Return where the six numbers of each column of a macro stand (cols x 6)."""
        macros, cols = self.gain.shape
        n, col = macros * cols, np.arange(cols)
        inl = np.full((cols, 2), 2 * n) + 2 * macro + np.arange(2)
        last = 2 * n + 2 * macros + np.zeros((cols, 2), dtype=np.int64) + np.arange(2)
        return np.column_stack([macro * cols + col, n + macro * cols + col, inl, last])


@final
@dataclass(frozen=True, eq=False)
class Pieces:
    """Hold a macro at one step: predicted products (A), their slopes (vectors x cols x 6), and scatter."""

    data: MacroData
    predicted: FloatArray
    slopes: FloatArray
    scatter: Scatter

    @property
    def difference(self) -> FloatArray:
        """Return what was reported less what was predicted (A, vectors x cols)."""
        return self.data.reported - self.predicted

    def whitened(self, beside: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Return slopes (cols x vectors x 6) and differences (cols x vectors x n), in standard deviations.

        `beside` (cols x vectors x n) stands in the place of the differences.
        """
        right = self.difference.T[..., None] if beside is None else beside
        both = np.concatenate([np.moveaxis(self.slopes, 1, 0), right], axis=2)
        flat = np.linalg.solve(np.linalg.cholesky(self.covariance()), both)
        return flat[..., :6], flat[..., 6:]

    def covariance(self) -> FloatArray:
        """Return the covariance (A^2, cols x vectors x vectors) of the products of each column."""
        on = self.data.at_level() * self.data.asked[:, None, None]
        cells = self.scatter.cells
        common = np.zeros((cells.shape[1], on.shape[1], on.shape[1]))
        for k, n in np.ndindex(len(on), len(on)):
            common += on[k] * cells[:, :, k, n].T[:, None, :] @ on[n].T
        which = np.arange(on.shape[1])
        common[:, which, which] += self.scatter.fast.T
        return np.asarray(common)


@final
@dataclass(frozen=True, eq=False)
class Fitted:
    """Hold the numbers found, the inverse of the normal equations, and what each macro looks like there."""

    wide: Wide
    inverse: FloatArray
    pieces: Sequence[Pieces]
    chi2: float
    freedom: int


def fit(macros: Sequence[MacroData]) -> Fitted:
    """Return the numbers that explain the products of all macros best."""
    shape = len(macros), macros[0].reported.shape[1]
    wide = Wide(np.zeros(shape), np.zeros(shape), np.zeros((shape[0], 2)), Lines(0.0, 0.0))
    pieces = [piece(data, wide, Scatter.guess(data)) for data in macros]
    for _ in range(PASSES):
        normal, right, _ = equations(pieces, wide)
        wide = bounded(wide.moved(np.asarray(np.linalg.solve(normal, right))), macros)
        fresh = [piece(one.data, wide, one.scatter) for one in pieces]
        pieces = [replace(one, scatter=Scatter.seen(one.data, one.difference)) for one in fresh]
    normal, right, chi2 = equations(pieces, wide)
    freedom = sum(data.reported.size for data in macros) - len(right)
    return Fitted(wide, np.asarray(np.linalg.inv(normal)), pieces, chi2, freedom)


def bounded(wide: Wide, macros: Sequence[MacroData]) -> Wide:
    """Return the same with lines that leave the cells most of the voltage, as those of any array do.

    Where the cells tell nothing of the lines, a step may lead anywhere.
    """
    load = max(float(data.conductance.sum(axis=axis).max()) for data in macros for axis in (0, 1))
    most = MOST_LOST / load
    length = max(macros[0].conductance.shape)
    line, switch = np.clip([wide.lines.r_line * length, wide.lines.r_switch], -most, most)
    return replace(wide, lines=Lines(float(line) / length, float(switch)))


def piece(data: MacroData, wide: Wide, scatter: Scatter) -> Pieces:
    """Return a macro at these numbers: what they predict, and how that moves with them."""
    m, lines = data.macro, wide.lines
    gain, inl = wide.gain[m], wide.inl[m]

    def reported(current: FloatArray) -> FloatArray:
        return erred(current, gain, wide.offset[m], inl, PRODUCT_SCALE)

    # Slopes from the readings themselves would share their noise with the differences, and lean on it.
    predicted, current = reported(data.currents(lines)), data.smooth(lines)
    by_line = reported(data.smooth(Lines(lines.r_line + STEP, lines.r_switch))) - reported(current)
    by_switch = reported(data.smooth(Lines(lines.r_line, lines.r_switch + STEP))) - reported(current)
    bent = curves(current, PRODUCT_SCALE)
    columns = [current, np.ones_like(current), bent[..., 0], bent[..., 1], by_line / STEP, by_switch / STEP]
    return Pieces(data, predicted, np.stack(columns, axis=-1), scatter)


def equations(pieces: Sequence[Pieces], wide: Wide) -> tuple[FloatArray, FloatArray, float]:
    """Return the normal equations, their right side, and chi squared, with what is known of any bench."""
    weak = prior(wide)
    normal, right = np.diag(weak), -weak * wide.vector()
    chi2 = 0.0
    for one in pieces:
        slopes, left = one.whitened()
        chi2 += float(np.sum(left**2))
        squares = np.einsum("cvi,cvj->cij", slopes, slopes)
        forces = np.einsum("cvi,cv->ci", slopes, left[..., 0])
        places = wide.places(one.data.macro)
        np.add.at(normal, (places[:, :, None], places[:, None, :]), squares)
        np.add.at(right, places, forces)
    return normal, right, chi2


def prior(wide: Wide) -> FloatArray:
    """Return the weight of what is known of any bench, for each number."""
    weak = np.zeros(wide.vector().size)
    weak[2 * wide.gain.size : -2] = WIDEST["inl"] ** -2
    weak[-2:] = WIDEST["r_line"] ** -2, WIDEST["r_switch"] ** -2
    return weak
