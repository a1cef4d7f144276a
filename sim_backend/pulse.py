"""Apply a pulse to a cell: forming, switching, and what the pulse leaves behind."""

import math

import numpy as np
from numpy.typing import NDArray

from sim_backend.cells import GOOD, STUCK_LRS, Cells, HalfArray
from sim_backend.compiled import compiled
from sim_backend.conduction import nonlinearity
from sim_backend.constants import Constants
from sim_backend.kinetics import LOOSE, filament_voltage, land
from sim_backend.lines import Lines, Pulses
from sim_backend.relaxation import redraw, settle
from sim_backend.transistor import filament_current

NORMALS = 2
"""Normal numbers per pulse besides those of the relaxation bank."""


@compiled()
def pulse_block(
    cells: Cells,
    index: NDArray[np.int64],
    pulses: Pulses,
    normals: HalfArray,
    uniform: HalfArray,
    c: Constants,
) -> None:
    """Apply one rectangular pulse to each listed cell (each listed once)."""
    for j in range(len(index)):
        lines = Lines(pulses.v_bl[j], pulses.v_sl[j], pulses.v_wl[j], pulses.ohm[j])
        _pulse(cells, index[j], lines, pulses.start[j], pulses.width[j], normals[j], uniform[j], c)


@compiled()
def _pulse(
    cells: Cells,
    i: int,
    lines: Lines,
    start: float,
    width: float,
    normals: HalfArray,
    uniform: float,
    c: Constants,
) -> None:
    settle(cells, i, start, c)
    before = max(cells.conductance[i], c.g_fresh)
    left = width
    if cells.fresh[i] == 1:
        left -= _break_down(cells, i, lines, width, c)
    if cells.fresh[i] == 1 or cells.status[i] != GOOD or lines.v_bl == lines.v_sl:
        return
    origin = max(cells.conductance[i], c.g_fresh)
    factor, set_like = _factor(cells, i, lines, normals[0], c), lines.v_bl > lines.v_sl
    g = origin if set_like or c.reset_gain == 0.0 else _gain(cells, i, origin, lines, left, c)
    landed = land(cells, i, g, lines, left, factor, set_like, 1.0, c)
    if landed == origin and origin == before:
        return
    landed = origin + (landed - origin) * math.exp(c.increment_cycle * normals[1])
    landed = min(max(landed, min(origin, c.g_floor)), max(origin, c.g_ceil * cells.ceil_factor[i]))
    _leave(cells, i, before, landed, start + width, normals, c)
    if uniform < c.stuck_probability:
        _overdrive(cells, i, lines, c)


@compiled()
def _break_down(cells: Cells, i: int, lines: Lines, width: float, c: Constants) -> float:
    # A fresh cell breaks down once V > VF - 0.12 V log10(t/1 us), so the time of it follows from V.
    if lines.v_bl <= lines.v_sl or cells.status[i] != GOOD:
        return width
    v = filament_voltage(cells, i, cells.conductance[i], lines, lines.v_bl - lines.v_sl, LOOSE, c)
    when = c.form_reference * 10.0 ** min((cells.v_form[i] - v) / c.form_per_decade, 300.0)
    if when < width:
        cells.fresh[i] = 0
        cells.conductance[i] = c.g_formed
    return float(min(when, width))


@compiled()
def _gain(cells: Cells, i: int, g: float, lines: Lines, width: float, c: Constants) -> float:
    # Split in two: the gain comes early and limits itself, RESET comes late and is abrupt.
    return float(land(cells, i, g, lines, width, cells.set_factor[i], True, c.reset_gain, c))


@compiled()
def _factor(cells: Cells, i: int, lines: Lines, normal: float, c: Constants) -> float:
    wear = 1.0
    if cells.cycles[i] > c.wear_after:
        wear += c.wear_per_decade * math.log10(cells.cycles[i] / c.wear_after)
    if lines.v_bl > lines.v_sl:
        return float(cells.set_factor[i] * math.exp(c.set_cycle * normal) * wear)
    return float(cells.reset_factor[i] * math.exp(c.reset_cycle * normal) * wear)


@compiled()
def _leave(
    cells: Cells, i: int, before: float, landed: float, end: float, normals: HalfArray, c: Constants
) -> None:
    change = abs(landed - before)
    cells.conductance[i] = landed
    redraw(cells, i, math.sqrt(min(1.0, change / c.redraw_full)), end, normals[NORMALS:], c)
    # Half a cycle per full swing: many small correction pulses age a cell as one large one does.
    cells.cycles[i] += 0.5 * min(change / c.wear_swing, 1.0)


@compiled()
def _overdrive(cells: Cells, i: int, lines: Lines, c: Constants) -> None:
    # Only SET (and FORM) current welds a filament; RESET current comes with its dissolution.
    g = cells.conductance[i]
    if 2.5 * g * (lines.v_bl - lines.v_sl) < c.stuck_current:  # no nonlinearity makes up for 2.5
        return
    v = filament_voltage(cells, i, g, lines, lines.v_bl - lines.v_sl, LOOSE, c)
    if filament_current(v, g, nonlinearity(g, cells.chi_factor[i], c), c) > c.stuck_current:
        cells.status[i] = STUCK_LRS
        for k in range(cells.bank.shape[1]):
            cells.bank[i, k] = 0.0


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
