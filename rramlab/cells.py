"""Name cells of a macro by row and column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError

IntArray = NDArray[np.intp]
_RANGE = re.compile(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*")
_TERM = re.compile(r"r([\d\s-]+),?\s*c([\d\s-]+)")
_MOST = 1 << 24
"""Cells that one text may name: a typing error must not fill the memory."""


@final
@dataclass(frozen=True, eq=False)
class Cells:
    """Hold the rows and columns of the cells that a request is about, in the order of the request."""

    row: IntArray
    col: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", _whole(self.row, "rows"))
        object.__setattr__(self, "col", _whole(self.col, "columns"))
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
        match = _TERM.fullmatch(term)
        if match is None:
            raise InputError(
                f"'{term}' names no cell; write for example 'r3c7', 'r0-31,c4' or 'r3c7; r5c0-3'"
            )
        rows, cols = _span(match[1], term), _span(match[2], term)
        if max(rows.stop, cols.stop) > _MOST or len(rows) * len(cols) > _MOST:
            raise InputError(f"'{term}' names more cells than any bench has ({_MOST:,}); name fewer")
        return cls.grid(rows, cols)

    def __str__(self) -> str:
        boxes: list[_Box] = []
        for box in _row_runs(self):
            above = boxes[-1] if boxes else None
            if above is not None and above.cols == box.cols and above.rows.stop == box.rows.start:
                boxes[-1] = _Box(range(above.rows.start, box.rows.stop), box.cols)
            else:
                boxes.append(box)
        return "; ".join(map(str, boxes)) or "no cells"

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

    def columns(self) -> dict[str, NDArray[np.int32]]:
        """Return rows and columns as named columns for the record."""
        return {"row": self.row.astype(np.int32), "col": self.col.astype(np.int32)}

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
                f"of {shape[0]} rows x {shape[1]} columns; the last one is r{shape[0] - 1}c{shape[1] - 1}"
            )
        flat = self.flat(shape[1])
        if np.unique(flat).size != flat.size:
            raise InputError("a cell is named twice in one request; name each cell once")


def _span(text: str, term: str) -> range:
    match = _RANGE.fullmatch(text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise InputError(f"'{text}' in '{term}' is not a range; write 'low-high' such as '0-31'")
    return range(int(match[1]), int(match[2] or match[1]) + 1)


def _whole(values: IntArray, what: str) -> IntArray:
    given = np.atleast_1d(np.asarray(values))
    if given.dtype.kind not in "iu" and given.size > 0:
        raise InputError(f"{what} are whole numbers; {given.dtype} was given, as in {given.flat[0]}")
    return given.astype(np.intp, copy=False)


@final
@dataclass(frozen=True)
class _Box:
    rows: range
    cols: range

    def __str__(self) -> str:
        return f"r{_text(self.rows)}c{_text(self.cols)}"


def _row_runs(cells: Cells) -> Iterator[_Box]:
    """Yield the longest runs of neighbours in a row, in the order of the request."""
    breaks = np.flatnonzero((np.diff(cells.row) != 0) | (np.diff(cells.col) != 1)) + 1
    edges = [0, *breaks.tolist(), len(cells)] if len(cells) else []
    for first, stop in pairwise(edges):
        row, col = int(cells.row[first]), int(cells.col[first])
        yield _Box(range(row, row + 1), range(col, col + stop - first))


def _text(span: range) -> str:
    return f"{span.start}-{span.stop - 1}" if len(span) > 1 else f"{span.start}"
