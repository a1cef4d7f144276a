"""Find the operating point of a filament in series with its access transistor.

Level-1 NMOS with body effect; the node equation is solved in closed form (a quadratic in the
transistor's voltage), the filament's nonlinearity and the body effect by a secant iteration
on the filament voltage. A driver of the SL that is weak stands at the drain for RESET alone.
"""

import math

from sim_backend.compiled import compiled
from sim_backend.constants import Constants
from sim_backend.lines import Lines

_PASSES = 40


@compiled(inline=True)
def threshold(vt: float, source: float, c: Constants) -> float:
    """Return the threshold (V) with the source `source` volts above the grounded bulk."""
    return vt + c.gamma * (math.sqrt(c.phi + max(source, 0.0)) - math.sqrt(c.phi))


@compiled(inline=True)
def _set_voltage(v: float, g: float, chi: float, r: float, u: float, drive: float, c: Constants) -> float:
    # Filament at the drain: the filament voltage that follows from its conductance at v.
    filament = g * (1.0 + chi * min(v * v, c.v_nl_squared))
    share = 1.0 / (1.0 + filament * r)
    path = filament * share
    s = c.beta * u + path
    disc = s * s - 2.0 * c.beta * path * drive
    x = (s - math.sqrt(disc)) / c.beta if disc >= 0.0 else 2.0 * u
    if x > u:
        limit = 0.5 * c.beta * u * u
        x = (path * drive - limit + limit * c.lam * u) / (path + limit * c.lam)
    return (drive - x) * share


@compiled(inline=True)
def _reset_voltage(
    v: float, g: float, chi: float, r: float, vt: float, drive: float, gate: float, low: float, c: Constants
) -> float:
    # Filament at the source: a source follower, whose node stands y above the low line.
    filament = g * (1.0 + chi * min(v * v, c.v_nl_squared))
    share = 1.0 / (1.0 + filament * r)
    u = gate - low - threshold(vt, low + v / share, c)
    if u <= 0.0:
        return 0.0
    ratio = filament * share / c.beta
    q = u + ratio
    if c.sl_ohm > 0.0:
        return _behind_driver(u, ratio, 1.0 + filament * share * c.sl_ohm, drive) * share
    inside = ratio * (ratio + 2.0 * u) if drive >= u else q * q - drive * (2.0 * u - drive)
    return (q - math.sqrt(inside)) * share


@compiled(inline=True)
def _behind_driver(u: float, ratio: float, k: float, drive: float) -> float:
    # The source stands y, the drain (k - 1) y below the drive. The gate sets y; beyond it, the driver does.
    y = u + ratio - math.sqrt(ratio * (ratio + 2.0 * u))
    if drive - (k - 1.0) * y >= u:
        return y
    # Triode: a y^2 - b y + rest = 0, of which the root that grows with the drive.
    a, b = k * (1.0 - 0.5 * k), u * k + drive * (1.0 - k) + ratio
    rest = drive * (u - 0.5 * drive)
    root = math.sqrt(max(b * b - 4.0 * a * rest, 0.0))
    return 2.0 * rest / (b + root) if b > 0.0 else 0.5 * (b - root) / a


@compiled(inline=True)
def _next_voltage(
    v: float,
    g: float,
    chi: float,
    r: float,
    vt: float,
    drive: float,
    gate: float,
    low: float,
    set_like: bool,
    c: Constants,
) -> float:
    # For SET `gate` is the overdrive already: it does not change from pass to pass.
    if set_like:
        return _set_voltage(v, g, chi, r, gate, drive, c)
    return _reset_voltage(v, g, chi, r, vt, drive, gate, low, c)


@compiled(inline=True)
def cell_voltage(
    g: float, chi: float, r: float, vt: float, lines: Lines, guess: float, tolerance: float, c: Constants
) -> float:
    """Return the magnitude of the filament voltage (V).

    `g` is the filament's conductance (S) before nonlinearity `chi` (1/V^2), `r` all resistance in
    series (ohm), `vt` the threshold (V); `guess` starts the iteration, which ends when the
    error is below `tolerance` (V). A low line above ground costs overdrive and body effect.
    """
    set_like = lines.v_bl >= lines.v_sl
    drive, low = abs(lines.v_bl - lines.v_sl), min(lines.v_bl, lines.v_sl)
    gate = lines.v_wl
    if set_like:
        gate = lines.v_wl - low - threshold(vt, low, c)
        if gate <= 0.0:
            return 0.0
    v0 = min(guess, drive)
    f0 = _next_voltage(v0, g, chi, r, vt, drive, gate, low, set_like, c)
    if set_like and min(v0 * v0, f0 * f0) >= c.v_nl_squared:
        return f0  # beyond Vnl the SET map is constant: the closed form is the answer
    v1 = f0
    for _ in range(_PASSES):
        if abs(v1 - v0) < tolerance:
            break
        f1 = _next_voltage(v1, g, chi, r, vt, drive, gate, low, set_like, c)
        slope = (f1 - f0) / (v1 - v0)
        # Where the kink at Vnl spoils the secant, go half way instead.
        smooth = slope < 0.9
        better = (f1 - slope * v1) / (1.0 - slope) if smooth else 0.5 * (f1 + v1)
        # A secant step leaves an error of about the product of the last two changes (V).
        done = smooth and abs(better - v1) * abs(v1 - v0) < tolerance
        v0, f0, v1 = v1, f1, min(max(better, 0.0), drive)
        if done:
            break
    return v1


@compiled(inline=True)
def filament_current(v: float, g: float, chi: float, c: Constants) -> float:
    """Return the current (A) of a filament `g` (S) at the voltage magnitude `v` (V)."""
    return g * v * (1.0 + chi * min(v * v, c.v_nl_squared))
