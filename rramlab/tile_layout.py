"""Lay out weight matrices in pieces: how they are split, what lies below what, how many macros it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.placement import MACRO_SIDE

FloatArray = NDArray[np.float64]
Matrices = Mapping[str, FloatArray]
Span = tuple[int, int]
"""First input or output, and the one after the last."""

OUTPUTS = 24
"""Outputs of a piece at most. One column is kept for the references, and seven are spare: of 1024 cells some
do not hold what they are to hold, and a piece goes where there are none."""


@final
@dataclass(frozen=True)
class Piece:
    """Hold a piece of a layer that is to be a tile: its lines, and which copy of them it is."""

    layer: str
    inputs: Span
    outputs: Span
    copy: int = 0

    @property
    def rows(self) -> int:
        """Return the rows that it takes."""
        return self.inputs[1] - self.inputs[0]

    def of(self, matrix: FloatArray) -> FloatArray:
        """Return the piece of a matrix (inputs, outputs) of the layer, or of one like it; a view of it."""
        return matrix[slice(*self.inputs), slice(*self.outputs)]


def pieces_of(matrices: Matrices, copies: Mapping[str, int]) -> list[Piece]:
    """Return the pieces of all copies of all layers, as few as possible."""
    return [
        Piece(name, inputs, outputs, copy)
        for name, matrix in matrices.items()
        for copy in range(copies[name])
        for inputs in spans(matrix.shape[0], MACRO_SIDE)
        for outputs in spans(matrix.shape[1], OUTPUTS)
    ]


def macros_needed(matrices: Matrices, copies: int = 1) -> int:
    """Return how many macros hold so many copies of each weight."""
    return _packed(matrices, dict.fromkeys(matrices, copies))


def copies_that_fit(matrices: Matrices, macros: int, most: int) -> dict[str, int]:
    """Return the copies of each layer, up to `most`, that so many macros hold: one more for each in turn."""
    many = dict.fromkeys(matrices, 1)
    for number in range(2, most + 1):
        for name in matrices:
            more = many | {name: number}
            if many[name] == number - 1 and _packed(matrices, more) <= macros:
                many = more
    return many


def pack(heights: Sequence[int], macros: int | None = None) -> tuple[list[int], list[int]]:
    """Return macro and first row of pieces of these rows: on as few macros as possible, or spread over all.

    The highest come first, each where it still fits; with `macros` into the emptiest one, if all fit so.
    """
    filled = [0] * (len(heights) if macros is None else macros)
    macro, first = [0] * len(heights), [0] * len(heights)
    for i in sorted(range(len(heights)), key=lambda i: -heights[i]):
        fitting = [n for n, rows in enumerate(filled) if rows + heights[i] <= MACRO_SIDE]
        if not fitting:
            return pack(heights)
        number = fitting[0] if macros is None else min(fitting, key=lambda n: filled[n])
        macro[i], first[i] = number, filled[number]
        filled[number] += heights[i]
    return macro, first


def spans(length: int, most: int) -> list[Span]:
    """Return the fewest even parts of `length` lines that are no longer than `most`."""
    parts = -(-length // most)
    edges = [length * k // parts for k in range(parts + 1)]
    return list(pairwise(edges))


def _packed(matrices: Matrices, copies: Mapping[str, int]) -> int:
    return 1 + max(pack([piece.rows for piece in pieces_of(matrices, copies)])[0])
