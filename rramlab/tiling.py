"""Map the matrices of a network onto tiles: pieces of macros, as many macros as it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.mapping import REFERENCE, WINDOW, LayerMapping
from rramlab.network_mapping import Targets
from rramlab.placement import MACRO_SIDE, Placement
from rramlab.tile import Tile
from rramlab.tile_layout import Matrices, copies_that_fit, macros_needed, pack, pieces_of
from rramlab.tile_rows import SPARE, shared

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Tiling:
    """Hold the tiles of all layers, in the order of the layers. A weight is the mean over its copies.

    A layer of more inputs than a macro has rows, or of more than 24 outputs, is split evenly over several
    tiles; tiles of few rows lie below each other in one macro where there are not enough macros. Copies are
    tiles of their own, each around the unusable cells of its place.
    """

    tiles: tuple[Tile, ...]

    @classmethod
    def fit(
        cls,
        matrices: Matrices,
        macros: int,
        window: tuple[float, float] = WINDOW,
        reference: float = REFERENCE,
        margin: float = 0.0,
        copies: int = 1,
    ) -> "Tiling":
        """Lay out matrices (inputs, outputs) on so many macros, up to `copies` of each weight where they fit.

        Each tile has the largest scale that holds its own weights. InputError if the macros are too few.
        """
        check_macros(matrices, macros, copies)
        pieces = pieces_of(matrices, copies_that_fit(matrices, macros, copies))
        corners = zip(*pack([piece.rows for piece in pieces], macros), strict=True)
        tiles = []
        for piece, (macro, row) in zip(pieces, corners, strict=True):
            weights = piece.of(matrices[piece.layer])
            mapping = LayerMapping.fit(weights, window, reference, margin)
            rows, columns = range(row, row + piece.rows), range(weights.shape[1] + 1)
            tiles.append(Tile(piece, mapping, Placement(macro, tuple(rows), tuple(columns))))
        return cls(tuple(tiles))

    @property
    def macros(self) -> int:
        """Return how many macros are used."""
        return 1 + max(tile.place.macro for tile in self.tiles)

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns of the stacked macros."""
        return MACRO_SIDE * self.macros, MACRO_SIDE

    @property
    def copies(self) -> dict[str, int]:
        """Return the copies of each weight, layer by layer."""
        return {tile.layer: 1 + tile.piece.copy for tile in self.tiles}

    def of(self, layer: str) -> tuple[Tile, ...]:
        """Return the tiles of a layer, all copies."""
        return tuple(tile for tile in self.tiles if tile.layer == layer)

    def moved(self, usable: NDArray[np.bool_]) -> "Tiling":
        """Return the tiling with the tiles of each macro around its unusable cells, as far as they can."""
        places: dict[int, Tile] = {}
        for macro in range(self.macros):
            here = [k for k, tile in enumerate(self.tiles) if tile.place.macro == macro]
            places |= dict(zip(here, _around([self.tiles[k] for k in here], usable), strict=True))
        return replace(self, tiles=tuple(places[k] for k in range(len(self.tiles))))

    def cells(self) -> Cells:
        """Return all cells in use."""
        return _joined([tile.place.region.cells() for tile in self.tiles])

    def reference_targets(self) -> Targets:
        """Return the reference cells with the nominal reference of their tile."""
        wanted = [np.full(len(tile.place.rows), tile.mapping.reference) for tile in self.tiles]
        return Targets(_joined([tile.place.reference_cells() for tile in self.tiles]), np.concatenate(wanted))

    def weight_targets(self, matrices: Matrices, measured: ArrayLike | None = None) -> Targets:
        """Return the cells of all copies of the weights with their conductances, clipped and counted.

        `measured` (rows, 32) in S, when given, is a map of the macros from which the references are taken.
        """
        plane = None if measured is None else np.asarray(measured, float)
        found = [tile.conductances(matrices[tile.layer], plane) for tile in self.tiles]
        cells = _joined([tile.place.weight_cells(0) for tile in self.tiles])
        return Targets(cells, np.concatenate([wanted for wanted, _ in found]), sum(n for _, n in found))

    def trimmed(self, matrices: Matrices, targets: Targets, effective: FloatArray) -> Targets:
        """Return new conductances for the last copy of the weights that make up for what all copies miss.

        `targets` are those of the last writing, `effective` a map (S) of what the macros do in use: drop
        along the wires and the voltage of use included.
        """
        aimed = np.full(self.shape, np.nan)
        aimed[targets.cells.row, targets.cells.col] = targets.conductances
        found, cells, wanted, clipped = self.to_matrices(effective), [], [], 0
        for tile in self.tiles:
            if tile.piece.copy == self.copies[tile.layer] - 1:
                miss = tile.piece.of(found[tile.layer] - matrices[tile.layer]).ravel()
                cells.append(tile.place.weight_cells(0))
                moved = aimed[cells[-1].row, cells[-1].col]
                moved = moved - self.copies[tile.layer] * tile.mapping.scale * miss
                wanted.append(np.clip(moved, *tile.mapping.window))
                clipped += int(np.count_nonzero(wanted[-1] != moved))
        return Targets(_joined(cells), np.concatenate(wanted), clipped)

    def to_matrices(self, measured: ArrayLike) -> dict[str, FloatArray]:
        """Return the matrices (inputs, outputs) that a conductance map (S) of the macros stands for."""
        plane = np.asarray(measured, float)
        if plane.ndim != 2 or plane.shape[0] < self.shape[0] or plane.shape[1] != self.shape[1]:
            raise InputError(f"a conductance map of shape {plane.shape} was given; needed is {self.shape}")
        found = {layer: np.zeros(self.size(layer)) for layer in self.copies}
        for tile in self.tiles:
            tile.piece.of(found[tile.layer])[:] += tile.weights(plane) / self.copies[tile.layer]
        return found

    def size(self, layer: str) -> tuple[int, int]:
        """Return the inputs and outputs of a layer."""
        pieces = [tile.piece for tile in self.of(layer)]
        return max(piece.inputs[1] for piece in pieces), max(piece.outputs[1] for piece in pieces)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and lists, as it is stored with a run."""
        return {"tiles": [tile.to_dict() for tile in self.tiles]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Tiling":
        """Return the tiling written by `to_dict`."""
        return cls(tuple(Tile.from_dict(entry) for entry in data["tiles"]))


def check_macros(matrices: Matrices, macros: int, copies: int = 1) -> None:
    """Refuse fewer macros than it takes, and say how many hold `copies` of each weight."""
    least, most = macros_needed(matrices), macros_needed(matrices, copies)
    if macros < least:
        side, room = f"{MACRO_SIDE} x {MACRO_SIDE}", f" ({most} for {copies} copies of each weight)"
        raise InputError(
            f"these {len(matrices)} layers need {least} macros of {side}{room if most > least else ''}; this "
            f"bench has {macros}: set macros = {most} under [backend.options] of the bench file"
        )


def _around(tiles: Sequence[Tile], usable: NDArray[np.bool_]) -> list[Tile]:
    """Return the tiles of one macro around its unusable cells; those that have none mostly stay."""
    owners = np.full(MACRO_SIDE, SPARE)
    for k, tile in enumerate(tiles):
        owners[list(tile.place.rows)] = k
    first = MACRO_SIDE * tiles[0].place.macro if tiles else 0
    bad = ~usable[first : first + MACRO_SIDE]
    owners = shared(bad, owners, [len(tile.place.columns) for tile in tiles])
    return [tile.moved(bad, np.flatnonzero(owners == k).tolist()) for k, tile in enumerate(tiles)]


def _joined(cells: Sequence[Cells]) -> Cells:
    return Cells(np.concatenate([c.row for c in cells]), np.concatenate([c.col for c in cells]))
