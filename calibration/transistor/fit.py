"""Fit the transistors of a chip to readings at several gate voltages, cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.transistor.model import GateData, readout_slopes, whitened
from rramlab.corrections.record import Record

FloatArray = NDArray[np.float64]

START = 170e-6, 0.7
"""Transistor (A/V^2, V) to begin with: 3.3 V device of 180 nm, as a textbook has it."""
PASSES = 15
_LONGEST = np.array([0.3, 0.1])
"""Longest step of ln(beta) and of vt (V)."""
_FAR = 4.0
"""Standard deviations of chi squared, as its quartiles tell them, beyond which a cell is left out."""


@final
@dataclass(frozen=True, eq=False)
class Channel:
    """Hold the transistor found, beta (A/V^2) and vt (V), their covariance, and how well the cells fit it."""

    beta: float
    vt: float
    covariance: FloatArray
    data: Sequence[GateData]
    left_out: int
    chi2: float
    freedom: int


def fit(macros: Sequence[GateData], readout: Record) -> Channel:
    """Return the transistor that explains the readings of most cells of all macros."""
    at, kept = solved(macros, START), list(macros)
    for _ in range(3):
        chi2 = [np.sum(whitened(data, *at)[0] ** 2, axis=1) for data in macros]
        kept = [data.take(good) for data, good in zip(macros, ordinary(chi2), strict=True)]
        at = solved(kept, at)
    normal, scatter, carried, chi2_all = sums(kept, at, readout)
    inverse = np.linalg.inv(normal)
    cells, points = sum(len(data.row) for data in kept), macros[0].gate.size
    few = cells / max(cells - 2.0, 1.0)
    by = inverse @ carried
    covariance = few * inverse @ scatter @ inverse + by @ readout.covariance @ by.T
    left_out = sum(len(data.row) for data in macros) - cells
    return Channel(*at, covariance, kept, left_out, chi2_all, cells * (points - 2) - 2)


def solved(macros: Sequence[GateData], start: tuple[float, float]) -> tuple[float, float]:
    """Return beta (A/V^2) and vt (V) by Gauss-Newton with bounded steps."""
    beta, vt = start
    for _ in range(PASSES):
        normal, right = np.zeros((2, 2)), np.zeros(2)
        for data in macros:
            left, slopes, _ = whitened(data, beta, vt)
            normal += np.einsum("cpi,cpj->ij", slopes, slopes)
            right += np.einsum("cpi,cp->i", slopes, left)
        step = np.linalg.solve(normal, right)
        step /= max(1.0, float(np.max(np.abs(step) / (_LONGEST * [beta, 1.0]))))
        beta, vt = float(beta + step[0]), float(vt + step[1])
    return beta, vt


def ordinary(chi2: Sequence[FloatArray]) -> list[NDArray[np.bool_]]:
    """Return which cells are not far out in chi squared (each an array of a macro's cells)."""
    everything = np.concatenate(chi2)
    low, middle, high = np.percentile(everything, [25.0, 50.0, 75.0])
    limit = middle + _FAR * max(float(high - low), 1e-12 * middle) / 1.35 + middle
    return [values <= limit for values in chi2]


def sums(
    macros: Sequence[GateData], at: tuple[float, float], readout: Record
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Return normal matrix, scatter of the cells' forces, their slopes by the readout, and chi squared.

    The scatter between cells holds whatever they differ in: threshold, noise, and what the model lacks.
    """
    normal, scatter = np.zeros((2, 2)), np.zeros((2, 2))
    carried, chi2 = np.zeros((2, len(readout.covariance))), 0.0
    for data in macros:
        moves, places = readout_slopes(data, readout)
        left, slopes, beside = whitened(data, *at, moves)
        normal += np.einsum("cpi,cpj->ij", slopes, slopes)
        force = np.einsum("cpi,cp->ci", slopes, left)
        scatter += force.T @ force
        moved = np.einsum("cpi,cpn->cin", slopes, beside)
        np.add.at(carried, (np.arange(2)[None, :, None], places[:, None, :]), moved)
        chi2 += float(np.sum(left**2))
    return normal, scatter, carried, chi2
