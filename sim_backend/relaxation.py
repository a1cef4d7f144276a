"""Relax the filament after a pulse: a bank of exponentials, one per decade of time.

What is visible t seconds after the pulse is G + sum_k R_k (1 - exp(-t/tau_k)): it is continuous
at the pulse, and its variance grows in proportion to log10(t), as measured in HfOx and TaOx
arrays (public Relaxation-Master-Model data; Falcone 2025, arXiv 2502.04524).
"""

import math

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import Cells, FloatArray, HalfArray
from sim_backend.compiled import compiled
from sim_backend.conduction import interpolate
from sim_backend.constants import Constants

G_LEAST = 0.05e-6
"""Least conductance (S) that is ever visible: a broken filament still leaks."""


@compiled(inline=True)
def slower_by_ten(q: float) -> float:
    """Return 1 - (1-q)^10, exact to rounding also for the tiniest q."""
    q2 = q * (2.0 - q)
    q4 = q2 * (2.0 - q2)
    q8 = q4 * (2.0 - q4)
    return q8 + q2 - q8 * q2


@compiled(inline=True)
def visible(cells: Cells, i: int, at: float, c: Constants) -> float:
    """Return the filament conductance (S) of cell `i` at time `at` (s)."""
    elapsed = max(at - cells.anchor[i], 0.0)
    q = -math.expm1(-elapsed / c.relax_tau_slow)
    moved, total = 0.0, 0.0
    for k in range(cells.bank.shape[1] - 1, -1, -1):
        moved += cells.bank[i, k] * q
        total += cells.bank[i, k]
        q = slower_by_ten(q)
    return max(_with_loss(cells.conductance[i], moved, total, elapsed, c), G_LEAST)


@compiled(inline=True)
def visible_mean(cells: Cells, i: int, at: float, phi: FloatArray, c: Constants) -> float:
    """Return the filament conductance (S) averaged over a read that begins at `at` (s).

    `phi` holds (1 - exp(-T/tau_k)) / (T/tau_k) for the read's duration T.
    """
    elapsed = max(at - cells.anchor[i], 0.0)
    q = -math.expm1(-elapsed / c.relax_tau_slow)
    moved, total = 0.0, 0.0
    for k in range(cells.bank.shape[1] - 1, -1, -1):
        moved += cells.bank[i, k] * (1.0 - (1.0 - q) * phi[k])
        total += cells.bank[i, k]
        q = slower_by_ten(q)
    return max(_with_loss(cells.conductance[i], moved, total, elapsed, c), G_LEAST)


@compiled(inline=True)
def _with_loss(g: float, moved: float, total: float, elapsed: float, c: Constants) -> float:
    # Thermal loss acts on the settled conductance g + sum(R), so that two steps equal one.
    return g + moved + (g + total) * math.expm1(-elapsed * c.loss_rate)


@compiled()
def settle(cells: Cells, i: int, at: float, c: Constants) -> None:
    """Move the anchor of cell `i` forward to `at` (s); an earlier time is taken as the anchor."""
    elapsed = max(at - cells.anchor[i], 0.0)
    if elapsed == 0.0:
        return
    q = -math.expm1(-elapsed / c.relax_tau_slow)
    moved, total = 0.0, 0.0
    for k in range(cells.bank.shape[1] - 1, -1, -1):
        r = cells.bank[i, k]
        moved += r * q
        total += r
        cells.bank[i, k] = r * (1.0 - q)
        q = slower_by_ten(q)
    cells.conductance[i] = _with_loss(cells.conductance[i], moved, total, elapsed, c)
    cells.anchor[i] += elapsed


@compiled()
def redraw(cells: Cells, i: int, weight: float, end: float, normals: HalfArray, c: Constants) -> None:
    """Re-draw the share `weight` (0 to 1, of the standard deviation) of the bank of cell `i`.

    What is kept of the old bank ages on to the pulse's `end` (s). The mean of each decade goes
    over to the drift in step with the part that is given up.
    """
    keep = math.sqrt(1.0 - weight * weight)
    for k in range(cells.bank.shape[1]):
        cells.bank[i, k] *= keep
    settle(cells, i, end, c)
    g = cells.conductance[i]
    mean = (1.0 - keep) * drift(g, c)
    if c.curve_g[-1] > 0.0:
        _add_jumps(cells, i, g, mean, weight * cells.spread[i], normals, c)
        return
    sigma = weight * amplitude(g, c) * cells.spread[i]
    for k in range(cells.bank.shape[1]):
        cells.bank[i, k] += mean + sigma * normals[k]


@compiled()
def _add_jumps(
    cells: Cells, i: int, g: float, mean: float, scale: float, normals: HalfArray, c: Constants
) -> None:
    """Add to each decade a normal core and, beyond thresholds, jumps of nearly exponential size.

    A normal number z beyond z0 exceeds it by (z^2 - z0^2)/2, which is distributed almost as exp(-x).
    """
    core = interpolate(g, c.curve_g, c.curve_core)
    loss = g * interpolate(g, c.curve_g, c.curve_loss)
    low, high = interpolate(g, c.curve_g, c.curve_down), interpolate(g, c.curve_g, c.curve_up)
    for k in range(cells.bank.shape[1]):
        z = normals[k]
        moved = core * z
        if z < -low:
            moved -= 0.5 * loss * (z * z - low * low)
        elif z > high:
            moved += 0.5 * c.jump_up * (z * z - high * high)
        cells.bank[i, k] += mean + scale * moved


@compiled()
def amplitude(g: float, c: Constants) -> float:
    """Return the standard deviation (S) per decade of time at conductance `g` (S)."""
    if g > c.quiet_above:
        return math.sqrt(c.quiet_variance)
    x = max(g, 0.0) / c.relax_peak
    return math.sqrt(c.relax_variance * min(max(2.0 * x / (1.0 + x * x), c.relax_h_min), 1.0))


@compiled()
def drift(g: float, c: Constants) -> float:
    """Return the mean change (S) per decade of time at conductance `g` (S)."""
    if g <= c.drift_g_low:
        return c.drift_low
    if g >= c.drift_g_high:
        return c.drift * g / c.drift_reference
    upper = c.drift * c.drift_g_high / c.drift_reference
    return c.drift_low + (upper - c.drift_low) * (g - c.drift_g_low) / (c.drift_g_high - c.drift_g_low)


@compiled()
def settle_block(cells: Cells, begin: int, end: int, at: float, c: Constants) -> None:
    """Move the anchor of cells `begin` to `end` forward to `at` (s)."""
    for i in range(begin, end):
        settle(cells, i, at, c)


@compiled()
def redraw_block(cells: Cells, index: NDArray[np.int64], normals: HalfArray, c: Constants) -> None:
    """Re-draw the whole bank of each listed cell."""
    for j in range(len(index)):
        redraw(cells, index[j], 1.0, cells.anchor[index[j]], normals[j], c)


@compiled()
def visible_block(cells: Cells, index: NDArray[np.int64], at: FloatArray, c: Constants) -> FloatArray:
    """Return the filament conductance (S) of each listed cell at time `at` (s)."""
    out = np.empty(len(index))
    for j in range(len(index)):
        out[j] = visible(cells, index[j], at[j], c)
    return out
