"""Lay out the sweeps of a run as a table of I-V curves below switching."""

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.runfile import RunFile
from sim_backend.fit.history import History
from sim_backend.fit.pulses import ReadSetting
from sim_backend.fit.table import Table

FloatArray = NDArray[np.float64]
SPAN, LEAST = 0.2, 0.05
"""Voltages (V) between which a sweep moves no cell and tells more than its source's offset."""
CONDUCTS, MOST = 1e-6, 150e-6
"""Conductance (S) at `SPAN` between which a cell is one that can be fitted to."""


def curves_of(run: RunFile) -> tuple[Table, ReadSetting, History | None]:
    """Return the I-V of a run up to 0.2 V: of every sweep the way up and the way back, as curves apart.

    A sweep that stays below 0.2 V, or near, is one curve: its readings at a voltage are averaged.
    """
    sweeps = run.tables["sweeps"]
    found = [] if not len(sweeps.get("number", ())) else _branches(sweeps)
    if not found:
        raise InputError(
            f"run '{run.path}' holds no I-V up to {SPAN:g} V and more of a cell that conducts; "
            f"sweep further, or more cells"
        )
    columns = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    columns["curve"] = np.repeat(np.arange(len(found)), [len(part["voltage"]) for part in found]).astype(
        float
    )
    columns["cell"] = columns["row"] * (columns["col"].max() + 1) + columns["col"]
    gate, dwell = float(np.median(columns["v_wl"])), float(np.median(sweeps["dwell"]))
    return Table(run.path.name, columns), ReadSetting(SPAN, gate, dwell, 1.0), None


def _branches(sweeps: dict[str, NDArray[np.generic]]) -> list[dict[str, FloatArray]]:
    found = []
    number = np.asarray(sweeps["number"])
    begins = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    for begin, end in zip(begins, np.append(begins[1:], len(number)), strict=True):
        volts = np.asarray(sweeps["voltage"][begin:end], float)
        if not np.nanmax(volts, initial=0.0) >= SPAN * 0.999:
            continue
        top = int(np.nanargmax(volts))
        alone = volts[top] < 1.5 * SPAN
        parts = [slice(0, len(volts))] if alone else [slice(0, top), slice(top, len(volts))]
        for part in parts:
            rows = begin + np.arange(len(volts))[part]
            found += _curve(sweeps, rows)
    return found


def _curve(sweeps: dict[str, NDArray[np.generic]], rows: NDArray[np.int64]) -> list[dict[str, FloatArray]]:
    """Return one curve, one row per voltage; none of a cell that does not conduct."""
    volts = np.round(np.asarray(sweeps["voltage"], float)[rows], 6)
    amperes = np.asarray(sweeps["current"], float)[rows]
    limited = np.asarray(sweeps["limited"], bool)[rows] if "limited" in sweeps else np.zeros(len(rows), bool)
    used = (volts >= LEAST) & (volts <= SPAN * 1.001) & np.isfinite(amperes) & ~limited
    levels, number = np.unique(volts[used], return_inverse=True)
    if len(levels) < 2 or abs(levels[-1] - SPAN) > 0.1 * SPAN:
        return []
    current = np.bincount(number, amperes[used]) / np.bincount(number)
    if not CONDUCTS <= current[-1] / levels[-1] <= MOST:
        return []
    place = {name: np.full(len(levels), float(np.asarray(sweeps[name])[rows[0]])) for name in ("row", "col")}
    gate = np.full(len(levels), float(np.asarray(sweeps["gate"])[rows[0]]))
    return [place | {"voltage": levels, "current": current, "v_wl": gate}]
