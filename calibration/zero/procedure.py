"""Find by how much the zero of each column has moved since the read chain was calibrated (auto-zero).

A cell at a small voltage takes opposite currents at both signs; what does not turn over is the column's own.
It takes seconds and no source meter, and touches nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from calibration.cells import macros_of
from calibration.procedure import Found, Known, Procedure
from calibration.zero.shift import mean_of_columns, shifts_of
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.corrections.record import Record
from rramlab.errors import InputError, LimitExceeded, Unsupported
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure

ROWS, SAMPLES, PASSES = 4, 8, 4
"""Cells of each column that are read, samples of a reading, and readings at each voltage."""
BOTH, UPWARD = (0.1, -0.1), (0.02, 0.1)
"""Voltages, of that of the bench's reading; the second ones where no negative voltage can be read."""


@final
class Zero(Procedure):
    """Measure the shift of the zero of every column, on the least conductive cells that it has."""

    name: ClassVar[str] = "zero"
    title: ClassVar[str] = "Zero of the columns"
    after: ClassVar[tuple[str, ...]] = ("readout",)
    days: ClassVar[float] = 7.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("board",)

    def parts(self, backend: Backend) -> int:
        """Return the number of macros."""
        return macros_of(backend)

    def measure(self, backend: Backend, part: int) -> Columns:
        """Read a few cells of each column at two small voltages, in turn."""
        cells = self._cells(backend, part)
        volts = np.array(self._signs(backend, cells)) * self.reading.v_read
        turns = np.array([volts, volts[::-1]] * (PASSES // 2)).ravel()
        specs = [ReadSpec(float(volt), self.reading.gate, SAMPLES) for volt in turns]
        found = np.stack([backend.read(cells, spec) for spec in specs])
        mean = np.stack([found[turns == volt].mean(axis=0) for volt in volts])
        rows = backend.macro_shape[0]
        return {
            **{"macro": cells.row // rows, "row": cells.row % rows, "col": cells.col},
            **{"volts": volts, "conductance": mean},
            "bench": np.array([macros_of(backend), *backend.macro_shape]),
        }

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return the shift of adc_offset (A) of all columns against the record 'readout'."""
        shifts = shifts_of(parts, known["readout"])
        macros, _, cols = (int(n) for n in parts[0]["bench"])
        found = mean_of_columns(shifts, macros * cols)
        conditions = {
            "volts": parts[0]["volts"].tolist(),
            "signs": "both" if parts[0]["volts"].min() < 0 else "positive voltages only",
            "cells": len(shifts.column),
        }
        values = {"adc_offset": found.solution.unknowns.reshape(macros, cols)}
        covariance = found.solution.covariance + shifts.of_readout(found.kept, macros * cols)
        return Found(values, {"adc_offset": "A"}, covariance, conditions, found.residuals("A"))

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return the shift of every column with its uncertainty."""
        from calibration.zero.figures import figures

        return figures(record)

    def _cells(self, backend: Backend, macro: int) -> Cells:
        """Return the cells of a macro whose current is least, so many of each column."""
        rows, cols = backend.macro_shape
        all_cells = Cells.grid(range(macro * rows, (macro + 1) * rows), range(cols))
        conductance = np.abs(backend.read(all_cells, ReadSpec(self.reading.v_read, self.reading.gate)))
        least = np.argsort(conductance.reshape(rows, cols), axis=0, kind="stable")[:ROWS]
        return Cells(np.sort(least, axis=0).ravel() + macro * rows, np.tile(np.arange(cols), len(least)))

    def _signs(self, backend: Backend, cells: Cells) -> tuple[float, float]:
        """Return the voltages to read at; a bench that has no negative ones says so at the first cell."""
        try:
            spec = ReadSpec(BOTH[1] * self.reading.v_read, self.reading.gate)
            backend.read(cells.take(np.array([0])), spec)
        except (InputError, LimitExceeded, Unsupported):
            return UPWARD
        return BOTH
