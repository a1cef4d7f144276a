"""Find the errors of a read chain from its points: linearised, solved, and linearised again."""

from dataclasses import dataclass
from typing import final

import numpy as np

from calibration.least_squares import BoolArray, FloatArray, solve
from calibration.least_squares_fit import Fit, fit
from calibration.readout.model import PRIOR, Layout, ReadChain
from calibration.readout.points import Points, white_current

START = (0.002, 1e-10, 0.003)
"""Sizes to begin with: fast and slow noise of a cell (relative, 50 uS), of the standard at rest (A)."""
SURPRISE = 3.0
"""How many times the expected size of a curve is believed before more is expected."""
_PASSES, _WIDENINGS = 3, 4


@final
@dataclass(frozen=True, eq=False)
class ReadFit:
    """Hold unknowns and covariance of a read chain, the noise of a sample, and the fit they come from."""

    layout: Layout
    points: Points
    unknowns: FloatArray
    covariance: FloatArray
    white: float
    u_white: float
    fit: Fit

    @property
    def used(self) -> BoolArray:
        """Return which cells the result stands on."""
        return np.asarray(self.fit.kept[: self.points.current.size].reshape(self.points.current.shape)[:, 0])


def fitted(points: Points, shape: tuple[int, int, int]) -> ReadFit:
    """Return the errors of the read chain of a bench of this shape (macros, rows, columns).

    Converters may be bent more than such are: then more is expected of them, and looked for again.
    """
    layout = Layout(*shape, extra=len(points.standard.prior))
    white, _ = white_current(points, np.zeros(len(points.row)))
    prior = dict(PRIOR)
    for _ in range(_WIDENINGS):
        chain = ReadChain(points, layout, layout.prior(prior, points.standard.prior))
        unknowns, covariance, found = _fitted(chain, white / float(np.sqrt(points.samples)))
        bent = {name: float(np.abs(unknowns[layout.index(name)]).max()) for name in ("dac_inl", "adc_inl")}
        if all(size <= SURPRISE * prior[name] for name, size in bent.items()):
            break
        prior |= {name: max(size, prior[name]) for name, size in bent.items()}
    gain = unknowns[layout.index("adc_gain")[points.macro, points.col]]
    white, u_white = white_current(points, gain)
    return ReadFit(layout, points, unknowns, covariance, white, u_white, found)


def _fitted(chain: ReadChain, noise: float) -> tuple[FloatArray, FloatArray, Fit]:
    """Return unknowns, covariance and fit; the noise of the cells is found near the solution."""
    unknowns = np.zeros(chain.layout.size + chain.layout.extra)
    for _ in range(_PASSES):
        problem = chain.problem(unknowns, noise)
        usable = chain.points.restful[problem.cell]
        unknowns = solve(problem.take(usable), _start(problem.sizes)).unknowns
    problem = chain.problem(unknowns, noise)
    found = fit(problem, _start(problem.sizes), usable)
    last = found.solution
    for _ in range(_PASSES):
        last = solve(chain.problem(last.unknowns, noise).take(found.kept), found.sizes)
    return last.unknowns, last.covariance, Fit(last, found.sizes, found.kept, found.left_out)


def _start(sizes: int) -> FloatArray:
    fast, rest, slow = START
    return np.array([fast, rest, slow] if sizes == 3 else [1.0, 1.0])
