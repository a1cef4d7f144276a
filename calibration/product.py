"""Calibrate products: the wide current range of every column, and the resistance of lines and switches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from calibration.procedure import Found, Known, Procedure
from calibration.product_data import MacroData
from calibration.product_fit import Fitted, fit
from calibration.product_plan import LEVELS, patterns, played
from calibration.product_readout import carried
from rramlab.backend import Backend
from rramlab.cells import Cells
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


@final
class Product(Procedure):
    """Read all cells, multiply by many patterns of rows, and ask what the lines took.

    A product is less than the sum of its rows' own products by what wires and switches take: by their place
    they tell the one from the other, and a gain from both. The cells stay as they are; the more they
    conduct, the better the lines can be seen.
    """

    name: ClassVar[str] = "product"
    title: ClassVar[str] = "Products: wide current range, lines and switches"
    after: ClassVar[tuple[str, ...]] = ("readout",)
    days: ClassVar[float] = 30.0
    parts_of_bench: ClassVar[tuple[str, ...]] = ("board", "serial")

    def parts(self, backend: Backend) -> int:
        """Return the number of parts: each macro in each round."""
        return ROUNDS * macros_of(backend)

    def measure(self, backend: Backend, part: int) -> Columns:
        """Read all cells of a macro at four voltages, and multiply in between."""
        macros = macros_of(backend)
        macro, turn = part % macros, part // macros
        levels = largest(backend, self.reading) * np.array(LEVELS)
        order = [0, 1, 3, 2] if turn % 2 == 0 else [2, 3, 1, 0]
        spec = [ReadSpec(float(v), self.reading.gate, max(self.reading.samples, SAMPLES)) for v in levels]
        rows, cols = backend.macro_shape
        cells = Cells.grid(range(macro * rows, (macro + 1) * rows), range(cols))
        voltages = played(float(levels[0]) * patterns(rows))
        read = {k: backend.read(cells, spec[k]) for k in order[:2]}
        currents = backend.multiply(voltages, macro)
        read |= {k: backend.read(cells, spec[k]) for k in order[2:]}
        return {
            "macro": np.array(macro),
            "levels": levels,
            "samples": np.array(spec[0].samples),
            "conductance": np.array([read[k].reshape(rows, cols) for k in range(len(levels))]),
            "voltages": voltages,
            "currents": currents,
        }

    def evaluate(self, parts: Sequence[Columns], known: Known) -> Found:
        """Return gain, offset (A) and nonlinearity of the wide range, and line and switch resistance (ohm)."""
        readout = known["readout"]
        found = fitted(parts, readout)
        wide, cells = found.wide, found.pieces[0].data.conductance
        scale = max(1.0, found.chi2 / found.freedom)
        return Found(
            {
                "adc_gain": wide.gain,
                "adc_offset": wide.offset,
                "adc_inl": wide.inl,
                "r_line": np.array(wide.lines.r_line),
                "r_switch": np.array(wide.lines.r_switch),
            },
            {"adc_gain": "1", "adc_offset": "A", "adc_inl": "1", "r_line": "ohm", "r_switch": "ohm"},
            scale * found.inverse + carried(found, readout),
            {"v_product": float(parts[0]["levels"][0]), "gate": self.reading.gate},
            {"chi2_per_dof": found.chi2 / found.freedom, "dof": float(found.freedom)},
        )

    def figures(self, parts: Sequence[Columns], record: Record) -> "dict[str, tuple[Figure, str]]":
        """Return figures."""
        return {}


def fitted(parts: Sequence[Columns], readout: Record) -> Fitted:
    """Return the fit to all parts."""
    macros = sorted({int(part["macro"]) for part in parts})
    return fit([MacroData.of(m, [p for p in parts if int(p["macro"]) == m], readout) for m in macros])


def macros_of(backend: Backend) -> int:
    """Return how many macros the bench has."""
    return backend.shape[0] // backend.macro_shape[0]


def largest(backend: Backend, reading: ReadSpec) -> float:
    """Return the largest voltage (V) of a product that the limits allow in all rows, converters corrected."""
    top = min(abs(reading.v_read), backend.limits.v_read)
    rows = np.full(backend.macro_shape[0], ROOM * top)
    asked = [backend.correction.inputs(sign * rows, m) for m in range(macros_of(backend)) for sign in (1, -1)]
    return ROOM * top * min(1.0, top / max(float(np.abs(one).max()) for one in asked))
