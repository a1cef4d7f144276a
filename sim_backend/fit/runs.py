"""Read what a run of rramlab measured as a table for the fit; the command of the run tells of what kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.runfile import RunFile
from sim_backend.fit.history import History
from sim_backend.fit.pulses import ReadSetting
from sim_backend.fit.run_curves import curves_of
from sim_backend.fit.run_lines import series_of
from sim_backend.fit.run_pulses import pulses_of
from sim_backend.fit.run_reads import hour_of, noise_of
from sim_backend.fit.table import Table

Kind = Literal["pulses", "relaxation", "curves"]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class RunTable:
    """Hold what a run measured: kind, table (SI), how cells were read, and the pulses before, where known."""

    kind: Kind
    table: Table
    reading: ReadSetting
    history: History | None = None


Reader = Callable[[RunFile], tuple[Table, ReadSetting, History | None]]
READERS: Mapping[str, tuple[Kind, Reader]] = {
    "response": ("pulses", pulses_of),
    "retention": ("relaxation", hour_of),
    "read-noise": ("relaxation", noise_of),
    "iv": ("curves", curves_of),
    "levels": ("curves", curves_of),
}
"""Commands whose runs can be fitted to."""


def run_table(path: Path | str) -> RunTable:
    """Return what a run measured; InputError where it is unfinished or of a command that measures no such."""
    run = RunFile.open(path)
    command = str(run.contents.start.get("command", ""))
    if command not in READERS:
        raise InputError(
            f"run '{run.path}' is one of '{command}', which the fit cannot use; "
            f"give runs of {', '.join(READERS)}"
        )
    if not run.complete:
        raise InputError(
            f"run '{run.path}' is unfinished; end it first: rramlab {command} --resume {run.path}"
        )
    kind, reader = READERS[command]
    table, reading, history = reader(run)
    return RunTable(kind, _with_series(table, run), reading, history)


def _with_series(table: Table, run: RunFile) -> Table:
    """Return the table with the resistance of the lines to each cell, where a calibration knew it."""
    ohm = series_of(run.contents.start.get("calibration", ()), table["row"], table["col"])
    if ohm is None:
        return table
    columns: dict[str, Any] = {**table.columns, "series": ohm}
    return replace(table, columns=columns)
