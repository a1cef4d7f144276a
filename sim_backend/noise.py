"""Read a cell with its noise: a bank of Ornstein-Uhlenbeck processes, one per decade, telegraph and white."""

import math
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import Cells, FloatArray, HalfArray
from sim_backend.compiled import compiled
from sim_backend.constants import Constants
from sim_backend.kinetics import bias_cell
from sim_backend.conduction import nonlinearity, thermal_factor
from sim_backend.relaxation import slower_by_ten, visible, visible_mean
from sim_backend.transistor import filament_current

TELEGRAPH_DRAWS = 6
"""Uniform numbers per telegraph cell and read: dwell times that are drawn one by one."""


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


@compiled()
def _bank_mean(cells: Cells, i: int, start: float, draws: HalfArray, w: Averaging, c: Constants) -> float:
    # (mean over the read, value at its end) given the last value is a Gaussian pair: exact.
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


@compiled()
def composite(
    cells: Cells, i: int, g: float, v_bl: float, v_sl: float, v_wl: float, ohm: float, c: Constants
) -> float:  # fmt: skip
    """Return the current (A, positive from BL to SL) of the path with filament conductance `g` (S)."""
    v = bias_cell(cells, i, g, v_bl, v_sl, v_wl, ohm, abs(v_bl - v_sl), c)
    i_cell = filament_current(v, g * thermal_factor(g, c), nonlinearity(g, cells.chi_factor[i], c), c)
    return i_cell if v_bl >= v_sl else -i_cell


@compiled(parallel=True)
def read_block(
    cells: Cells, index: NDArray[np.int64], v_read: FloatArray, v_wl: FloatArray, start: FloatArray, ohm: FloatArray,
    telegraph: HalfArray, draws: HalfArray, white: float, w: Averaging, c: Constants, out: FloatArray,
) -> None:  # fmt: skip
    """Write the current (A) of each listed cell, averaged over the read, into `out`."""
    for j in numba.prange(len(index)):
        i = index[j]
        g = visible_mean(cells, i, start[j], w.relax_phi, c)
        sigma = c.noise_relative * math.sqrt(c.noise_reference * g)
        wobble = 1.0 + telegraph[j] * math.sqrt(c.noise_reference / g)
        noisy = max(g * wobble + sigma * _bank_mean(cells, i, start[j], draws[j], w, c), 0.0)
        current = composite(cells, i, max(noisy, 1e-9), v_read[j], 0.0, v_wl[j], ohm[j], c)
        out[j] = current + white * draws[j, -1]


@compiled(parallel=True)
def current_block(
    cells: Cells, index: NDArray[np.int64], v_bl: FloatArray, v_sl: FloatArray, v_wl: FloatArray, at: FloatArray,
    ohm: FloatArray, c: Constants, out: FloatArray,
) -> None:  # fmt: skip
    """Write the noise-free current (A) of each listed cell at time `at` (s) into `out`."""
    for j in numba.prange(len(index)):
        g = visible(cells, index[j], at[j], c)
        out[j] = composite(cells, index[j], g, v_bl[j], v_sl[j], v_wl[j], ohm[j], c)


@compiled()
def telegraph_mean(state: int, rate: float, duration: float, draws: HalfArray, normal: float) -> tuple[float, int]:
    """Return the mean of a +-1 telegraph over `duration` (s) and its state at the end.

    `rate` is the switching rate (1/s) out of either state. Dwell times are drawn one by one; after
    the last of them the rest of the window is Gaussian with the exact variance.
    """
    left, total, sign = duration, 0.0, state
    for k in range(len(draws) - 1):
        dwell = -math.log(1.0 - draws[k]) / rate
        if dwell >= left:
            return (total + sign * left) / duration, sign
        total += sign * dwell
        left -= dwell
        sign = -sign
    a = 2.0 * rate * left
    phi = -math.expm1(-a) / a
    variance = 2.0 * (a + math.expm1(-a)) / (a * a) - phi * phi
    rest = sign * phi + math.sqrt(max(variance, 0.0)) * normal
    total += left * min(max(rest, -1.0), 1.0)
    end = sign if draws[-1] < 0.5 * (1.0 + math.exp(-a)) else -sign
    return total / duration, end


@compiled()
def telegraph_block(
    cells: Cells, index: NDArray[np.int64], where: NDArray[np.int64], start: FloatArray, duration: float,
    draws: HalfArray, normals: HalfArray, out: HalfArray,
) -> None:  # fmt: skip
    """Write half the relative step times the mean telegraph state of the listed cells into `out`."""
    for j in range(len(where)):
        i = index[where[j]]
        rate = 0.5 / cells.telegraph_tau[i]
        gap = max(start[where[j]] - cells.noise_at[i], 0.0)
        flip = 0.5 * (1.0 - math.exp(-2.0 * rate * gap))
        state = -cells.telegraph_state[i] if draws[j, 0] < flip else cells.telegraph_state[i]
        mean, end = telegraph_mean(state, rate, duration, draws[j, 1:], normals[j])
        cells.telegraph_state[i] = end
        out[where[j]] = 0.5 * cells.telegraph[i] * mean
