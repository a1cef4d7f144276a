"""Name cells of a macro by row and column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

IntArray = NDArray[np.intp]
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_TERM = re.compile(r"r([\d-]+),?c([\d-]+)")


@final
@dataclass(frozen=True, eq=False)
class Cells:
    """Hold the rows and columns of the cells that a request is about, in the order of the request."""

    row: IntArray
    col: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", np.atleast_1d(np.asarray(self.row, dtype=np.intp)))
        object.__setattr__(self, "col", np.atleast_1d(np.asarray(self.col, dtype=np.intp)))
        if self.row.shape != self.col.shape or self.row.ndim != 1:
            raise InputError(
                f"cells need as many rows as columns: {self.row.shape} rows, {self.col.shape} columns"
            )
        if (self.row < 0).any() or (self.col < 0).any():
            raise InputError("rows and columns are counted from 0; a negative one was given")

    @classmethod
    def grid(cls, rows: range, cols: range) -> Self:
        """Return the cells of a rectangle, row by row."""
        row, col = np.meshgrid(np.asarray(rows), np.asarray(cols), indexing="ij")
        return cls(row.ravel(), col.ravel())

    @classmethod
    def of_shape(cls, shape: tuple[int, int]) -> Self:
        """Return all cells of a macro of this shape, row by row."""
        return cls.grid(range(shape[0]), range(shape[1]))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cells of a text such as "r0-31,c4" or "r3c7; r5c0-3"."""
        parts = [cls._term(term.strip()) for term in text.split(";") if term.strip()]
        if not parts:
            raise InputError("no cell was named; write for example 'r3c7' or 'r0-31,c4'")
        return cls(np.concatenate([p.row for p in parts]), np.concatenate([p.col for p in parts]))

    @classmethod
    def _term(cls, term: str) -> Self:
        match = _TERM.fullmatch(term.replace(" ", ""))
        if match is None:
            raise InputError(
                f"'{term}' names no cell; write for example 'r3c7', 'r0-31,c4' or 'r3c7; r5c0-3'"
            )
        return cls.grid(_span(match[1], term), _span(match[2], term))

    def __str__(self) -> str:
        rows, cols = np.unique(self.row), np.unique(self.col)
        whole = len(self) == rows.size * cols.size and len(self) > 0
        if whole and np.array_equal(self.flat(1 << 20), Cells.grid_of(rows, cols).flat(1 << 20)):
            spans = _spans(rows), _spans(cols)
            return "; ".join(f"r{r}c{c}" for r in spans[0] for c in spans[1])
        return "; ".join(f"r{r}c{c}" for r, c in zip(self.row, self.col, strict=True))

    @classmethod
    def grid_of(cls, rows: IntArray, cols: IntArray) -> Self:
        """Return the cells where these rows cross these columns, row by row."""
        return cls(np.repeat(rows, cols.size), np.tile(cols, rows.size))

    def __len__(self) -> int:
        return int(self.row.size)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self.row.tolist(), self.col.tolist(), strict=True))

    def take(self, which: NDArray[np.bool_] | IntArray) -> "Cells":
        """Return the chosen ones of these cells."""
        return Cells(self.row[which], self.col[which])

    def flat(self, cols: int) -> IntArray:
        """Return row * cols + col for each cell."""
        return self.row * cols + self.col

    def shifted(self, row: int, col: int) -> "Cells":
        """Return the cells moved by so many rows and columns."""
        return Cells(self.row + row, self.col + col)

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse cells outside a macro of this shape, and cells named twice."""
        outside = (self.row >= shape[0]) | (self.col >= shape[1])
        if outside.any():
            i = int(np.argmax(outside))
            raise InputError(
                f"cell r{self.row[i]}c{self.col[i]} lies outside this bench "
                f"of {shape[0]} rows x {shape[1]} columns"
            )
        flat = self.flat(shape[1])
        if np.unique(flat).size != flat.size:
            raise InputError("a cell is named twice in one request; name each cell once")


def _span(text: str, term: str) -> range:
    match = _RANGE.fullmatch(text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise InputError(f"'{text}' in '{term}' is not a range; write 'low-high' such as '0-31'")
    return range(int(match[1]), int(match[2] or match[1]) + 1)


def _spans(values: IntArray) -> list[str]:
    groups = np.split(values, np.flatnonzero(np.diff(values) != 1) + 1)
    return [f"{g[0]}-{g[-1]}" if g.size > 1 else f"{g[0]}" for g in groups]
