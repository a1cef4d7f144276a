"""Solve linear least squares with gauges, priors, and a deviation that all points of one cell share.

The points obey values = design @ unknowns + noise. The noise of a point is known in part; the rest has
shapes whose size the data tell: `own` ones differ from point to point, the `common` one is a single random
number per cell (slow read noise: all readings of one visit deviate together). Without it the intervals of a
calibration on few cells would be far too narrow.
"""

from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Problem:
    """Hold points (n), what they depend on (n, p), and what is known beforehand.

    `noise` (n) is the known standard deviation of each point, `cell` (n) the number of its cell. `own` are
    shapes (n) of further independent noise, `common` (n) is what a unit deviation of the cell does to the
    point; zeros: nothing is shared. `prior` (p) are standard deviations about zero (inf: nothing is known),
    `gauge` (g, p) combinations of unknowns that are zero by definition.
    """

    design: FloatArray
    values: FloatArray
    noise: FloatArray
    cell: IntArray
    own: tuple[FloatArray, ...] = ()
    common: FloatArray = field(default_factory=lambda: np.zeros(0))
    prior: FloatArray = field(default_factory=lambda: np.zeros(0))
    gauge: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        points, unknowns = self.design.shape
        if self.values.shape != (points,) or self.cell.shape != (points,) or not points:
            raise ValueError(f"{points} points were given with {self.values.shape} values; give one for each")
        defaults = {
            "noise": np.broadcast_to(np.asarray(self.noise, dtype=float), (points,)),
            "common": self.common if self.common.size else np.zeros(points),
            "prior": self.prior if self.prior.size else np.full(unknowns, np.inf),
            "gauge": self.gauge if self.gauge.size else np.zeros((0, unknowns)),
        }
        for name, value in defaults.items():
            object.__setattr__(self, name, value)

    @property
    def sizes(self) -> int:
        """Return how many sizes of noise the data must tell: those of `own`, then that of `common`."""
        return len(self.own) + int(self.common.any())

    def take(self, points: BoolArray) -> "Problem":
        """Return the problem of the chosen points alone."""
        return replace(
            self,
            design=self.design[points],
            values=self.values[points],
            noise=self.noise[points],
            cell=self.cell[points],
            own=tuple(shape[points] for shape in self.own),
            common=self.common[points],
        )


@final
@dataclass(frozen=True, eq=False)
class Solution:
    """Hold the unknowns (p), their covariance (p, p), and the residuals (n) of the points.

    `weighted` (n) is what the whole covariance of the noise makes of the residuals, `leverage` (n) the share
    of each point that the unknowns took up; chi2 and dof are those of all points.
    """

    unknowns: FloatArray
    covariance: FloatArray
    residuals: FloatArray
    weighted: FloatArray
    leverage: FloatArray

    @property
    def chi2(self) -> float:
        """Return the sum of squares of the residuals in units of their standard deviations."""
        return float(self.residuals @ self.weighted)

    @property
    def dof(self) -> float:
        """Return how many numbers the points told beyond the unknowns."""
        return float(len(self.residuals) - self.leverage.sum())

    @property
    def chi2_per_dof(self) -> float:
        """Return chi2 over the degrees of freedom: 1 where the noise is as large as was stated."""
        return self.chi2 / max(self.dof, 1e-9)


@final
class Whitener:
    """Apply the inverse of the covariance of the noise, cell by cell, at given sizes of its shapes."""

    def __init__(self, problem: Problem, sizes: FloatArray) -> None:
        squares = [size**2 * shape**2 for size, shape in zip(sizes, problem.own, strict=False)]
        self.inverse = 1.0 / (problem.noise**2 + sum(squares, np.zeros(len(problem.values))))
        tau = float(sizes[-1]) if problem.common.any() else 0.0
        self.common = tau * problem.common
        self._order = np.argsort(problem.cell, kind="stable")
        ordered = problem.cell[self._order]
        self._first = np.flatnonzero(np.r_[True, np.diff(ordered) != 0])
        self.number = np.empty(len(ordered), dtype=np.int64)
        self.number[self._order] = np.cumsum(np.r_[False, np.diff(ordered) != 0])
        self._share = 1.0 / (1.0 + self.per_cell(self.inverse * self.common**2))

    def per_cell(self, values: FloatArray) -> FloatArray:
        """Return the sums over the points of each cell."""
        return np.asarray(np.add.reduceat(values[self._order], self._first, axis=0))

    def apply(self, values: FloatArray) -> FloatArray:
        """Return the inverse covariance times columns of values (n) or (n, k)."""
        columns = values.reshape(len(values), -1)
        plain = self.inverse[:, None] * columns
        pull = self.common[:, None] * plain
        shared = (self._share[:, None] * self.per_cell(pull))[self.number]
        out = plain - (self.inverse * self.common)[:, None] * shared
        return np.asarray(out.reshape(values.shape))

    def diagonal(self) -> FloatArray:
        """Return the diagonal of the inverse covariance."""
        pull = self.inverse * self.common
        return np.asarray(self.inverse - pull**2 * self._share[self.number])


def solve(problem: Problem, sizes: FloatArray | None = None) -> Solution:
    """Return the solution with noise of these sizes (those of `own`, then of `common`; none: zero)."""
    sizes = np.zeros(problem.sizes) if sizes is None else np.asarray(sizes, dtype=float)
    return solved(problem, Whitener(problem, sizes))[0]


def solved(problem: Problem, whitener: Whitener) -> tuple[Solution, FloatArray, FloatArray]:
    """Return the solution, the weighted design (n, p), and that times the covariance of the unknowns."""
    weighted = whitener.apply(problem.design)
    normal = problem.design.T @ weighted + np.diag(1.0 / problem.prior**2)
    covariance = constrained_inverse(normal, problem.gauge)
    unknowns = covariance @ (weighted.T @ problem.values)
    residuals = problem.values - problem.design @ unknowns
    spread = weighted @ covariance
    leverage = row_products(spread, problem.design)
    found = Solution(unknowns, covariance, residuals, whitener.apply(residuals), leverage)
    return found, weighted, spread


def row_products(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the scalar product of each row of a with that of b."""
    return np.asarray(np.einsum("ij,ij->i", a, b))


def constrained_inverse(normal: FloatArray, gauge: FloatArray) -> FloatArray:
    """Return the inverse of a normal matrix among the vectors that obey the gauges (gauge @ x = 0).

    ValueError if something is left that neither points, priors nor gauges say anything about.
    """
    scale = np.sqrt(np.maximum(np.diag(normal), np.finfo(float).tiny))
    free = null_space(gauge / scale, normal.shape[0])
    inner = free.T @ (normal / np.outer(scale, scale)) @ free
    values, vectors = np.linalg.eigh(inner)
    if values[0] < 1e-13 * values[-1]:
        raise ValueError("these points leave an unknown open; give more cells, a prior or a gauge")
    root = free @ (vectors / np.sqrt(values))
    return np.asarray(root @ root.T / np.outer(scale, scale))


def null_space(gauge: FloatArray, unknowns: int) -> FloatArray:
    """Return an orthonormal basis (p, p - g) of the vectors that independent gauges (g, p) take to zero."""
    if not len(gauge):
        return np.eye(unknowns)
    basis, _ = np.linalg.qr(gauge.T, mode="complete")
    return np.asarray(basis[:, len(gauge) :])
