"""Calibrate the read chain: row drivers, and the current range in which single cells are read.

The same cells are read by the board and swept by the source meter, which knows volts and amperes. The board
reads before and after, so that what drifts slowly cancels; the cells differ in conductance, so that gains,
offsets and the driver's part tell themselves apart. In place of cells and meter a card of known resistors
will do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from calibration.cells import Pattern, macros_of, make_ready, reading_of
from calibration.procedure import Found, Known, Procedure
from calibration.readout.card import Card
from calibration.readout.conditions import conditions
from calibration.readout.fit import fitted
from calibration.readout.model import UNITS
from calibration.readout.points import points_of
from calibration.readout.visit import PASSES, SAMPLES, groups, levels, readings, steps_of, sweeps
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.corrections.record import Record
from rramlab.errors import Unsupported
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure


@final
class Readout(Procedure):
    """Measure gain, offset and nonlinearity of all row drivers and column converters of single readings.

    `prepare` allows it to program cells where a macro lacks some that can be measured on; `card` is a table
    of the resistors that are in the sockets instead.
    """

    name: ClassVar[str] = "readout"
    title: ClassVar[str] = "Read chain"
    days: ClassVar[float] = 90.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("board",)

    def __init__(self, reading: ReadSpec, prepare: bool = False, card: Card | Path | str = "") -> None:
        super().__init__(reading)
        self._prepare = prepare
        self._card = card if isinstance(card, Card) else Card.load(Path(card)) if card else None

    def parts(self, backend: Backend) -> int:
        """Return the number of groups of columns, over all macros."""
        return macros_of(backend) * len(groups(*backend.macro_shape))

    def measure(self, backend: Backend, part: int) -> Columns:
        """Read the cells of a group of columns, compare them with the standard, and read them again."""
        rows, cols = backend.macro_shape
        of_macro = groups(rows, cols)
        macro, group = part // len(of_macro), of_macro[part % len(of_macro)]
        cells, told = self._cells(backend, part, macro, group)
        volts, gate = levels(self.reading), self.reading.gate
        before = readings(backend, cells, volts, gate, PASSES // 2)
        compared = self._compared(backend, cells)
        after = readings(backend, cells, volts, gate, PASSES - PASSES // 2)
        return {
            **{"macro": cells.row // rows, "row": cells.row % rows, "col": cells.col},
            **{"volts": volts, "gate": np.array(gate), "samples": np.array(SAMPLES)},
            **{name: np.concatenate([before[name], after[name]]) for name in before},
            **compared,
            **told,
            "bench": np.array([macros_of(backend), rows, cols]),
        }

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return the errors of the read chain that explain all readings at once."""
        macros, rows, cols = (int(n) for n in parts[0]["bench"])
        found = fitted(points_of(parts), (macros, rows, cols))
        layout, size = found.layout, found.layout.size
        covariance = np.zeros((size + 1, size + 1))
        covariance[:size, :size] = found.covariance[:size, :size]
        covariance[size, size] = found.u_white**2
        return Found(
            {name: found.unknowns[layout.index(name)] for name in UNITS}
            | {"white_current": np.array(found.white)},
            {**UNITS, "white_current": "A"},
            covariance,
            conditions(parts, found),
            found.fit.residuals("A"),
        )

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return the errors of all lines with their uncertainties, the curves, and what they leave."""
        from calibration.readout.figures import figures

        return figures(parts, record)

    def _cells(self, backend: Backend, part: int, macro: int, group: range) -> tuple[Cells, Columns]:
        """Return the cells of a group, and what is known of them beforehand."""
        rows, cols = backend.macro_shape
        if self._card is not None:
            card = self._card.within(range(macro * rows, (macro + 1) * rows), group)
            told: Columns = {"ohm": card.ohm, "u_ohm": card.u_ohm, "programmed": np.array(0)}
            return Cells(card.row, card.col), told
        if "sweep" not in backend.capabilities:
            raise Unsupported(
                f"this bench has no source meter to compare readings with ({backend.identify()['name']}); "
                "connect one, or put known resistors into the sockets and name their table with --card"
            )
        # All macros are looked at first: a refusal should not come after minutes of sweeps.
        macros = range(macros_of(backend)) if part == 0 else range(macro, macro + 1)
        programmed = make_ready(backend, macros, self.reading, self._prepare)
        row, col = Pattern(rows, cols).chosen(reading_of(backend, macro, self.reading), group)
        return Cells(row + macro * rows, col), {"programmed": np.array(programmed)}

    def _compared(self, backend: Backend, cells: Cells) -> Columns:
        """Sweep each cell; with a card there is nothing to do."""
        if self._card is None:
            return sweeps(backend, cells, steps_of(levels(self.reading)), self.reading.gate)
        at, usable = np.full(len(cells), backend.now()), np.ones(len(cells), dtype=bool)
        return {"compared_at": at, "usable": usable}
