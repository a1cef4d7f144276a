"""Lay out a run of `response` as a table of pulses."""

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.pulse import Delivery, Polarity
from rramlab.runfile import RunFile
from rramlab.tables import Table as Columns
from sim_backend.fit.history import History
from sim_backend.fit.pulses import ReadSetting
from sim_backend.fit.table import Table

FloatArray = NDArray[np.float64]
SWITCHES = 0
"""Outcome of the cells that took all pulses and answered them: the others are no device to fit to."""
BEFORE = 1.0
"""Time (s) at which a table begins."""


def pulses_of(run: RunFile) -> tuple[Table, ReadSetting, History | None]:
    """Return the pulses of a run of `response`, on the cells that switch."""
    c = run.kept["response"].columns
    good = np.flatnonzero((c["outcome"] == SWITCHES) & ~np.any(c["delivery"] == Delivery.UNKNOWN, axis=0))
    if not len(good):
        raise InputError(f"no cell of run '{run.path}' answered its pulses; see the outcomes on its page")
    duration = float(c["duration"])
    at, read = _times(c["pulsed_from"], c["pulsed_to"], good, c), _reads(c, good, duration)
    reset = np.broadcast_to((c["polarity"] == Polarity.RESET)[:, None], at.shape)
    drive, width = (np.broadcast_to(c[name][:, None], at.shape) for name in ("drive", "width"))
    rows: dict[str, FloatArray] = {
        "row": np.broadcast_to(c["row"][good], at.shape),
        "col": np.broadcast_to(c["col"][good], at.shape),
        "order": np.broadcast_to(np.arange(len(at))[:, None], at.shape),
        "part": np.broadcast_to(_part(c)[:, None], at.shape),
        "v_bl": np.where(reset, 0.0, drive),
        "v_sl": np.where(reset, drive, 0.0),
        "v_wl": c["gate"][:, good],
        "width": width,
        "before": c["reading"][:-1, good],
        "after": c["reading"][1:, good],
        "floor": np.where(reset, float(c["floor"]), 0.0),
        "at": at - width - read[0] + BEFORE,
        "delay": read[1:] - at,
    }
    flat = {name: np.asarray(values, float).ravel() for name, values in rows.items()}
    flat["cell"] = np.tile(good.astype(float), len(at))
    setting = ReadSetting(float(c["v_read"]), float(c["v_wl"]), duration, float(np.median(rows["delay"])))
    return Table(run.path.name, flat), setting, None


def _part(c: Columns) -> FloatArray:
    """Return the number of each step within its repeat, by which groups are parted; -1 ... for the last."""
    repeat = c["repeat"]
    begins = np.searchsorted(repeat, repeat, side="left")
    return np.where(repeat == repeat.max(), -1.0 - np.arange(len(repeat)), np.arange(len(repeat)) - begins)


def _times(begin: FloatArray, end: FloatArray, good: NDArray[np.int64], c: Columns) -> FloatArray:
    """Return when each cell's turn in a request ended (s), (requests, cells): one after the other."""
    turn = (good + 1.0) / len(c["row"])
    return np.asarray(begin[:, None] + (end - begin)[:, None] * turn)


def _reads(c: Columns, good: NDArray[np.int64], duration: float) -> FloatArray:
    """Return when the reading of each cell began (s), (readings, cells)."""
    return _times(c["read_from"], c["read_to"], good, c) - duration
