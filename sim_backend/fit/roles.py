"""Derive the columns that a fit needs from those that tables of runs have."""

import numpy as np

from sim_backend.fit.table import Table

RESET = 1
"""Polarity of a RESET pulse in the tables of a run; SET is 0, FORM 2."""


def with_cells(table: Table) -> Table:
    """Return the table with a column 'cell', from 'row' and 'col' where it has those."""
    have = table.columns
    if "cell" in have or not {"row", "col"} <= set(have):
        return table
    cell = have["row"] * (np.nanmax(have["col"]) + 1) + have["col"]
    return Table(table.name, dict(have) | {"cell": cell})


def with_lines(table: Table) -> Table:
    """Return the table with line voltages 'v_bl', 'v_sl', 'v_wl' (V), from 'polarity', 'drive', 'gate'."""
    have = table.columns
    if not {"polarity", "drive", "gate"} <= set(have):
        return table
    reset = have["polarity"] == RESET
    lines = {
        "v_bl": np.where(reset, 0.0, have["drive"]),
        "v_sl": np.where(reset, have["drive"], 0.0),
        "v_wl": have["gate"],
    }
    return Table(table.name, dict(have) | lines)
