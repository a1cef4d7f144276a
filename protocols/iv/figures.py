"""Draw figures of merit out of sweeps: switching voltages, states, nonlinearity, with their spread."""

from dataclasses import dataclass, fields, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.ohmic import Ohmic
from protocols.characterise.spread import Spread
from protocols.characterise.switching import chord, current_maximum, outgoing, returning, steepest_rise
from protocols.iv.cells import Sweeps, Swept
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

RATIO = 1.5
"""Factor by which the conductance must rise (SET) or fall (RESET) in a sweep that switched."""
UNITS = {
    "v_set": "V", "v_reset": "V", "i_reset": "A", "high": "S", "low": "S", "chi_high": "1/V^2",
    "chi_low": "1/V^2", "chi_high_error": "1/V^2", "chi_low_error": "1/V^2",
    "up_voltage": "V", "up_current": "A", "down_voltage": "V", "down_current": "A",
}  # fmt: skip
"""Units of the columns of a record."""


@final
@dataclass(frozen=True, eq=False)
class Switching:
    """Hold per cell and cycle (cells, cycles), NaN where a sweep did not switch.

    `v_set` (V) where ln(I/V) rises most, `v_reset` (V) and `i_reset` (A) at the largest current; `high` and
    `low` (S), I/V on the way back from SET and RESET; chi (1/V^2) of I = G V (1 + chi V^2) with its error.
    """

    v_set: FloatArray
    v_reset: FloatArray
    i_reset: FloatArray
    high: FloatArray
    low: FloatArray
    chi_high: FloatArray
    chi_high_error: FloatArray
    chi_low: FloatArray
    chi_low_error: FloatArray

    @classmethod
    def of(cls, found: Sweeps, v_read: float, span: float) -> "Switching":
        """Return what sweeps say; states are taken at `v_read` (V), chi within +-`span` (V)."""
        shape = found.up.shape[1:3]
        table = np.full((len(fields(cls)), *shape), np.nan)
        for at in np.ndindex(*shape):
            up = _set(found.up[(slice(None), *at)], v_read, span)
            down = _reset(found.down[(slice(None), *at)], v_read, span)
            table[(slice(None), *at)] = (up[0], *down[:2], up[1], down[2], *up[2:], *down[3:])
        return cls(*table)

    def counted(self, skip: int) -> "Switching":
        """Return the cycles after the first `skip`, which begin from the state in which a cell came."""
        return replace(self, **{field.name: getattr(self, field.name)[:, skip:] for field in fields(self)})

    def spreads(self) -> dict[str, Spread]:
        """Return the spread of each quantity over cycles and cells."""
        names = ("v_set", "v_reset", "i_reset", "high", "low", "chi_high", "chi_low")
        return {name: Spread.of(getattr(self, name)) for name in names}

    def outcomes(self, found: Sweeps) -> NDArray[np.uint8]:
        """Return the `Swept` of each cell, after what most of its cycles did."""
        cycles, tried = (np.isfinite(way[0, ..., 0]).sum(axis=1) for way in (found.up, found.down))
        sets, resets = (np.isfinite(v).sum(axis=1) for v in (self.v_set, self.v_reset))
        # A cell that comes SET has nothing to SET in its first cycle.
        judged = np.where(2 * sets < cycles - 1, Swept.NO_SET, Swept.SWITCHES)
        # One that conducts whatever a RESET does has nothing to SET either: the RESET is what it lacks.
        judged = np.where(2 * resets < tried, Swept.NO_RESET, judged)
        judged = np.where(2 * tried < cycles, Swept.NO_SET, judged)
        return np.where(found.ended >= 0, found.ended, judged).astype(np.uint8)

    def columns(self, found: Sweeps) -> Columns:
        """Return all as named columns for the record."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        curves = {
            "up_voltage": found.up[0], "up_current": found.up[1],
            "down_voltage": found.down[0], "down_current": found.down[1],
        }  # fmt: skip
        return {**found.cells.columns(), "outcome": self.outcomes(found), **own, **curves}


def _set(curve: FloatArray, v_read: float, span: float) -> tuple[float, ...]:
    """Return SET voltage, high state, chi and its error of one sweep upwards."""
    voltage, current = curve
    before, after, back = _ends(voltage, current, v_read)
    chi = _chi(back, span)
    if not after > RATIO * before:
        return float("nan"), after, *chi
    good = np.isfinite(voltage)
    out = outgoing(voltage[good])
    return steepest_rise(voltage[good][out], current[good][out]), after, *chi


def _reset(curve: FloatArray, v_read: float, span: float) -> tuple[float, ...]:
    """Return RESET voltage and current, low state, chi and its error of one sweep downwards."""
    voltage, current = curve
    before, after, back = _ends(voltage, current, -v_read)
    chi = _chi(back, span)
    if not before > RATIO * after:
        return float("nan"), float("nan"), after, *chi
    good = np.isfinite(voltage)
    out = outgoing(voltage[good])
    return *current_maximum(voltage[good][out], current[good][out]), after, *chi


def _ends(
    voltage: FloatArray, current: FloatArray, at: float
) -> tuple[float, float, tuple[FloatArray, FloatArray]]:
    """Return the conductance (S) on the way out and on the way back, and the way back itself."""
    good = np.isfinite(voltage) & np.isfinite(current)
    v, i = voltage[good], current[good]
    if v.size < 3:
        return float("nan"), float("nan"), (v, i)
    out, back = outgoing(v), returning(v)
    return chord(v[out], i[out], at), chord(v[back], i[back], at), (v[back], i[back])


def _chi(back: tuple[FloatArray, FloatArray], span: float) -> tuple[float, float]:
    inside = np.abs(back[0]) <= span * (1 + 1e-9)
    fit = Ohmic.fit(back[0][inside], back[1][inside])
    return fit.chi, fit.chi_error
