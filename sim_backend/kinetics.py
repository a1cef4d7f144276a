"""Switch a cell: field-accelerated SET and RESET, forming, and what a pulse leaves behind."""

import math

import numba
import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import GOOD, STUCK_LRS, Cells, FloatArray, HalfArray
from sim_backend.compiled import compiled
from sim_backend.conduction import nonlinearity, thermal_factor
from sim_backend.constants import Constants
from sim_backend.relaxation import redraw, settle
from sim_backend.transistor import cell_voltage, filament_current

NORMALS = 3
"""Normal numbers per pulse besides those of the relaxation bank."""

_STEPS = 400
_STILL = 1e-15  # S; 1e-9 uS
_LEAST = 1e-300


@compiled()
def switching_rate(g: float, v: float, set_like: bool, factor: float, ceil: float, c: Constants) -> float:
    """Return |dG/dt| (S/s) at filament voltage `v` (V): A exp(Va/Vx - Va/V) times the soft bound."""
    if v <= 0.0:
        return 0.0
    if set_like:
        vx = (c.set_v0 + c.set_slope * g / c.g_ref) * factor
        bound = 1.0 - g / ceil
    else:
        vx = max(c.reset_v_min, (c.reset_v0 + c.reset_slope * math.log(c.g_ref / g)) * factor)
        bound = (g - c.g_floor) / c.g_ref
    return max(bound, 0.0) * c.rate * math.exp(c.v_activation / vx - c.v_activation / v)


@compiled()
def bias_cell(
    cells: Cells, i: int, g: float, v_bl: float, v_sl: float, v_wl: float, ohm: float, guess: float, c: Constants
) -> float:  # fmt: skip
    """Return the filament voltage magnitude (V) of cell `i` if its conductance were `g` (S)."""
    chi = nonlinearity(g, cells.chi_factor[i], c)
    r = cells.series[i] + ohm
    return cell_voltage(g * thermal_factor(g, c), chi, r, cells.vt[i], v_bl, v_sl, v_wl, guess, c)


@compiled()
def _land(
    cells: Cells, i: int, v_bl: float, v_sl: float, v_wl: float, width: float, ohm: float, factor: float, c: Constants
) -> float:  # fmt: skip
    # The law is integrated as time over conductance, t = int dG/rate(G), with ln(rate) taken as
    # linear in G within a step. That has no stability limit, although the rate spans 20 decades.
    set_like = v_bl >= v_sl
    sign = 1.0 if set_like else -1.0
    ceil = c.g_ceil * cells.ceil_factor[i]
    g = max(cells.conductance[i], c.g_fresh)
    v = bias_cell(cells, i, g, v_bl, v_sl, v_wl, ohm, abs(v_bl - v_sl), c)
    r0 = switching_rate(g, v, set_like, factor, ceil, c)
    left = width
    for _ in range(_STEPS):
        if r0 * left < _STILL:
            break
        room = ceil - g if set_like else g - c.g_floor
        step = min(0.06 * g + 0.2e-6, 0.5 * room)
        v = bias_cell(cells, i, g + sign * step, v_bl, v_sl, v_wl, ohm, v, c)
        r1 = max(switching_rate(g + sign * step, v, set_like, factor, ceil, c), _LEAST)
        ratio = math.log(r0 / r1)
        if abs(ratio) < 1e-6:
            ratio = 1e-6
        spent = step * (1.0 / r1 - 1.0 / r0) / ratio
        if spent >= left:
            g += sign * step / ratio * math.log1p(r0 * left * ratio / step)
            break
        g += sign * step
        left -= spent
        r0 = r1
    return g


@compiled()
def _break_down(cells: Cells, i: int, v_bl: float, v_sl: float, v_wl: float, width: float, ohm: float, c: Constants) -> float:
    # A fresh cell breaks down once V > VF - 0.12 V log10(t/1 us), so the time of it follows from V.
    if v_bl <= v_sl or cells.status[i] != GOOD:
        return width
    v = bias_cell(cells, i, cells.conductance[i], v_bl, v_sl, v_wl, ohm, v_bl - v_sl, c)
    decades = (cells.v_form[i] - v) / c.form_per_decade
    when = c.form_reference * 10.0 ** min(decades, 300.0)
    if when < width:
        cells.fresh[i] = 0
        cells.conductance[i] = c.g_formed
    return min(when, width)


@compiled()
def _wear(cells: Cells, i: int, c: Constants) -> float:
    if cells.cycles[i] <= c.wear_after:
        return 1.0
    return 1.0 + c.wear_per_decade * math.log10(cells.cycles[i] / c.wear_after)


@compiled()
def _pulse_cell(
    cells: Cells, i: int, v_bl: float, v_sl: float, v_wl: float, width: float, start: float, ohm: float,
    normals: HalfArray, uniform: float, c: Constants,
) -> None:  # fmt: skip
    settle(cells, i, start, c)
    before = cells.conductance[i]
    left = width
    if cells.fresh[i] == 1:
        left -= _break_down(cells, i, v_bl, v_sl, v_wl, width, ohm, c)
    if cells.fresh[i] == 1 or cells.status[i] != GOOD or v_bl == v_sl:
        return
    set_like = v_bl > v_sl
    if set_like:
        factor = cells.set_factor[i] * math.exp(c.set_cycle * normals[0])
    else:
        factor = cells.reset_factor[i] * math.exp(c.reset_cycle * normals[0])
    origin = cells.conductance[i]
    landed = _land(cells, i, v_bl, v_sl, v_wl, left, ohm, factor * _wear(cells, i, c), c)
    if landed == origin and origin == before:
        return
    landed = origin + (landed - origin) * math.exp(c.increment_cycle * normals[1])
    landed = min(max(landed, min(origin, c.g_floor)), max(origin, c.g_ceil * cells.ceil_factor[i]))
    _leave(cells, i, before, landed, start + width, normals, c)
    if set_like and uniform < c.stuck_probability:
        _overdrive(cells, i, v_bl, v_sl, v_wl, ohm, c)


@compiled()
def _leave(cells: Cells, i: int, before: float, landed: float, end: float, normals: HalfArray, c: Constants) -> None:
    change = landed - before
    cells.conductance[i] = landed
    settle(cells, i, end, c)  # what is left of the old bank ages through the pulse as well
    weight = math.sqrt(min(1.0, abs(change) / c.redraw_full))
    redraw(cells, i, weight, normals[NORMALS:], c)
    # Half a cycle per full swing: many small correction pulses age a cell as one large one does.
    cells.cycles[i] += 0.5 * min(abs(change) / c.wear_swing, 1.0)


@compiled()
def _overdrive(cells: Cells, i: int, v_bl: float, v_sl: float, v_wl: float, ohm: float, c: Constants) -> None:
    g = cells.conductance[i]
    v = bias_cell(cells, i, g, v_bl, v_sl, v_wl, ohm, v_bl - v_sl, c)
    if filament_current(v, g, nonlinearity(g, cells.chi_factor[i], c), c) > c.stuck_current:
        cells.status[i] = STUCK_LRS
        for k in range(cells.bank.shape[1]):
            cells.bank[i, k] = 0.0


@compiled(parallel=True)
def pulse_block(
    cells: Cells, index: NDArray[np.int64], v_bl: FloatArray, v_sl: FloatArray, v_wl: FloatArray, width: FloatArray,
    start: FloatArray, ohm: FloatArray, normals: HalfArray, uniform: HalfArray, c: Constants,
) -> None:  # fmt: skip
    """Apply one rectangular pulse to each listed cell (each listed once)."""
    for j in numba.prange(len(index)):
        _pulse_cell(
            cells, index[j], v_bl[j], v_sl[j], v_wl[j], width[j], start[j], ohm[j], normals[j], uniform[j], c
        )


@compiled()
def any_twice(index: NDArray[np.int64], seen: NDArray[np.uint8]) -> bool:
    """Return whether an index is listed twice; `seen` is a scratch array of zeros, left so."""
    twice = False
    for i in index:
        twice = twice or seen[i] == 1
        seen[i] = 1
    for i in index:
        seen[i] = 0
    return twice
