"""Calibrate products: the wide current range of every column, and the resistance of lines and switches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from calibration.cells import macros_of
from calibration.procedure import Found, Known, Procedure
from calibration.product.data import MacroData, row_volts
from calibration.product.fit import Fitted, fit
from calibration.product.plan import LEVELS, PAIRS, patterns, played
from calibration.product.readout import carried
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.corrections.correction import READOUT
from rramlab.corrections.record import Record
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

if TYPE_CHECKING:  # loaded where a page is made
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

ROUNDS = 6
"""How often every macro is measured: the read noise of its cells changes from round to round."""
SAMPLES = 4
"""Least samples of a reading."""
ROOM = 0.95
"""Part of the read voltage that is asked for: the rest is room for what the converters are corrected by."""
UNITS = {"adc_gain": "1", "adc_offset": "A", "adc_inl": "1", "r_line": "ohm", "r_switch": "ohm"}


@final
class Product(Procedure):
    """Read all cells, multiply by many patterns of rows, and ask what the lines took.

    A reading sends the current of one cell through the lines; in a product the whole row and the whole column
    load them. What a row driven alone lacks of its readings goes by its place with a wire, by what its row
    conducts with a switch, and not at all with a gain. The cells stay as they are; the more they conduct and
    the more rows differ, the better lines and switches can be seen.
    """

    name: ClassVar[str] = "product"
    title: ClassVar[str] = "Products, lines and switches"
    after: ClassVar[tuple[str, ...]] = ("readout",)
    days: ClassVar[float] = 30.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("board", "serial")

    def parts(self, backend: Backend) -> int:
        """Return the number of parts: each macro in each round."""
        return ROUNDS * macros_of(backend)

    def measure(self, backend: Backend, part: int) -> Columns:
        """Read all cells of a macro at four voltages, and multiply in between."""
        turn, macro = divmod(part, macros_of(backend))
        levels = largest(backend, self.reading) * np.array(LEVELS)
        samples = max(self.reading.samples, SAMPLES)
        rows, cols = backend.macro_shape
        cells = Cells.grid(range(macro * rows, (macro + 1) * rows), range(cols))

        def read(which: Sequence[int]) -> dict[int, FloatArray]:
            specs = {k: ReadSpec(float(levels[k]), self.reading.gate, samples) for k in which}
            return {k: backend.read(cells, spec).reshape(rows, cols) for k, spec in specs.items()}

        # What drifts meets each voltage as often before the products as after.
        order = (0, 1, 3, 2) if turn % 2 == 0 else (2, 3, 1, 0)
        voltages = played(float(levels[0]) * patterns(rows))
        found = read(order[:2])
        currents = backend.multiply(voltages, macro)
        found |= read(order[2:])
        readout = backend.correction.records.get(READOUT)
        return {
            **{"macro": np.array(macro), "levels": levels, "samples": np.array(samples)},
            "volts": row_volts(backend.correction, macro, levels, rows),
            "white": np.array(0.0 if readout is None else readout["white_current"]),
            "conductance": np.array([found[k] for k in range(len(levels))]),
            **{"voltages": voltages, "currents": currents},
        }

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return gain, offset (A), nonlinearity of the wide range, and line and switch resistance (ohm)."""
        found = fitted(parts)
        wide, spread = found.wide, found.chi2 / found.freedom
        lines = np.array(wide.lines.r_line), np.array(wide.lines.r_switch)
        return Found(
            dict(zip(UNITS, (wide.gain, wide.offset, wide.inl, *lines), strict=True)),
            UNITS,
            max(1.0, spread) * found.inverse + carried(found, known[READOUT]),
            self._conditions(parts, found),
            {"chi2_per_dof": spread, "dof": float(found.freedom)},
        )

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return gains and offsets, what the lines take of products, and what is left unexplained."""
        from calibration.product.figures import figures

        return figures(parts, record)

    def _conditions(self, parts: Sequence[Columns], found: Fitted) -> dict[str, Any]:
        counts = np.concatenate([one.scatter.counts.ravel() for one in found.pieces])
        return {
            "volts": parts[0]["levels"].tolist(),
            "gate": self.reading.gate,
            "samples": int(parts[0]["samples"]),
            "rounds": len(parts) // len(found.pieces),
            "products": 2 * PAIRS * len(found.pieces[0].data.wanted),
            "cells": counts.size,
            "cells_that_count_less": int(np.count_nonzero(counts < 1.0)),
        }


def fitted(parts: Sequence[Columns]) -> Fitted:
    """Return the fit to all parts."""
    return fit(macros_in(parts))


def macros_in(parts: Sequence[Columns]) -> list[MacroData]:
    """Return the data of each macro."""
    macros = sorted({int(part["macro"]) for part in parts})
    return [MacroData.of(m, [part for part in parts if int(part["macro"]) == m]) for m in macros]


def largest(backend: Backend, reading: ReadSpec) -> float:
    """Return the largest voltage (V) of a product that the limits allow in all rows, converters corrected."""
    top = min(abs(reading.v_read), backend.limits.v_read)
    rows = np.full(backend.macro_shape[0], ROOM * top)
    macros = range(macros_of(backend))
    asked = [backend.correction.inputs(sign * rows, m) for m in macros for sign in (1.0, -1.0)]
    # Offsets do not shrink with the voltage: a little less than in proportion.
    return ROOM * top * min(1.0, 0.99 * top / float(np.abs(asked).max()))
