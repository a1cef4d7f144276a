"""Fit cells whose noise nobody told: its sizes from the data, and without the cells that do not belong.

The sizes are those of restricted maximum likelihood (Patterson & Thompson, Biometrika 58, 545 (1971)), found
by the fixed point of Anderson (Ann. Stat. 1, 135 (1973)): each size is multiplied until what its shape sees
of the residuals is what it expects.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from calibration.least_squares import (
    BoolArray,
    FloatArray,
    Problem,
    Solution,
    Whitener,
    row_products,
    solve,
    solved,
)

ODDS = 4.0
"""How far out a cell must lie to be left out, as a normal deviate: 1 good cell in 30 000."""
LEAST_SHARE = 0.5
"""Share of the cells that stay, whatever they look like."""
_ROUNDS, _STEPS, _CLOSE = 12, 40, 0.02


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """Hold a solution, the sizes of the noise that the data told, and which points stayed.

    `left_out` are the numbers of the cells that do not belong to the others.
    """

    solution: Solution
    sizes: FloatArray
    kept: BoolArray
    left_out: tuple[int, ...]

    def residuals(self, scale: str) -> dict[str, float]:
        """Return the figures of a record's residuals; `scale` is the unit of the points."""
        rms = float(np.sqrt(np.mean(self.solution.residuals**2)))
        return {
            f"rms_{scale}": rms,
            "chi2_per_dof": self.solution.chi2_per_dof,
            "dof": self.solution.dof,
            "cells_left_out": float(len(self.left_out)),
        }


def fit(problem: Problem, start: FloatArray, usable: BoolArray | None = None) -> Fit:
    """Return the fit of all cells that belong together.

    `start` are sizes of the right order for `own` and `common`; points that are not `usable` have no say.
    """
    sizes = np.asarray(start, dtype=float)
    usable = np.ones(len(problem.values), dtype=bool) if usable is None else usable
    whole, kept = problem.take(usable), np.ones(int(usable.sum()), dtype=bool)
    for _ in range(_ROUNDS):
        part = whole.take(kept)
        sizes = found_sizes(part, sizes)
        good = belonging(whole, sizes, solve(part, sizes), kept)
        if (good == kept).all():
            break
        kept = good
    part = whole.take(kept)
    sizes = found_sizes(part, sizes)
    stayed = np.zeros(len(usable), dtype=bool)
    stayed[np.flatnonzero(usable)[kept]] = True
    left_out = tuple(sorted({int(number) for number in problem.cell[~stayed]}))
    return Fit(solve(part, sizes), sizes, stayed, left_out)


def found_sizes(problem: Problem, start: FloatArray) -> FloatArray:
    """Return the sizes of the shapes of noise that restricted maximum likelihood finds in the points."""
    sizes = np.asarray(start, dtype=float)
    enough = _CLOSE * np.sqrt(2.0 * len(problem.values))
    for _ in range(_STEPS if sizes.size else 0):
        seen, expected = _seen(problem, sizes)
        ratio = np.clip(seen / np.maximum(expected, np.finfo(float).tiny), 1e-4, 1e4)
        moved = np.abs(ratio - 1.0) * sizes**2 * expected  # in degrees of freedom
        sizes = sizes * np.sqrt(ratio)
        if moved.max() < enough:
            break
    return sizes


def _seen(problem: Problem, sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what each shape sees of the weighted residuals, squared, and what it expects."""
    whitener = Whitener(problem, sizes)
    solution, weighted, spread = solved(problem, whitener)
    diagonal = whitener.diagonal() - row_products(spread, weighted)
    seen = [float(np.sum((shape * solution.weighted) ** 2)) for shape in problem.own]
    expected = [float(np.sum(shape**2 * diagonal)) for shape in problem.own]
    if problem.common.any():
        u = problem.common
        seen.append(float(np.sum(whitener.per_cell(u * solution.weighted) ** 2)))
        pulled = whitener.per_cell(u[:, None] * weighted)
        lost = row_products(pulled @ solution.covariance, pulled).sum()
        expected.append(float(np.sum(u * whitener.apply(u)) - lost))
    return np.array(seen), np.array(expected)


def belonging(problem: Problem, sizes: FloatArray, solution: Solution, kept: BoolArray) -> BoolArray:
    """Return the points of the cells that deviate no further than the others allow, together and within."""
    whitener = Whitener(problem, sizes)
    residuals = problem.values - problem.design @ solution.unknowns
    weighted = whitener.apply(np.column_stack([residuals, problem.common, problem.design]))
    pull = whitener.per_cell(problem.common[:, None] * weighted)
    length = np.maximum(pull[:, 1], np.finfo(float).tiny)
    together = pull[:, 0] ** 2 / length
    within = whitener.per_cell(residuals * weighted[:, 0]) - together
    inside = row_products(weighted[:, 2:] @ solution.covariance, problem.design)
    taken = row_products(pull[:, 2:] @ solution.covariance, pull[:, 2:]) / length
    share = whitener.per_cell(kept.astype(float)) > 0
    shared = float(problem.common.any())
    count = whitener.per_cell(np.ones(len(residuals)))
    spent = np.where(share, whitener.per_cell(inside) - taken, 0.0)
    good = within <= bound(within, np.maximum(count - shared - spent, 0.2 * count))
    if shared:
        good &= together <= bound(together, np.where(share, np.maximum(1.0 - taken, 0.2), 1.0))
    return np.asarray(good[whitener.number])


def bound(squares: FloatArray, dof: FloatArray) -> FloatArray:
    """Return up to where sums of squares of so many degrees of freedom belong to the bulk of them."""
    full = np.maximum(np.round(dof), 1.0)
    ratio = squares / dof
    scale = float(np.median(ratio / quantile(full, 0.0)))
    least = np.sort(ratio)[int(np.ceil(LEAST_SHARE * len(ratio))) - 1]
    return np.asarray(dof * np.maximum(scale * quantile(full, ODDS), least))


def quantile(dof: FloatArray, deviate: float) -> FloatArray:
    """Return the quantile of chi2 per degree of freedom at a normal deviate.

    Wilson & Hilferty, Proc. Natl. Acad. Sci. 17, 684 (1931).
    """
    narrow = 2.0 / (9.0 * np.asarray(dof, dtype=float))
    return np.asarray((1.0 - narrow + deviate * np.sqrt(narrow)) ** 3)
