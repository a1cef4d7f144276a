"""Hold one tile: the piece of a weight matrix that lies in one macro, with references of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.mapping import LayerMapping, finite
from rramlab.placement import Placement, fewest
from rramlab.tile_layout import Piece

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Tile:
    """Hold which piece of which layer stands where, and how its weights stand in conductances.

    A weight is (G - G_ref) / scale; each row has its own reference.
    """

    piece: Piece
    mapping: LayerMapping
    place: Placement

    @property
    def layer(self) -> str:
        """Return the name of the layer."""
        return self.piece.layer

    def conductances(self, matrix: FloatArray, plane: FloatArray | None = None) -> tuple[FloatArray, int]:
        """Return the conductances (S), row by row, against the references of a map (S), if given.

        The second number counts those that the window could not hold.
        """
        references = None if plane is None else self.references(plane)
        wanted, clipped = self.mapping.clip_to_conductance(self.piece.of(matrix), references)
        return wanted.ravel(), clipped

    def references(self, plane: FloatArray) -> FloatArray:
        """Return the references (S) of the rows from a map of the bench."""
        cells = self.place.reference_cells()
        return finite("references", plane[cells.row, cells.col])

    def weights(self, plane: FloatArray) -> FloatArray:
        """Return the weights (inputs, outputs) that a map (S) of the bench stands for."""
        cells = self.place.weight_cells(0)
        values = plane[cells.row, cells.col].reshape(self.place.inputs, self.place.outputs)
        return self.mapping.to_weight(values, self.references(plane))

    def voltages(self, inputs: FloatArray, rows: int) -> FloatArray:
        """Return the row voltages (V) of a macro of so many rows for inputs (V, (m, inputs of the layer)).

        Rows of other tiles stay at 0 V, so that tiles below each other do not hear each other.
        """
        found = np.zeros((len(inputs), rows))
        found[:, self.place.rows] = inputs[:, slice(*self.piece.inputs)]
        return found

    def products(self, currents: FloatArray) -> FloatArray:
        """Return what column currents (A) stand for: sum of input (V) times weight, (m, outputs)."""
        columns = list(self.place.columns)
        above = currents[:, columns[:-1]] - currents[:, columns[-1:]]
        return np.asarray(above / self.mapping.scale)

    def moved(self, bad: NDArray[np.bool_], rows: Sequence[int]) -> "Tile":
        """Return the tile on these rows of its macro and on the columns with the fewest unusable cells.

        `bad` (32, 32) marks them. The references, on which whole rows depend, come into the best of the
        columns. A tile that has these rows and no unusable cell stays.
        """
        place = self.place
        if tuple(rows) == place.rows and not bad[np.ix_(place.rows, place.columns)].any():
            return self
        counts = bad[rows].sum(axis=0)
        columns = fewest(counts, len(place.columns)).tolist()
        best = min(reversed(columns), key=lambda column: counts[column])
        columns = [column for column in columns if column != best] + [best]
        return replace(self, place=replace(place, rows=tuple(rows), columns=tuple(columns)))

    def to_dict(self) -> dict[str, Any]:
        """Return the tile as plain numbers, as it is stored with a run."""
        return {name: asdict(getattr(self, name)) for name in ("piece", "mapping", "place")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Tile":
        """Return the tile written by `to_dict`."""
        piece, place = dict(data["piece"]), dict(data["place"])
        piece |= {name: (piece[name][0], piece[name][1]) for name in ("inputs", "outputs")}
        place |= {name: tuple(place[name]) for name in ("rows", "columns")}
        return cls(Piece(**piece), LayerMapping.from_dict(data["mapping"]), Placement(**place))
