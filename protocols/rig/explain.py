"""Explain failures of an array by what they have in common, or say that they have nothing in common."""

from dataclasses import dataclass
from math import log, log10
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.rig.lines import runs_of
from protocols.rig.odds import gathering, in_words, log10_binomial, log10_chance
from protocols.rig.regions import Family, families

BoolArray = NDArray[np.bool_]

LARGEST_ODDS = 1e-3
"""An explanation that chance gives more often than this is none (all parts that were tried counted in)."""
WHOLE = 0.9
"""Share of a part that failed from which on the part itself failed, and not some of its cells."""
WHOLE_ARRAY, WORST_RATE = 0.98, 0.15
"""Share of an array that failed from which on it failed as a whole; worst rate of published arrays."""
MOST_EXPLANATIONS = 12
_SINGULAR = {"do": "does", "are": "is", "hold": "holds", "give": "gives"}


@final
@dataclass(frozen=True, eq=False)
class Explanation:
    """Hold a part of the array that failed: in words, as a map, and how likely chance does the same.

    `failed` of the `cells` that were examined in it failed; `log10_odds` counts all parts that were tried.
    """

    where: str
    mask: BoolArray
    failed: int
    cells: int
    log10_odds: float

    @property
    def is_whole(self) -> bool:
        """Tell whether the part failed, and not only many of its cells."""
        return self.failed >= WHOLE * self.cells

    def sentence(self, they_do: str = "do not answer") -> str:
        """Return the explanation in words; `they_do` is what failed lines do, in the plural."""
        done = they_do if self.is_whole else f"hold more cells than chance that {they_do}"
        subject, lines = self._subject(), self.where.partition(",")[0]
        is_one = lines.rpartition(" ")[0] in ("word line", "column", "macro") or lines.startswith("the ")
        done = _singular(done) if is_one else done
        count = f"{self.failed} of {self.cells} cells"
        return f"{subject} {done} ({count}; by chance {in_words(self.log10_odds)})"

    def _subject(self) -> str:
        if " bit " not in self.where:
            return self.where
        rows, cols = np.atleast_1d(self.mask.any(axis=1)), np.atleast_1d(self.mask.any(axis=0))
        row, col, every = runs_of(rows), runs_of(cols), (rows.all(), cols.all())
        if row and every[1]:
            return f"word lines {row} ({self.where})"
        return f"columns {col} ({self.where})" if col and every[0] else f"cells with {self.where}"


def _singular(they_do: str) -> str:
    first, _, rest = they_do.partition(" ")
    return f"{_SINGULAR.get(first, first)} {rest}"


def explain(
    failed: BoolArray, examined: BoolArray | None = None, macro_rows: int | None = None
) -> list[Explanation]:
    """Return the simplest parts of the array that account for the failures, each with its odds.

    `failed` is a map (rows, columns), `examined` what was looked at (all), `macro_rows` the rows of a macro.
    Of all parts the one is taken that gains most likelihood for the failures, less the logarithm of how many
    parts of its kind there are (a description length); whole parts before those that fail in part. Its
    odds are those of Fisher's exact test times the number of parts tried. Its cells are taken away, and the
    rest is explained in the same way until chance does as well.
    """
    seen = np.ones(failed.shape, bool) if examined is None else examined.copy()
    tried = families(failed.shape, macro_rows or failed.shape[0])
    found: list[Explanation] = []
    while len(found) < MOST_EXPLANATIONS:
        best = _best(failed & seen, seen, tried)
        if best is None:
            break
        found.append(best)
        seen &= ~best.mask
    return found


def _best(failed: BoolArray, seen: BoolArray, tried: list[Family]) -> Explanation | None:
    failures, cells = int(failed.sum()), int(seen.sum())
    if failures == 0:
        return None
    if failures >= WHOLE_ARRAY * cells:
        return _whole(failures, seen)
    counted = [(family, family.count(failed), family.count(seen)) for family in tried]
    for least in (WHOLE, 0.0):
        best = _heaviest(counted, failures, cells, least)
        if best is None:
            continue
        family, index, inside, size = best
        odds = log10_chance(inside, size, failures, cells) + log10(sum(each.size for each in tried))
        if odds <= log10(LARGEST_ODDS):
            return Explanation(family.name(index), family.mask(index), inside, size, odds)
    return None


def _heaviest(
    counted: list[tuple[Family, NDArray[np.float64], NDArray[np.float64]]],
    failures: int,
    cells: int,
    least: float,
) -> tuple[Family, int, int, int] | None:
    """Return the part with the largest gain, less what it costs to name it, and its counts."""
    best, found = 0.0, None
    for family, inside, size in counted:
        fits = (inside >= least * size) & (inside >= 2)
        gain = np.where(fits, gathering(inside, size, failures, cells) - log(family.size), 0.0)
        top = int(np.argmax(gain))
        if gain[top] > best + 1e-9:
            best, found = float(gain[top]), (family, top, int(inside[top]), int(size[top]))
    return found


def _whole(failures: int, seen: BoolArray) -> Explanation | None:
    cells = int(seen.sum())
    odds = log10_binomial(failures, cells, WORST_RATE)
    if odds > log10(LARGEST_ODDS):
        return None
    where = "the whole array" if seen.all() else "all that was examined"
    return Explanation(where, seen.copy(), failures, cells, odds)
