"""Turn what a table is written in into SI units, told by the role of a column."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError, did_you_mean
from rramlab.quantity import PREFIXES

FloatArray = NDArray[np.float64]

UNIT_OF = {
    "cell": "1",
    "row": "1",
    "col": "1",
    "order": "1",
    "part": "1",
    "curve": "1",
    "polarity": "1",
    "width": "s",
    "time": "s",
    "at": "s",
    "delay": "s",
    "drive": "V",
    "gate": "V",
    "v_bl": "V",
    "v_sl": "V",
    "v_wl": "V",
    "voltage": "V",
    "current": "A",
    "before": "S",
    "after": "S",
    "conductance": "S",
    "programmed": "S",
    "floor": "S",
    "series": "ohm",
}
"""Roles that a column can have, with their unit."""

_TIMES = {"min": 60.0, "h": 3600.0, "d": 86400.0}
_RESISTANCE = ("ohm", "Ohm", "\N{GREEK CAPITAL LETTER OMEGA}", "\N{OHM SIGN}")


@final
class Unit:
    """Convert from a written unit to that of a role: a factor, and the reciprocal for ohm to siemens."""

    def __init__(self, text: str, role: str) -> None:
        self.factor, self.inverse = _conversion(text, UNIT_OF[role], role)

    def apply(self, values: FloatArray) -> FloatArray:
        """Return the values in SI units; no resistance is no conductance: 0 ohm and less become NaN."""
        if not self.inverse:
            return values * self.factor
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0.0, 1.0 / (values * self.factor), np.nan)


def known_unit(text: str) -> bool:
    """Return whether a word is a unit of any role."""
    return any(_factor(text, unit) is not None for unit in ("s", "V", "A", "S", *_RESISTANCE))


def role_named(name: str) -> str:
    """Return the name of a role; refuse an unknown one."""
    if name not in UNIT_OF:
        raise InputError(f"no column is called '{name}'; {did_you_mean(name, list(UNIT_OF))}")
    return name


def _conversion(text: str, wanted: str, role: str) -> tuple[float, bool]:
    if not text:
        return 1.0, False
    factor = _factor(text, wanted)
    if factor is not None:
        return factor, False
    if wanted == "S":
        for name in _RESISTANCE:
            if (factor := _factor(text, name)) is not None:
                return factor, True
    instead = f"write for example 'u{wanted}'" + (" or 'kohm'" if wanted == "S" else "")
    raise InputError(f"'{text}' is no unit of '{role}' ({wanted}); {instead}, or nothing for SI units")


def _factor(text: str, unit: str) -> float | None:
    if unit == "s" and text in _TIMES:
        return _TIMES[text]
    head = text.removesuffix(unit)
    return PREFIXES.get(head) if text.endswith(unit) else None
