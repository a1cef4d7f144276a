"""Lay out repeated readings of a run as a table of changes since the first of them."""

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.runfile import RunFile
from rramlab.tables import Table as Columns
from sim_backend.fit.history import History
from sim_backend.fit.pulses import ReadSetting
from sim_backend.fit.table import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TAKEN = (1, 2)
"""Status of reads that were taken, in time or late."""
MOST_READS = 12
"""Readings that are compared of a long series, spread over log time."""
FAR, ENOUGH = 10e-6, 64
"""A pulse that moves a cell so far (S) makes it forget all before it; cells that suffice for a fit."""
BEFORE = 60.0
"""Time (s) before the first pulse of a run at which its cells are taken to have been written last."""
SAMPLE = 1e-3
"""Length of a sample (s)."""


def hour_of(run: RunFile) -> tuple[Table, ReadSetting, History | None]:
    """Return the reads of a run of `retention`, with the pulses that programmed its cells."""
    c = run.kept["retention"].columns
    taken = np.flatnonzero(np.isin(c["status"], TAKEN))
    good = (c["state"] >= 0) & np.isfinite(c["conductance"][taken]).all(axis=0)
    pulsed = c["age"] > 0.0
    known = bool((pulsed & good).any())
    # A cell that was at its level already was not pulsed in this run: nobody knows since when it relaxes.
    good &= pulsed | (not known)
    if len(taken) < 2 or not good.any():
        raise InputError(f"run '{run.path}' holds no cell that was read twice at its level; watch it longer")
    n = len(good)
    turn = (np.arange(n) + 0.5) / n - 0.5
    ages = (c["elapsed"][taken, None] + c["took"][taken, None] * turn + c["age"])[:, good]
    readings = c["conductance"][taken][:, good]
    return _laid_out(run, (c["row"][good], c["col"][good]), ages, readings, known)


def _laid_out(
    run: RunFile, places: tuple[IntArray, IntArray], ages: FloatArray, readings: FloatArray, known: bool
) -> tuple[Table, ReadSetting, History | None]:
    """Return readings (S), (readings, cells), at these ages (s), which count from any moment if not known."""
    if not known:
        return _table(run, places, ages, readings), _setting(run, np.nan), None
    history = _history(run, places, ages[0])
    sure = _known(history)
    places, ages = (places[0][sure], places[1][sure]), ages[:, sure]
    table = _table(run, places, ages, readings[:, sure])
    return (
        table,
        _setting(run, float(np.median(ages[0]))),
        History(history.age[:, sure], history.change[:, sure]),
    )


def noise_of(run: RunFile) -> tuple[Table, ReadSetting, History | None]:
    """Return a dozen of the reads of a run of `read-noise`, spread over log time."""
    c, reads, pulses = run.kept["read_noise"].columns, run.tables["reads"], run.tables["pulses"]
    if not len(c.get("row", ())):
        raise InputError(f"no cell of run '{run.path}' could be measured; see its page")
    last = float(np.max(pulses["number"], initial=-1.0)) if pulses else -1.0
    # The long series comes first after programming, at the usual number of samples.
    later = reads["number"] > last
    later &= reads["samples"] == reads["samples"][later][0]
    at, found = _series(reads, later, c["row"].astype(np.int64), c["col"].astype(np.int64))
    chosen = np.unique(np.round(np.geomspace(1, len(at), MOST_READS)).astype(int)) - 1
    good = np.isfinite(found[chosen]).all(axis=0)
    ended = _last_pulse(pulses, c["row"], c["col"])[good] if pulses else np.full(int(good.sum()), np.nan)
    ages = at[chosen][:, good] - ended
    known = bool(np.isfinite(ages).all())
    ages = ages if known else at[chosen][:, good]
    return _laid_out(run, (c["row"][good], c["col"][good]), ages, found[chosen][:, good], known)


def _table(run: RunFile, places: tuple[IntArray, IntArray], ages: FloatArray, found: FloatArray) -> Table:
    row, col = (np.tile(place.astype(float), len(ages)) for place in places)
    columns = {
        "row": row,
        "col": col,
        "cell": np.tile(np.arange(ages.shape[1], dtype=float), len(ages)),
        "time": (ages - ages[0]).ravel(),
        "conductance": found.astype(float).ravel(),
        "programmed": np.tile(found[0].astype(float), len(ages)),
    }
    return Table(run.path.name, columns)


def _setting(run: RunFile, delay: float) -> ReadSetting:
    reads = run.tables["reads"]
    samples, v_read, gate = (float(reads[name][-1]) for name in ("samples", "v_read", "gate"))
    if run.start.command == "read-noise":
        samples = float(run.tables["reads"]["samples"][0])
    return ReadSetting(v_read, gate, samples * SAMPLE, delay)


def _history(run: RunFile, places: tuple[IntArray, IntArray], first: FloatArray) -> History:
    """Return the pulses of each cell; `first` (s) is how old each was at its first reading."""
    pulses = run.tables["pulses"]
    mine = [np.flatnonzero((pulses["row"] == r) & (pulses["col"] == c)) for r, c in zip(*places, strict=True)]
    most, ended = max(len(rows) for rows in mine), _ended(pulses)
    age, change = np.full((most + 1, len(mine)), np.nan), np.full((most + 1, len(mine)), np.nan)
    for k, rows in enumerate(mine):
        moved = np.abs(pulses["after"][rows] - pulses["before"][rows])
        age[most + 1 - len(rows) :, k] = first[k] + ended[rows[-1]] - ended[rows]
        # A pulse that nobody read around counts as one that moved the cell far.
        change[most + 1 - len(rows) :, k] = np.where(np.isfinite(moved), moved, np.inf)
    # Before this run the cell was written as well, and what is left of that relaxes on.
    age[0], change[0] = np.nanmax(age, axis=0) + BEFORE, np.inf
    return History(age, change)


def _known(history: History) -> NDArray[np.bool_]:
    """Return the cells that forgot what was before the run, by a pulse that moved them far; or all."""
    far = np.nanmax(history.change[1:], axis=0) >= FAR
    return far if far.sum() >= ENOUGH else np.ones(len(far), bool)


def _ended(pulses: Columns) -> FloatArray:
    """Return when each pulse ended (s): the cells of a request take turns."""
    number = pulses["number"]
    begins = np.searchsorted(number, number, side="left")
    count = np.searchsorted(number, number, side="right") - begins
    turn = (np.arange(len(number)) - begins + 1.0) / count
    return np.asarray(pulses["bench_time"] + turn * np.nan_to_num(pulses["took"]))


def _last_pulse(pulses: Columns, row: IntArray, col: IntArray) -> FloatArray:
    ended, out = _ended(pulses), np.full(len(row), np.nan)
    for k, (r, c) in enumerate(zip(row, col, strict=True)):
        mine = ended[(pulses["row"] == r) & (pulses["col"] == c)]
        out[k] = mine[-1] if len(mine) else np.nan
    return out


def _series(
    reads: Columns, which: NDArray[np.bool_], row: IntArray, col: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return time (s) and reading (S), (readings, cells), of rounds of readings of all these cells."""
    n = len(row)
    rows = np.flatnonzero(which)
    rows = rows[: len(rows) // n * n]
    at = reads["bench_time"][rows].reshape(-1, n) + np.arange(n) / n * reads["took"][rows].reshape(-1, n)
    return np.asarray(at, float), np.asarray(reads["conductance"][rows].reshape(-1, n), float)
