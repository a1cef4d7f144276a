"""Minimise a sum of squares by the Levenberg-Marquardt method (Marquardt 1963)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.progress import Progress

FloatArray = NDArray[np.float64]
Residuals = Callable[[FloatArray], FloatArray]

_DAMPING, _MOST_DAMPING = 1e-2, 1e3
ENOUGH, ROUGHLY = 3e-5, 0.03
"""Shares by which a round lowers the sum: less is the end of a fit, or of one that need not be exact."""
_SLOW = 3e-3
"""Less than this is a reason to take the differences anew."""


@final
@dataclass(frozen=True)
class Minimum:
    """Hold the place (p,), the residuals (n,), the Jacobian (n, p) and the number of rounds taken."""

    place: FloatArray
    residuals: FloatArray
    jacobian: FloatArray
    rounds: int

    @property
    def cost(self) -> float:
        """Return the sum of squares."""
        return float(self.residuals @ self.residuals)


def least_squares(
    residuals: Residuals,
    start: FloatArray,
    steps: FloatArray,
    rounds: int,
    progress: Progress,
    what: str,
    enough: float = ENOUGH,
) -> Minimum:
    """Return the minimum of |residuals(x)|^2 found from `start`, with differences over `steps` (p,).

    It stops when a round lowers the sum by less than `enough` of itself, with derivatives that were taken
    anew if that is little.
    """
    x, r = start, residuals(start)
    j, fresh, damping = jacobian(residuals, x, r, steps), True, _DAMPING
    for done in range(rounds):
        progress.update(what, done, rounds)
        better = _improve(residuals, x, r, j, damping)
        gain = 0.0 if better is None else 1.0 - float(better[1] @ better[1]) / float(r @ r)
        moved, changed = (better[0] - x, better[1] - r) if better is not None else (x, r)
        x, r, damping = (x, r, damping) if better is None else better
        if gain < enough and (fresh or enough > _SLOW):
            return Minimum(x, r, j, done + 1)
        # A short step tells more of the noise of a simulation than of its derivatives.
        fresh = bool(gain < _SLOW)
        j = jacobian(residuals, x, r, steps) if fresh else _updated(j, moved, changed)
        damping = min(damping, _DAMPING) if fresh else damping
    return Minimum(x, r, j if fresh else jacobian(residuals, x, r, steps), rounds)


def _updated(j: FloatArray, moved: FloatArray, changed: FloatArray) -> FloatArray:
    """Return the derivatives after a step, corrected along it (Broyden 1965): differences are dear."""
    return np.asarray(j + np.outer(changed - j @ moved, moved) / (moved @ moved))


def jacobian(residuals: Residuals, x: FloatArray, r: FloatArray, steps: FloatArray) -> FloatArray:
    """Return the derivatives of the residuals (n, p), by forward differences."""
    columns = []
    for k, step in enumerate(steps):
        ahead = x.copy()
        ahead[k] += step
        columns.append((residuals(ahead) - r) / step)
    return np.stack(columns, axis=1)


def _improve(
    residuals: Residuals, x: FloatArray, r: FloatArray, j: FloatArray, damping: float
) -> tuple[FloatArray, FloatArray, float] | None:
    normal, slope = j.T @ j, j.T @ r
    scale = np.diag(np.maximum(np.diag(normal), 1e-12))
    while damping < _MOST_DAMPING:
        ahead = x - np.linalg.solve(normal + damping * scale, slope)
        try_r = residuals(ahead)
        if try_r @ try_r < r @ r:
            return ahead, try_r, max(damping / 10.0, 1e-6)
        damping *= 10.0
    return None
