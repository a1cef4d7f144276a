"""Say for each pulse what its cell read before and after, and which of its cell's pulses it was."""

import numpy as np
from numpy.typing import NDArray

from rramlab.pulse import Delivery
from rramlab.tables import Table

IntArray = NDArray[np.int64]


def add_history(pulses: Table, reads: Table) -> None:
    """Add the columns before (S), after (S) and attempt (from 1) to a table of pulses.

    `before` is the reading of the cell between its last pulse and this one, `after` the first reading before
    its next pulse; NaN where there is none, so that the step from one to the other is that of this pulse.
    """
    if not pulses:
        return
    pulses.setdefault("delivery", np.full(len(pulses["number"]), Delivery.UNKNOWN, dtype=np.uint8))
    order, is_pulse, reading = _timeline(pulses, reads)
    cell = _places(pulses, reads)[order]
    same = cell[1:] == cell[:-1]
    earlier = np.where(np.append(False, same), np.append(np.nan, reading[:-1]), np.nan)
    later = np.where(np.append(same, False), np.append(reading[1:], np.nan), np.nan)
    place = order[is_pulse]
    for name, values in (("before", earlier), ("after", later)):
        pulses[name] = np.empty(place.size)
        pulses[name][place] = values[is_pulse]
    pulses["attempt"] = np.empty(place.size, dtype=np.int32)
    pulses["attempt"][place] = _ranks(cell[is_pulse])


def _timeline(pulses: Table, reads: Table) -> tuple[IntArray, NDArray[np.bool_], NDArray[np.float64]]:
    """Return the order by cell and request, and in that order what is a pulse and what was read."""
    n = len(pulses["number"])
    number = np.concatenate([pulses["number"], reads.get("number", [])])
    order = np.lexsort((number, _places(pulses, reads)))
    nothing = np.full(len(number) - n, np.nan)
    reading = np.concatenate([np.full(n, np.nan), reads.get("conductance", nothing)])
    return order, order < n, reading[order]


def _places(pulses: Table, reads: Table) -> IntArray:
    row = np.concatenate([pulses["row"], reads.get("row", [])]).astype(np.int64)
    col = np.concatenate([pulses["col"], reads.get("col", [])]).astype(np.int64)
    return (row << 32) + col


def _ranks(sorted_cells: IntArray) -> IntArray:
    """Return 1, 2, 3 ... within each run of equal values."""
    n = sorted_cells.size
    first = np.flatnonzero(np.append(True, sorted_cells[1:] != sorted_cells[:-1]))
    return np.arange(n) - np.repeat(first, np.diff(np.append(first, n))) + 1
