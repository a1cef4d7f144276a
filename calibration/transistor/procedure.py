"""Characterise the access transistors: beta and threshold from readings at several gate voltages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from calibration.cells import macros_of
from calibration.procedure import Found, Known, Procedure
from calibration.product.data import row_volts
from calibration.transistor.fit import Channel, fit
from calibration.transistor.model import GateData
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.corrections.record import Record
from rramlab.errors import CalibrationError
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

GATES = (1.4, 1.6, 1.9, 2.4)
"""Gate voltages (V) beside that of the bench's readings: the transistor is to be seen in the path."""
PARTS_OF_VOLTAGE = (1.0, 0.5)
"""Voltages, of that of the bench's readings: what a filament bends is told from what a transistor does."""
ROUNDS, SAMPLES = 8, 4
MOST = 128
"""Cells of a macro that are read: those that conduct best, because they hide their transistor least."""
WINDOW = 15e-6, 130e-6
"""Conductance (S) of the cells that are taken."""
FEWEST = 6
"""Cells without which nothing can be said."""


@final
class Transistor(Procedure):
    """Read conductive cells at several gate voltages, up and down in turn, and fit the transistor behind.

    What does not depend on the gate (filament, contacts, lines, switch) is one resistance per cell and cannot
    be told apart by readings; lines and switch come from the products.
    """

    name: ClassVar[str] = "transistor"
    title: ClassVar[str] = "Access transistors"
    after: ClassVar[tuple[str, ...]] = ("readout",)
    days: ClassVar[float] = 365.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("serial",)

    def parts(self, backend: Backend) -> int:
        """Return the number of macros."""
        return macros_of(backend)

    def measure(self, backend: Backend, part: int) -> Columns:
        """Read the best cells of a macro at all gates and voltages, round by round."""
        cells, rows = self._cells(backend, part), backend.macro_shape[0]
        gates = [*(gate for gate in GATES if gate < self.reading.gate), self.reading.gate]
        points = [(gate, share * abs(self.reading.v_read)) for gate in gates for share in PARTS_OF_VOLTAGE]
        specs = [ReadSpec(volt, gate, max(self.reading.samples, SAMPLES)) for gate, volt in points]
        rounds = []
        for turn in range(ROUNDS):
            order = range(len(specs)) if turn % 2 == 0 else range(len(specs) - 1, -1, -1)
            found = {n: backend.read(cells, specs[n]) for n in order}
            rounds.append(np.column_stack([found[n] for n in range(len(specs))]))
        gate, asked = (np.array(column) for column in zip(*points, strict=True))
        row = cells.row % rows
        return {
            **{"macro": np.array(part), "row": row, "col": cells.col, "gate": gate, "asked": asked},
            "volts": row_volts(backend.correction, part, asked, rows)[:, row],
            "conductance": np.array(rounds),
        }

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return beta (A/V^2), vt (V) and the resistance (ohm) of a transistor at the gate of readings."""
        found, gate = fitted(parts, known["readout"]), float(parts[0]["gate"].max())
        ohm = 1.0 / (found.beta * (gate - found.vt))
        slopes = np.array([[1.0, 0.0], [0.0, 1.0], [-ohm / found.beta, ohm / (gate - found.vt)]])
        return Found(
            {"beta": np.array(found.beta), "vt": np.array(found.vt), "on_resistance": np.array(ohm)},
            {"beta": "A/V^2", "vt": "V", "on_resistance": "ohm"},
            slopes @ found.covariance @ slopes.T,
            self._conditions(parts, found, known),
            {"chi2_per_dof": found.chi2 / max(found.freedom, 1), "dof": float(found.freedom)},
        )

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return resistance against gate of several cells with the fit, and what it leaves."""
        from calibration.transistor.figures import figures

        return figures(parts, record)

    def _cells(self, backend: Backend, macro: int) -> Cells:
        rows, cols = backend.macro_shape
        cells = Cells.grid(range(macro * rows, (macro + 1) * rows), range(cols))
        found = backend.read(cells, self.reading)
        usable = np.flatnonzero((found > WINDOW[0]) & (found < WINDOW[1]))
        best = usable[np.argsort(-found[usable], kind="stable")][:MOST]
        return cells.take(np.sort(best))

    def _conditions(self, parts: Sequence[Columns], found: Channel, known: Known) -> dict[str, Any]:
        told = {
            "gates": sorted({float(gate) for gate in parts[0]["gate"]}),
            "volts": sorted({float(volt) for volt in parts[0]["asked"]}),
            "cells": sum(len(data.row) for data in found.data),
            "cells_left_out": found.left_out,
        }
        return told | ({"r_switch": float(known["product"]["r_switch"])} if "product" in known else {})


def fitted(parts: Sequence[Columns], readout: Record) -> Channel:
    """Return the fit to all parts; CalibrationError where too few cells conduct."""
    data = [GateData.of(part) for part in parts if len(part["row"])]
    cells = sum(len(one.row) for one in data)
    if cells < FEWEST:
        raise CalibrationError(
            f"{cells} cells conduct {1e6 * WINDOW[0]:g} to {1e6 * WINDOW[1]:g} uS; {FEWEST} or more are "
            "needed to see their transistors: program some, then: rramlab calibrate transistor"
        )
    return fit(data, readout)
