"""Find the operating point of a filament in series with its access transistor.

Level-1 NMOS with body effect; the node equation is solved in closed form (a quadratic in the
transistor's voltage), the filament's nonlinearity and the body effect by a secant iteration
on the filament voltage.
"""

import math

from sim_backend.compiled import compiled
from sim_backend.constants import Constants

_PASSES = 40
_TOLERANCE = 1e-10  # V


@compiled()
def threshold(vt: float, source: float, c: Constants) -> float:
    """Return the threshold (V) with the source `source` volts above the grounded bulk."""
    return vt + c.gamma * (math.sqrt(c.phi + max(source, 0.0)) - math.sqrt(c.phi))


@compiled()
def _set_current(g: float, u: float, drive: float, c: Constants) -> float:
    # Filament at the drain. g is filament plus wires (S), u the overdrive (V).
    s = c.beta * u + g
    disc = s * s - 2.0 * c.beta * g * drive
    x = (s - math.sqrt(disc)) / c.beta if disc >= 0.0 else 2.0 * u
    if x > u:
        limit = 0.5 * c.beta * u * u
        x = (g * drive - limit + limit * c.lam * u) / (g + limit * c.lam)
    return g * (drive - x)


@compiled()
def _reset_current(g: float, u: float, drive: float, c: Constants) -> float:
    # Filament at the source: a source follower. u is the overdrive with the node at 0 V.
    s = c.beta * u + g
    if drive >= u:
        y = (s - math.sqrt(s * s - (c.beta * u) ** 2)) / c.beta
    else:
        q = u + g / c.beta
        y = q - math.sqrt(q * q - drive * (2.0 * u - drive))
    return g * y


@compiled()
def _next_voltage(
    v: float, g: float, chi: float, r: float, vt: float, drive: float, gate: float, low: float, set_like: bool,
    c: Constants,
) -> float:  # fmt: skip
    filament = g * (1.0 + chi * min(v * v, c.v_nl_squared))
    path = 1.0 / (1.0 / filament + r)
    node = 0.0 if set_like else v + filament * v * r
    u = gate - low - threshold(vt, low + node, c)
    if u <= 0.0:
        return 0.0
    i = _set_current(path, u, drive, c) if set_like else _reset_current(path, u, drive, c)
    return i / filament


@compiled()
def cell_voltage(
    g: float, chi: float, r: float, vt: float, v_bl: float, v_sl: float, v_wl: float, guess: float, c: Constants
) -> float:
    """Return the magnitude of the filament voltage (V).

    `g` is the filament's conductance (S) before nonlinearity `chi` (1/V^2), `r` all resistance in
    series (ohm), `vt` the threshold (V); `guess` starts the iteration. The lower line is the
    transistor's source side potential, so lines above ground cost overdrive and body effect.
    """
    set_like = v_bl >= v_sl
    drive, low = abs(v_bl - v_sl), min(v_bl, v_sl)
    v0 = min(guess, drive)
    f0 = _next_voltage(v0, g, chi, r, vt, drive, v_wl, low, set_like, c)
    v1 = f0
    for _ in range(_PASSES):
        if abs(v1 - v0) < _TOLERANCE:
            break
        f1 = _next_voltage(v1, g, chi, r, vt, drive, v_wl, low, set_like, c)
        slope = (f1 - f0) / (v1 - v0)
        # The map falls or rises slowly (slope < 1); where the kink at Vnl spoils the secant, halve.
        better = (f1 - slope * v1) / (1.0 - slope) if slope < 0.95 else 0.5 * (f1 + v1)
        v0, f0, v1 = v1, f1, min(max(better, 0.0), drive)
    return v1


@compiled()
def filament_current(v: float, g: float, chi: float, c: Constants) -> float:
    """Return the current (A) of a filament `g` (S) at the voltage magnitude `v` (V)."""
    return g * v * (1.0 + chi * min(v * v, c.v_nl_squared))
