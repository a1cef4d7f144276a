"""Name the values of the records in plain words."""

from typing import Any

from rramlab.corrections.record import Record
from rramlab.quantity import format_quantity

_UNITS = {
    "_V_per_s": "V/s", "_per_s": "1/s", "_ohm": "ohm", "_A": "A", "_V": "V", "_S": "S", "_s": "s",
}  # fmt: skip
"""How the unit stands at the end of the name of a number, the longest first."""

WORDS = {
    ("readout", "dac_gain"): "row drivers: gain",
    ("readout", "dac_offset"): "row drivers: offset",
    ("readout", "dac_inl"): "row drivers: nonlinearity",
    ("readout", "adc_gain"): "columns, one cell: gain",
    ("readout", "adc_offset"): "columns, one cell: offset",
    ("readout", "adc_inl"): "columns, one cell: nonlinearity",
    ("readout", "white_current"): "noise of a sample of 1 ms",
    ("zero", "adc_offset"): "columns, one cell: moved since",
    ("product", "adc_gain"): "columns, products: gain",
    ("product", "adc_offset"): "columns, products: offset",
    ("product", "adc_inl"): "columns, products: nonlinearity",
    ("product", "r_line"): "line resistance per cell",
    ("product", "r_switch"): "switches of a path",
    ("transistor", "beta"): "transistor: beta",
    ("transistor", "vt"): "transistor: threshold",
    ("transistor", "on_resistance"): "transistor: resistance at the read gate",
    ("loop", "drift_gain"): "drift multiplier: gain",
    ("loop", "drive_gain"): "drive multiplier: gain",
    ("loop", "noise_gain"): "noise channel: gain",
    ("loop", "offset"): "integrators: offset",
    ("loop", "drive_offset"): "drive multiplier: offset",
    ("loop", "leak"): "integrators: leak",
    ("loop", "drift_cut"): "drift: cut off below a code",
    ("loop", "drive_cut"): "drive: cut off below a code",
    ("strength", "factor"): "strength of the drive",
    ("reference", "conductance"): "reference cells",
    ("reference", "deviation"): "reference cells: off the nominal",
}


def words(kind: str, name: str) -> str:
    """Return what a value is; a procedure of one's own is told by the names that it gives."""
    return WORDS.get((kind, name), name.replace("_", " "))


def residuals(record: Record) -> list[tuple[str, str]]:
    """Return what a model left unexplained, in words."""
    return [_plain(name, value) for name, value in record.residuals.items()]


def conditions(record: Record) -> list[tuple[str, str]]:
    """Return under what a record was measured, in words; lists and tables are left to scripts."""
    kept = {name: value for name, value in record.conditions.items() if name != "bench"}
    return [_plain(name, value) for name, value in kept.items() if isinstance(value, int | float | str)]


def _plain(name: str, value: Any) -> tuple[str, str]:
    """Return a name without the unit at its end, and its value with it."""
    for end, unit in _UNITS.items():
        if name.endswith(end) and isinstance(value, int | float):
            number = f"{value:.3g} 1/s" if unit == "1/s" else format_quantity(float(value), unit, 3)
            return name.removesuffix(end).replace("_", " "), number
    told = f"{value:.4g}" if isinstance(value, float) else f"{value}"
    return name.replace("_", " "), told
