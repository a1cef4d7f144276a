"""Read the table of a card of known resistors that stands in the sockets in place of the macros."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from calibration.readout.standard import CARD_OHM
from rramlab.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

HEADER = ["row", "col", "ohm"]
UNCERTAIN = "u_ohm"


@final
@dataclass(frozen=True, eq=False)
class Card:
    """Hold resistors (ohm) and their standard uncertainties (ohm), by row and column of the bench."""

    row: IntArray
    col: IntArray
    ohm: FloatArray
    u_ohm: FloatArray

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the card of a table row,col,ohm or row,col,ohm,u_ohm; InputError names a wrong line.

        A resistor whose uncertainty is not told is taken to be known to 1 in 10 000.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = [[word.strip() for word in line] for line in csv.reader(file)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"the resistor card {path} cannot be read: {error}") from None
        if not lines or lines[0] not in (HEADER, [*HEADER, UNCERTAIN]):
            raise InputError(f"the resistor card {path} has no header '{','.join(HEADER)}' in its first line")
        found = list(_resistors(path, lines))
        if not found:
            raise InputError(f"the resistor card {path} names no resistor; give one per line")
        row, col, ohm, u_ohm = (np.array(column) for column in zip(*found, strict=True))
        if len({(r, c) for r, c, _, _ in found}) < len(found):
            raise InputError(f"the resistor card {path} names a socket twice; name each once")
        return cls(row.astype(np.int64), col.astype(np.int64), ohm.astype(float), u_ohm.astype(float))

    def within(self, rows: range, cols: range) -> Self:
        """Return the resistors of a rectangle."""
        inside = (self.row >= rows.start) & (self.row < rows.stop)
        inside &= (self.col >= cols.start) & (self.col < cols.stop)
        return type(self)(self.row[inside], self.col[inside], self.ohm[inside], self.u_ohm[inside])


def _resistors(path: Path, lines: list[list[str]]) -> Iterator[tuple[int, int, float, float]]:
    """Yield row, column, ohm and uncertainty of each line; blank ones are passed over."""
    for number, words in enumerate(lines[1:], 2):
        if not any(words):
            continue
        try:
            row, col, ohm = int(words[0]), int(words[1]), float(words[2])
            u_ohm = float(words[3]) if len(words) > 3 and words[3] else CARD_OHM * ohm
            good = len(words) <= len(lines[0]) and min(row, col) >= 0
            good &= 1.0 <= ohm <= 1e9 and 0 < u_ohm < ohm
        except (ValueError, IndexError):
            good = False
        if not good:
            raise InputError(
                f"the resistor card {path}, line {number}: '{','.join(words)}' is no {','.join(lines[0])} "
                "with a resistance of 1 to 1e9 ohm; correct the line"
            )
        yield row, col, ohm, u_ohm
