"""Tell values of a record as a person reads them: one number, or the range of many, with uncertainty."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramlab.corrections.record import Record

FloatArray = NDArray[np.float64]

_PREFIXES = ((1e-15, "f"), (1e-12, "p"), (1e-9, "n"), (1e-6, "u"), (1e-3, "m"), (1.0, ""), (1e3, "k"))
_ABSOLUTE = 0.5
"""Pure numbers about one are told as they are, small ones in percent."""


def told(record: Record, name: str, prose: bool = False) -> str:
    """Return a value with its standard uncertainty, such as "-4.1 ... +3.8, ±0.11 %" of an array.

    In prose that is "-4.1 to +3.8 % (known to ±0.11 %)".
    """
    value, uncertain = record[name], record.uncertainty(name)
    if value.size == 0:
        return "none"
    factor, unit = scale_of(value, uncertain, record.units[name])
    u = float(np.median(uncertain)) / factor
    digits, space = _digits(u), f" {unit}".rstrip()
    sure = f"{u:.{digits}f}"
    if value.size == 1:
        return f"{float(value.ravel()[0]) / factor:.{digits}f} ± {sure}{space}"
    low, high = float(value.min()) / factor, float(value.max()) / factor
    sign = "+" if low < 0 else ""
    ends = [f"{end:{sign}.{digits}f}" for end in (low, high)]
    return (
        f"{' to '.join(ends)}{space} (known to ±{sure}{space})"
        if prose
        else f"{' ... '.join(ends)}, ±{sure}{space}"
    )


def scale_of(value: FloatArray, uncertain: FloatArray, unit: str) -> tuple[float, str]:
    """Return the factor (in SI) and the unit in which values are told."""
    size = max(float(np.abs(value).max()), float(np.median(uncertain)))
    if unit == "1":
        return (1.0, "") if float(np.abs(np.median(value))) > _ABSOLUTE else (0.01, "%")
    if unit[0] not in "VASJF" and not unit.startswith("ohm"):
        return 1.0, unit
    factor, prefix = max((step for step in _PREFIXES if step[0] <= size), default=(1.0, ""))
    return factor, f"{prefix}{unit}"


def facts_of(record: Record) -> dict[str, Any]:
    """Return the values of a record as plain numbers (SI): all of them, with their uncertainties."""
    return {
        name: {
            "unit": record.units[name],
            "value": record[name].tolist(),
            "uncertainty": record.uncertainty(name).tolist(),
            "told": told(record, name),
        }
        for name in record.values
    }


def _digits(uncertain: float) -> int:
    """Return the decimals that show an uncertainty with two digits."""
    if not uncertain > 0:
        return 4
    return int(np.clip(1 - np.floor(np.log10(uncertain)), 0, 9))
