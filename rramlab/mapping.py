"""Mapping of weights to conductances and back, with one reference conductance per row.

A weight is w_ij = (G_ij - G_ref,i) / k: cell (i, j) against the reference of its row i. Rows are inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.cells import Cells
from rramlab.diffusion.network import ScoreWeights
from rramlab.errors import InputError
from rramlab.loop import Region

FloatArray = NDArray[np.float64]

WINDOW = (20e-6, 100e-6)
REFERENCE = 50e-6
MACRO_SIDE = 32
NEGLIGIBLE = 1e-9


@final
@dataclass(frozen=True)
class LayerMapping:
    """Hold how one layer stands in conductances: window (S), reference (S), scale k (S per unit weight)."""

    window: tuple[float, float]
    reference: float
    scale: float

    def __post_init__(self) -> None:
        """Refuse a window without room on both sides of the reference, or a scale that is none."""
        low, high = self.window
        if not 0.0 < low < self.reference < high < float("inf"):
            raise InputError(
                f"reference {_us(self.reference)} in window {_us(low)} to {_us(high)} was asked for; "
                "the reference must lie inside the window, and the window above 0 S"
            )
        if not 0.0 < self.scale < float("inf"):
            raise InputError(
                f"scale {self.scale!r} S per unit weight was asked for; it must be finite and above 0"
            )

    @classmethod
    def fit(
        cls,
        weights: ArrayLike,
        window: tuple[float, float] = WINDOW,
        reference: float = REFERENCE,
        margin: float = 0.0,
    ) -> "LayerMapping":
        """Choose the largest scale that keeps all weights inside the window less `margin` (S) at both ends.

        The largest scale makes a given error of a conductance the smallest error of a weight. The margin
        leaves room for targets that follow a reference which was programmed a little off.
        """
        values = _finite("weights", weights)
        largest, smallest = float(values.max(initial=0.0)), float(values.min(initial=0.0))
        up, down = window[1] - margin - reference, reference - margin - window[0]
        if not (up > 0.0 and down > 0.0 and margin >= 0.0):
            raise InputError(
                f"margin {_us(margin)} was asked for; possible is 0 S up to less than both sides' room"
            )
        rooms = [room / reach for room, reach in ((up, largest), (down, -smallest)) if reach > NEGLIGIBLE]
        return cls(window, reference, min(rooms, default=up))

    @property
    def weight_range(self) -> tuple[float, float]:
        """Return the smallest and largest weight that the window can hold against the nominal reference."""
        return (self.window[0] - self.reference) / self.scale, (self.window[1] - self.reference) / self.scale

    def to_conductance(self, weights: ArrayLike, references: ArrayLike | None = None) -> FloatArray:
        """Return the conductances (S) of weights (rows, columns); InputError when one is outside the window.

        `references` (rows,) in S, when measured, take the place of the nominal reference, so that the
        error of a reference does not enter the weights of its row.
        """
        conductances, clipped = self.clip_to_conductance(weights, references)
        if clipped:
            low, high = self.weight_range
            raise InputError(
                f"{clipped} of {conductances.size} weights cannot be held by the window "
                f"{_us(self.window[0])} to {_us(self.window[1])}; possible are about {low:.4g} to {high:.4g} "
                f"at {_us(self.scale)} per unit weight; refit the scale, or clip with `clip_to_conductance`"
            )
        return conductances

    def clip_to_conductance(
        self, weights: ArrayLike, references: ArrayLike | None = None
    ) -> tuple[FloatArray, int]:
        """Return the conductances (S) clipped to the window, and how many were clipped."""
        wanted = self._row_references(references) + self.scale * _finite("weights", weights)
        low, high = self.window
        # A weight that sets the scale lands on the edge give or take rounding: that is no clipping.
        outside = (wanted < low * (1.0 - 1e-9)) | (wanted > high * (1.0 + 1e-9))
        return np.clip(wanted, low, high), int(np.count_nonzero(outside))

    def to_weight(self, conductances: ArrayLike, references: ArrayLike | None = None) -> FloatArray:
        """Return the weights that conductances (rows, columns) in S stand for, inside the window or not."""
        return (_finite("conductances", conductances) - self._row_references(references)) / self.scale

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping as plain numbers, in S."""
        return {"window": list(self.window), "reference": self.reference, "scale": self.scale}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "LayerMapping":
        """Return the mapping written by `to_dict`."""
        low, high = (float(value) for value in data["window"])
        return cls((low, high), float(data["reference"]), float(data["scale"]))

    def _row_references(self, references: ArrayLike | None) -> FloatArray:
        """Return the references as a column (rows, 1), or the nominal one."""
        if references is None:
            return np.full((1, 1), self.reference)
        return _finite("references", references).reshape(-1, 1)


@final
@dataclass(frozen=True)
class Placement:
    """Hold where one layer stands: macro, rows (inputs) and columns (outputs), first row and column.

    The weights begin at `row`, `column` of the macro; the column behind them holds the references. The
    macros of a bench are stacked, so a global row is 32 * macro + row.
    """

    macro: int
    rows: int
    columns: int
    row: int = 0
    column: int = 0

    def __post_init__(self) -> None:
        """Refuse a layer that does not fit into one macro beside its reference column."""
        fits = self.row + self.rows <= MACRO_SIDE and self.column + self.columns < MACRO_SIDE
        if not fits or min(self.macro, self.row, self.column) < 0 or min(self.rows, self.columns) < 1:
            raise InputError(
                f"layer of {self.rows} x {self.columns} at r{self.row}c{self.column} of macro {self.macro} "
                f"was asked for; possible are 1..{MACRO_SIDE} rows and 1..{MACRO_SIDE - 1} columns inside "
                f"{MACRO_SIDE} x {MACRO_SIDE}, one column being kept for the references"
            )

    @property
    def region(self) -> Region:
        """Return the place as a closed-loop run names it."""
        return Region(MACRO_SIDE * self.macro + self.row, self.column, self.rows, self.columns)

    def weight_cells(self) -> Cells:
        """Return the cells of the weights, row by row."""
        return Cells.grid(range(self.rows), range(self.columns)).shifted(self.region.row, self.column)

    def reference_cells(self) -> Cells:
        """Return the cells of the references, one for each row."""
        return Cells.grid(range(self.rows), range(1)).shifted(self.region.row, self.column + self.columns)

    def moved(self, usable: NDArray[np.bool_]) -> "Placement":
        """Return the place in its macro with the fewest unusable cells, for a map of the whole bench."""
        macro = usable[MACRO_SIDE * self.macro : MACRO_SIDE * (self.macro + 1)]
        windows = np.lib.stride_tricks.sliding_window_view(~macro, (self.rows, self.columns + 1))
        bad = windows.sum(axis=(2, 3))
        row, column = np.unravel_index(int(np.argmin(bad)), bad.shape)
        return replace(self, row=int(row), column=int(column))


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
    """Hold the mapping and the placement of each layer of a network, first layer first."""

    layers: tuple[LayerMapping, ...]
    placements: tuple[Placement, ...]

    @classmethod
    def fit(
        cls,
        weights: ScoreWeights,
        window: tuple[float, float] = WINDOW,
        reference: float = REFERENCE,
        margin: float = 0.0,
    ) -> "NetworkMapping":
        """Choose the scale of each layer as `LayerMapping.fit` does, and put layer l on macro l."""
        layers = tuple(LayerMapping.fit(w, window, reference, margin) for w in weights.layers)
        return cls(layers, tuple(Placement(macro, *w.shape) for macro, w in enumerate(weights.layers)))

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
        wanted = [np.full(place.rows, layer.reference) for layer, place in self._pairs()]
        return _join(cells, wanted)

    def weight_targets(
        self, weights: ScoreWeights, measured: ArrayLike | None = None, only: Sequence[int] | None = None
    ) -> Targets:
        """Return the weight cells with their conductances, clipped to the window and counted.

        `measured` (96, 32) in S, when given, is a map of the macros from which the references are taken;
        `only` names the layers (0 is the first), all if left out.
        """
        chosen = range(len(self.layers)) if only is None else only
        cells = [self.placements[i].weight_cells() for i in chosen]
        found = [
            self.layers[i].clip_to_conductance(
                weights.layers[i], self._references(self.placements[i], measured)
            )
            for i in chosen
        ]
        return _join(cells, [wanted.ravel() for wanted, _ in found], sum(clipped for _, clipped in found))

    def rescaled(self, layer: int, weights: ArrayLike, margin: float) -> "NetworkMapping":
        """Return the mapping with the scale of one layer chosen anew for these weights."""
        old = self.layers[layer]
        new = LayerMapping.fit(weights, old.window, old.reference, margin)
        return replace(self, layers=(*self.layers[:layer], new, *self.layers[layer + 1 :]))

    def to_weights(self, measured: ArrayLike, like: ScoreWeights) -> ScoreWeights:
        """Return the network that a conductance map (96, 32) in S holds, with its own references.

        Everything that is not in conductances (embedding, gain, schedule) is taken from `like`.
        """
        ground = np.asarray(measured, float)
        found = [
            layer.to_weight(
                _at(ground, place.weight_cells()).reshape(place.rows, place.columns),
                self._references(place, ground),
            )
            for layer, place in self._pairs()
        ]
        return like.with_layers(*found)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and lists, as it is stored with a run."""
        return {"layers": [layer.to_dict() | asdict(place) for layer, place in self._pairs()]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "NetworkMapping":
        """Return the mapping written by `to_dict`."""
        entries: Sequence[Mapping[str, Any]] = data["layers"]
        names = ("macro", "rows", "columns", "row", "column")
        places = (Placement(*(int(e[name]) for name in names)) for e in entries)
        return cls(tuple(LayerMapping.from_dict(e) for e in entries), tuple(places))

    def _pairs(self) -> list[tuple[LayerMapping, Placement]]:
        """Return mapping and placement of each layer."""
        return list(zip(self.layers, self.placements, strict=True))

    def _references(self, place: Placement, measured: ArrayLike | None) -> FloatArray | None:
        """Return the references of one layer from a conductance map, if there is one."""
        if measured is None:
            return None
        ground = np.asarray(measured, float)
        if ground.ndim != 2 or ground.shape[0] < self.shape[0] or ground.shape[1] != self.shape[1]:
            raise InputError(f"a conductance map of shape {ground.shape} was given; needed is {self.shape}")
        return _finite("references", _at(ground, place.reference_cells()))


def _join(cells: list[Cells], wanted: list[FloatArray], clipped: int = 0) -> Targets:
    """Return the cells of all layers as one list of targets."""
    joined = Cells(np.concatenate([c.row for c in cells]), np.concatenate([c.col for c in cells]))
    return Targets(joined, np.concatenate(wanted), clipped)


def _at(ground: FloatArray, cells: Cells) -> FloatArray:
    """Return the values of a map at some cells."""
    return np.asarray(ground[cells.row, cells.col])


def _finite(name: str, values: ArrayLike) -> FloatArray:
    """Return the values as float64, or refuse what is not finite."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise InputError(
            f"{np.count_nonzero(~np.isfinite(array))} of {array.size} {name} are not finite numbers"
        )
    return array


def _us(siemens: float) -> str:
    """Return a conductance as text in uS."""
    return f"{siemens * 1e6:.6g} uS"
