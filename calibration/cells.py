"""Choose the cells on which a bench is calibrated, and make them ready where nobody minds.

Every row and every column needs cells of a low and of a high conductance, in which its offset and its gain
show in different proportions. They lie on shifted diagonals whose distances all differ, so that rows and
columns hang together by many ways.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify import Spec, WriteVerify
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.errors import CalibrationError
from rramlab.quantity import format_quantity
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LEVELS = (25e-6, 90e-6)
"""What cells are programmed to (S): well apart, and both within the window of the other work."""
BANDS = ((15e-6, 45e-6), (60e-6, 120e-6))
"""What counts as low and as high (S)."""
PER_LINE = 8
"""Cells of each row and each column that are measured."""
LEAST = 2
"""Low cells, and high cells, without which a row or a column is not calibrated."""
MISSING = 0.05
"""Share of lines that may lack cells: a dead line must not keep the others from being calibrated."""
TOLERANCE = 4e-6
"""How near (S) to its level a cell is programmed: where it is matters little, it is measured anyway."""
SETTLING = 300.0
"""Time (s) after programming in which the cells relax before they are measured."""
_SAMPLES = 4


@final
@dataclass(frozen=True)
class Pattern:
    """Hold which cells of a macro of rows x columns are for calibration: `per_line` of each line."""

    rows: int
    cols: int
    per_line: int = PER_LINE

    @property
    def per_column(self) -> int:
        """Return how many cells of each column it takes to have `per_line` of each row as well."""
        wanted = -(-self.per_line * max(self.rows, self.cols) // self.cols)
        return min(wanted, self.rows)

    def walk(self, col: int) -> IntArray:
        """Return all rows in the order in which cells of a column are looked for.

        Those of the first k are the rows of k diagonals, at distances 1, 2, 3... from each other.
        """
        steps = np.cumsum(np.arange(2 * self.rows)) % self.rows
        shifts = np.concatenate([steps, np.arange(self.rows)])
        _, first = np.unique(shifts, return_index=True)
        return np.asarray((col + shifts[np.sort(first)]) % self.rows, dtype=np.int64)

    def targets(self) -> FloatArray:
        """Return what to program (S, rows x columns), NaN for what is left alone: low and high in turn."""
        plane = np.full((self.rows, self.cols), np.nan)
        for col in range(self.cols):
            rows = self.walk(col)[: self.per_column]
            plane[rows, col] = np.resize(LEVELS, len(rows))
        return plane

    def chosen(self, conductance: FloatArray, cols: range) -> tuple[IntArray, IntArray]:
        """Return rows and columns of the best cells there are in these columns (S, rows x columns)."""
        found = [(self._of_column(conductance[:, col], col), col) for col in cols]
        rows = [np.sort(rows) for rows, _ in found]
        return np.concatenate(rows), np.repeat([col for _, col in found], [len(one) for one in rows])

    def lacking(self, conductance: FloatArray) -> list[str]:
        """Return the lines in which too few of the chosen cells are low or high, such as "row 3"."""
        rows, cols = self.chosen(conductance, range(self.cols))
        counts = {"row": (rows, self.rows), "column": (cols, self.cols)}
        few = []
        for name, (line, size) in counts.items():
            for band in BANDS:
                inside = within(conductance[rows, cols], band)
                few += [(name, n) for n in np.flatnonzero(np.bincount(line[inside], minlength=size) < LEAST)]
        return [f"{name} {n}" for name, n in sorted(set(few))]

    def _of_column(self, conductance: FloatArray, col: int) -> IntArray:
        walk = self.walk(col)
        half = -(-self.per_column // 2)
        picked = [walk[within(conductance[walk], band)][:half] for band in BANDS]
        return np.asarray(np.concatenate(picked)[: 2 * half], dtype=np.int64)


def within(conductance: FloatArray, band: tuple[float, float]) -> BoolArray:
    """Return which conductances lie in a band (S, S)."""
    return np.asarray((conductance >= band[0]) & (conductance <= band[1]))


def reading_of(backend: Backend, macro: int, reading: ReadSpec) -> FloatArray:
    """Return the conductance (S, rows x columns) of the cells of a macro, read a few times."""
    rows, cols = backend.macro_shape
    cells = Cells.grid(range(macro * rows, (macro + 1) * rows), range(cols))
    return backend.read(cells, ReadSpec(reading.v_read, reading.gate, _SAMPLES)).reshape(rows, cols)


def macros_of(backend: Backend) -> int:
    """Return how many macros a bench has."""
    return backend.shape[0] // backend.macro_shape[0]


def make_ready(backend: Backend, macros: range, reading: ReadSpec, prepare: bool) -> int:
    """Return how many cells were programmed so that every line of these macros has cells to be measured on.

    CalibrationError if there are too few and nobody allowed to program any.
    """
    pattern = Pattern(*backend.macro_shape)
    wanting = [m for m in macros if _lacks(pattern, reading_of(backend, m, reading))]
    if not wanting:
        return 0
    if not prepare:
        raise CalibrationError(_refusal(pattern, backend, wanting[0], reading))
    return _programmed(backend, pattern, wanting, reading)


def _lacks(pattern: Pattern, conductance: FloatArray) -> bool:
    allowed = max(1.0, MISSING * (pattern.rows + pattern.cols))
    return len(pattern.lacking(conductance)) > allowed


def _refusal(pattern: Pattern, backend: Backend, macro: int, reading: ReadSpec) -> str:
    lines = pattern.lacking(reading_of(backend, macro, reading))
    low, high = (f"{format_quantity(a, 'S')} to {format_quantity(b, 'S')}" for a, b in BANDS)
    count = int(np.isfinite(pattern.targets()).sum())
    return (
        f"{len(lines)} of {pattern.rows + pattern.cols} lines of macro {macro} (the first is {lines[0]}) "
        f"lack cells to calibrate on: each row and each column needs {LEAST} or more of {low} and of {high}; "
        f"--prepare programs {count} of the {pattern.rows * pattern.cols} cells of each such macro to "
        f"{' and '.join(format_quantity(level, 'S') for level in LEVELS)} and overwrites what they hold"
    )


def _programmed(backend: Backend, pattern: Pattern, macros: list[int], reading: ReadSpec) -> int:
    """Program those cells of the pattern that are not good already, and let them relax."""
    plane = pattern.targets()
    chosen = []
    for macro in macros:
        found = reading_of(backend, macro, reading)
        off = np.abs(found - plane) > TOLERANCE
        row, col = np.nonzero(np.isfinite(plane) & off)
        chosen.append((row + macro * pattern.rows, col, plane[row, col]))
    row, col, target = (np.concatenate(column) for column in zip(*chosen, strict=True))
    spec = Spec(tolerance=TOLERANCE, reading=reading, passes=1, wait=SETTLING)
    WriteVerify(backend, spec=spec).program(Cells(row, col), target)
    return len(row)
