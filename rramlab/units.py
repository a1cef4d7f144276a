"""Tell the unit of each column of a run and what it means."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

UNKNOWN = "unspecified"
_NETWORK = "network unit"

_COMMON = {
    "number": ("1", "number of the request"),
    "answered": ("1", "whether the answer was recorded; if not, the process ended in between"),
    "bench_time": ("s", "time of the bench at the request"),
    "wall_time": ("s", "seconds since the epoch at the request"),
    "since_start": ("s", "seconds since the run began"),
    "answered_at": ("s", "seconds since the epoch at the answer"),
    "took": ("s", "time of the bench from request to answer"),
    "row": ("1", "row of the cell, from 0"),
    "col": ("1", "column of the cell, from 0"),
    "polarity": ("1", "0 SET, 1 RESET, 2 FORM"),
    "drive": ("V", "voltage of the BL (SET, FORM) or SL (RESET)"),
    "gate": ("V", "voltage of the WL"),
    "width": ("s", "width of the pulse"),
    "delivery": ("1", "0 applied, 1 not applied, 2 unknown"),
    "before": ("S", "reading of the cell between its last pulse and this one; NaN if none"),
    "after": ("S", "first reading of the cell before its next pulse; NaN if none"),
    "attempt": ("1", "place of this pulse among those of its cell in this run, from 1"),
    "conductance": ("S", "I/V of the whole path at this reading, corrected where the bench is calibrated"),
    "raw": ("S", "the same as it was reported, before correction"),
    "uncertainty": ("S", "standard uncertainty by calibration and read chain, without the cell's own noise"),
    "v_read": ("V", "voltage of the BL while reading"),
    "samples": ("1", "samples averaged"),
    "compliance": ("A", "compliance of the sweep"),
    "dwell": ("s", "time per step"),
    "seconds": ("s", "time waited"),
    "voltages": ("V", "voltages asked of the bench"),
    "voltage": ("V", "voltage programmed; where limited the cell had less"),
    "current": ("A", "current measured"),
    "limited": ("1", "whether the compliance held the current"),
    "currents": ("A", "currents of the columns"),
    "macro": ("1", "which macro, from 0"),
    "time": ("s", "time of the sample"),
}
_SOLVES = {
    "gain": ("1", "gain of the output"),
    "volts": ("V", "voltage of one network unit"),
    "tick": ("s", "length of a tick of the DAC"),
    "kept": ("1", "runs whose waveforms are kept"),
    "stride": ("1", "ticks per sample"),
    "start": (_NETWORK, "start states (runs, n)"),
    "drift": ("1/s", "coefficient of the state, per tick"),
    "drive": ("1/s", "coefficient of the network output, per tick"),
    "embedding": (_NETWORK, "embedding (ticks, channels)"),
    "noise": (f"{_NETWORK}/sqrt(s)", "rms of the noise, per tick"),
    "bias": (f"{_NETWORK}/s", "constant of the noise channels, per tick (ticks, n)"),
    "end": (_NETWORK, "end states (runs, n)"),
    "state": (_NETWORK, "waveform of the state (kept, samples, n)"),
    "output": (_NETWORK, "waveform of the network output (kept, samples, n)"),
    "trace": (_NETWORK, "state of all runs (samples, runs, n)"),
    "energy": ("J", "energy dissipated in the array, per run"),
}
LIMITS = {
    "v_": "V",
    "gate": "V",
    "i_": "A",
    "width": "s",
    "energy": "J",
    "pulses_": "1",
    "reset_floor": "S",
    "form_ceiling": "S",
}


def unit_of(table: str, column: str, dtype: DTypeLike) -> str:
    """Return the unit of a column: "1" for counts, "none" for text, "unspecified" if nobody declared it."""
    unit, _ = _known(table, column)
    by_kind = dict.fromkeys("biu", "1") | dict.fromkeys("SU", "none")
    return unit or by_kind.get(np.dtype(dtype).kind, UNKNOWN)


def meaning_of(table: str, column: str) -> str:
    """Return what a column means, or an empty text."""
    return _known(table, column)[1]


def limit_unit(name: str) -> str:
    """Return the unit of an operating limit."""
    return next((unit for prefix, unit in LIMITS.items() if name.startswith(prefix)), UNKNOWN)


def units_of(columns: Mapping[str, DTypeLike], given: Mapping[str, str]) -> dict[str, str]:
    """Return the unit of each column of a kept result: the given one, or what the dtype says."""
    return {name: given.get(name, unit_of("kept", name, dtype)) for name, dtype in columns.items()}


def _known(table: str, column: str) -> tuple[str, str]:
    if table == "solves":
        if column.startswith("hidden"):
            return _NETWORK, "waveform of a hidden layer (kept, samples, n)"
        if column in _SOLVES:
            return _SOLVES[column]
    return ("", "") if table == "kept" else _COMMON.get(column, ("", ""))
