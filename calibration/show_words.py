"""Name the values of the records in plain words."""

WORDS = {
    ("readout", "dac_gain"): "row drivers: gain",
    ("readout", "dac_offset"): "row drivers: offset",
    ("readout", "dac_inl"): "row drivers: nonlinearity",
    ("readout", "adc_gain"): "columns, one cell: gain",
    ("readout", "adc_offset"): "columns, one cell: offset",
    ("readout", "adc_inl"): "columns, one cell: nonlinearity",
    ("readout", "white_current"): "noise of a sample of 1 ms",
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
