"""Map a whole network to the macros of a bench and back, one macro per layer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.cells import Cells
from rramlab.diffusion.network import ScoreWeights
from rramlab.errors import InputError
from rramlab.loop import Region
from rramlab.mapping import REFERENCE, WINDOW, LayerMapping, finite
from rramlab.placement import MACRO_SIDE, Placement

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Targets:
    """Hold what to program: `cells`, their `conductances` (S), and how many of those were clipped."""

    cells: Cells
    conductances: FloatArray
    clipped: int = 0


@final
@dataclass(frozen=True)
class NetworkMapping:
    """Hold the mapping and the placement of each layer of a network, first layer first.

    A weight is the mean over its copies of (G - G_ref) / scale. The last copy can be trimmed to make up for
    what all others miss, so that with n copies the error of a weight is that of one cell over n.
    """

    layers: tuple[LayerMapping, ...]
    placements: tuple[Placement, ...]

    @classmethod
    def fit(
        cls,
        weights: ScoreWeights,
        window: tuple[float, float] = WINDOW,
        reference: float = REFERENCE,
        margin: float = 0.0,
        copies: Sequence[int] = (1, 1, 1),
    ) -> "NetworkMapping":
        """Choose the scale of each layer as `LayerMapping.fit` does, and put layer l on macro l."""
        layers = tuple(LayerMapping.fit(w, window, reference, margin) for w in weights.layers)
        pairs = enumerate(zip(weights.layers, copies, strict=True))
        return cls(layers, tuple(Placement.first(macro, len(w), len(w.T), n) for macro, (w, n) in pairs))

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns of the stacked macros."""
        return MACRO_SIDE * (1 + max(place.macro for place in self.placements)), MACRO_SIDE

    def moved(self, usable: NDArray[np.bool_]) -> "NetworkMapping":
        """Return the mapping with each layer where its macro has the fewest unusable cells."""
        return NetworkMapping(self.layers, tuple(place.moved(usable) for place in self.placements))

    def regions(self) -> tuple[Region, ...]:
        """Return the places of the layers as a closed-loop run names them."""
        return tuple(place.region for place in self.placements)

    def reference_targets(self) -> Targets:
        """Return the reference cells with the nominal reference of their layer."""
        cells = [place.reference_cells() for place in self.placements]
        wanted = [np.full(len(place.rows), layer.reference) for layer, place in self._pairs()]
        return _join(cells, wanted)

    def weight_targets(self, weights: ScoreWeights, measured: ArrayLike | None = None) -> Targets:
        """Return the cells of all copies of the weights with their conductances, clipped and counted.

        `measured` (96, 32) in S, when given, is a map of the macros from which the references are taken.
        """
        ground = None if measured is None else self._ground(measured)
        places = [(i, copy) for i, place in enumerate(self.placements) for copy in range(place.copies)]
        found = [
            self.layers[i].clip_to_conductance(
                weights.layers[i], None if ground is None else self._references(i, ground, copy)
            )
            for i, copy in places
        ]
        cells = [self.placements[i].weight_cells(copy) for i, copy in places]
        return _join(cells, [wanted.ravel() for wanted, _ in found], sum(clipped for _, clipped in found))

    def trimmed(self, weights: ScoreWeights, targets: Targets, effective: ArrayLike) -> Targets:
        """Return new conductances for the last copy of each layer that make up for what the network misses.

        `targets` are those of the last writing, `effective` a map (96, 32) in S of what the macros do in use:
        drop along the wires and the voltage of use included. The target of a cell is moved by the miss of
        its weight, whatever caused it.
        """
        aimed = np.full(self.shape, np.nan)
        aimed[targets.cells.row, targets.cells.col] = targets.conductances
        found = self.to_weights(effective, weights)
        cells, wanted, clipped = [], [], 0
        for i, (layer, place) in enumerate(self._pairs()):
            last = place.weight_cells(place.copies - 1)
            miss = place.copies * layer.scale * (found.layers[i] - weights.layers[i])
            moved = _at(aimed, last) - miss.ravel()
            cells.append(last)
            wanted.append(np.clip(moved, *layer.window))
            clipped += int(np.count_nonzero(wanted[-1] != moved))
        return _join(cells, wanted, clipped)

    def to_weights(self, measured: ArrayLike, like: ScoreWeights) -> ScoreWeights:
        """Return the network that a conductance map (96, 32) in S holds, with its own references.

        Everything that is not in conductances (embedding, gain, schedule) is taken from `like`.
        """
        ground = self._ground(measured)
        found = [
            np.mean([self._copy_weights(i, ground, copy) for copy in range(place.copies)], axis=0)
            for i, place in enumerate(self.placements)
        ]
        return like.with_layers(*found)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and lists, as it is stored with a run."""
        return {"layers": [layer.to_dict() | asdict(place) for layer, place in self._pairs()]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "NetworkMapping":
        """Return the mapping written by `to_dict`."""
        entries: Sequence[Mapping[str, Any]] = data["layers"]
        places = (Placement(e["macro"], tuple(e["rows"]), tuple(e["columns"]), e["copies"]) for e in entries)
        return cls(tuple(LayerMapping.from_dict(e) for e in entries), tuple(places))

    def _pairs(self) -> list[tuple[LayerMapping, Placement]]:
        """Return mapping and placement of each layer."""
        return list(zip(self.layers, self.placements, strict=True))

    def _copy_weights(self, layer: int, ground: FloatArray, copy: int) -> FloatArray:
        """Return the weights that one copy of one layer stands for."""
        place = self.placements[layer]
        values = _at(ground, place.weight_cells(copy)).reshape(place.inputs, place.outputs)
        return self.layers[layer].to_weight(values, self._references(layer, ground, copy))

    def _references(self, layer: int, ground: FloatArray, copy: int) -> FloatArray:
        """Return the references (S) of one copy of one layer from a conductance map."""
        place = self.placements[layer]
        values = _at(ground, place.reference_cells()).reshape(place.copies, place.inputs)
        return finite("references", values[copy])

    def _ground(self, measured: ArrayLike) -> FloatArray:
        """Return a conductance map, or refuse one that does not hold all macros."""
        ground = np.asarray(measured, float)
        if ground.ndim != 2 or ground.shape[0] < self.shape[0] or ground.shape[1] != self.shape[1]:
            raise InputError(f"a conductance map of shape {ground.shape} was given; needed is {self.shape}")
        return ground


def _join(cells: list[Cells], wanted: list[FloatArray], clipped: int = 0) -> Targets:
    """Return the cells of all layers as one list of targets."""
    joined = Cells(np.concatenate([c.row for c in cells]), np.concatenate([c.col for c in cells]))
    return Targets(joined, np.concatenate(wanted), clipped)


def _at(ground: FloatArray, cells: Cells) -> FloatArray:
    """Return the values of a map at some cells."""
    return np.asarray(ground[cells.row, cells.col])
