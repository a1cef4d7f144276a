"""Fluctuate: a bank of Ornstein-Uhlenbeck processes, one per decade of time (1/f noise)."""

import math
from typing import NamedTuple

import numpy as np

from sim_backend.cells import Cells, FloatArray, HalfArray
from sim_backend.compiled import compiled
from sim_backend.constants import Constants
from sim_backend.relaxation import slower_by_ten


class Averaging(NamedTuple):
    """Hold what a read's duration T does to each process; a = T/tau_k.

    `phi` = (1-e^-a)/a is the mean of e^(-t/tau), `psi` = 2(a-1+e^-a)/a^2 the variance of the mean
    of a unit Ornstein-Uhlenbeck process, `decay` = e^-a.
    """

    relax_phi: FloatArray
    phi: FloatArray
    psi: FloatArray
    decay: FloatArray
    duration: float


def averaging(duration: float, relax_tau: FloatArray, noise_tau: FloatArray) -> Averaging:
    """Return the averaging factors of a read of `duration` (s) for both banks' time constants (s)."""
    a = duration / noise_tau
    return Averaging(_phi(duration / relax_tau), _phi(a), _psi(a), np.exp(-a), duration)


def _phi(a: FloatArray) -> FloatArray:
    return np.asarray(-np.expm1(-a) / a)


def _psi(a: FloatArray) -> FloatArray:
    series = 1.0 - a / 3.0 + a**2 / 12.0 - a**3 / 60.0
    return np.where(a < 1e-2, series, 2.0 * (a + np.expm1(-a)) / a**2)


@compiled(inline=True)
def bank_mean(cells: Cells, i: int, start: float, draws: HalfArray, w: Averaging, c: Constants) -> float:
    """Return the sum of the bank's processes (each of variance 1), averaged over a read.

    Given the value at the last read, the mean over this read and the value at its end are a Gaussian
    pair: two normal numbers of `draws` per process make both, exactly, however long the gap.
    """
    kinds = cells.noise.shape[1]
    q = -math.expm1(-max(start - cells.noise_at[i], 0.0) / c.noise_tau_slow)
    total = 0.0
    for k in range(kinds - 1, -1, -1):
        keep = 1.0 - q
        end_keep = keep * w.decay[k]
        variance_end = max(1.0 - end_keep * end_keep, 0.0)
        variance_mean = max(w.psi[k] - (keep * w.phi[k]) ** 2, 0.0)
        covariance = w.phi[k] * (1.0 - keep * end_keep)
        sd = math.sqrt(variance_mean)
        slope = covariance / sd if sd > 0.0 else 0.0
        rest = math.sqrt(max(variance_end - slope * slope, 0.0))
        old = cells.noise[i, k]
        total += keep * w.phi[k] * old + sd * draws[2 * k]
        cells.noise[i, k] = end_keep * old + slope * draws[2 * k] + rest * draws[2 * k + 1]
        q = slower_by_ten(q)
    cells.noise_at[i] = max(start, cells.noise_at[i]) + w.duration
    return total
