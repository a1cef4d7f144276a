"""Switch a filament: field-accelerated SET and RESET, one law for every voltage and width."""

import math

from sim_backend.cells import Cells
from sim_backend.compiled import compiled
from sim_backend.conduction import nonlinearity, thermal_factor
from sim_backend.constants import Constants
from sim_backend.lines import Lines
from sim_backend.transistor import cell_voltage

STEP = 0.15
"""Step of the integration, relative to the conductance: errors below 0.3 % in the mean of any ladder."""

LOOSE = 1e-5
"""Tolerance (V) of the operating point during a pulse."""

_STEPS = 400
_STILL = 1e-15  # S; 1e-9 uS
_LEAST = 1e-300


@compiled(inline=True)
def switching_rate(g: float, v: float, set_like: bool, factor: float, ceil: float, c: Constants) -> float:
    """Return |dG/dt| (S/s) at filament voltage `v` (V): A exp(Va/Vx - Va/V) times the soft bound."""
    if v <= 0.0:
        return 0.0
    if set_like:
        vx = set_voltage(g, c) * factor
        bound, va = 1.0 - g / ceil, c.v_activation
    else:
        vx = max(c.reset_v_min, reset_voltage(g, c) * factor)
        bound, va = (g - c.g_floor) / c.g_ref, c.reset_v_activation
    return max(bound, 0.0) * c.rate * math.exp(va / vx - va / v)


@compiled(inline=True)
def set_voltage(g: float, c: Constants) -> float:
    """Return the SET voltage Vx (V) of a filament `g` (S): it grows with G, and a broken one asks for more.

    Vx = Vs0 + Ss (G/Gref)^n + Von exp(-G/Gon). The last term makes SET abrupt: once begun it runs on.
    """
    if c.set_power == 1.0 and c.set_onset == 0.0:
        return c.set_v0 + c.set_slope * g / c.g_ref
    onset = c.set_onset * math.exp(-g / c.set_onset_g)
    return c.set_v0 + c.set_slope * math.pow(g / c.g_ref, c.set_power) + onset


@compiled(inline=True)
def reset_voltage(g: float, c: Constants) -> float:
    """Return the RESET voltage Vx (V) of a filament `g` (S): Vr0 + Sr ln(Gref/G) + Vthick (G/Gref)^m.

    The last term makes RESET abrupt, and a filament that was SET too far cannot be RESET at all.
    """
    vx = c.reset_v0 + c.reset_slope * math.log(c.g_ref / g)
    return vx if c.reset_onset == 0.0 else vx + c.reset_onset * math.pow(g / c.g_ref, c.reset_power)


@compiled(inline=True)
def filament_voltage(
    cells: Cells, i: int, g: float, lines: Lines, guess: float, tolerance: float, c: Constants
) -> float:
    """Return the voltage magnitude (V) on the filament of cell `i` if its conductance were `g` (S)."""
    chi = nonlinearity(g, cells.chi_factor[i], c)
    r = cells.series[i] + lines.ohm
    return cell_voltage(g * thermal_factor(g, c), chi, r, cells.vt[i], lines, guess, tolerance, c)


@compiled()
def land(
    cells: Cells,
    i: int,
    g: float,
    lines: Lines,
    width: float,
    factor: float,
    set_like: bool,
    part: float,
    c: Constants,
) -> float:
    """Return the conductance (S) to which `width` (s) of bias brings cell `i` from `g` (S).

    `part` of the filament's voltage is at work, upwards if `set_like`.
    The law is integrated as time over conductance, t = int dG/rate(G), with ln(rate) linear in G within
    a step. That knows no limit of stability, although the rate spans twenty decades.
    """
    sign = 1.0 if set_like else -1.0
    ceil = c.g_ceil * cells.ceil_factor[i]
    v = filament_voltage(cells, i, g, lines, abs(lines.v_bl - lines.v_sl), LOOSE, c)
    r0 = switching_rate(g, part * v, set_like, factor, ceil, c)
    left, stride, slope = width, 1.0, 0.0
    for _ in range(_STEPS):
        if r0 * left < _STILL:
            break
        room = ceil - g if set_like else g - c.g_floor
        fine = STEP * g + 0.2e-6
        step = min(stride * fine, 0.5 * room)
        ahead = g + sign * step
        v1 = filament_voltage(cells, i, ahead, lines, v + slope * step, LOOSE, c)
        r1 = max(switching_rate(ahead, part * v1, set_like, factor, ceil, c), _LEAST)
        ratio = _log_ratio(r0, r1)
        spent = step * (1.0 / r1 - 1.0 / r0) / ratio
        if spent >= left:
            rest = step / ratio * math.log1p(r0 * left * ratio / step)
            if stride == 1.0:
                return float(g + sign * rest)
            stride = max(1.0, 0.5 * rest / fine)  # too far: go half of what the coarse step foretells
            continue
        left -= spent
        slope = (v1 - v) / step
        g, r0, v = ahead, r1, v1
        # Ground that is covered in no time needs no fine steps.
        stride = min(2.0 * stride, 8.0) if spent < 0.01 * left else 1.0
    return float(g)


@compiled(inline=True)
def _log_ratio(r0: float, r1: float) -> float:
    ratio = math.log(r0 / r1)
    return ratio if abs(ratio) > 1e-6 else 1e-6
