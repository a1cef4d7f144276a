"""Carry out the products of a decoder on macros: inputs as row voltages, sums as column currents."""

from collections.abc import Mapping
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.backend import Backend
from rramlab.letters.decoder import Decoder
from rramlab.tile import Tile
from rramlab.tiling import Tiling

FloatArray = NDArray[np.float64]

FULL_SCALE = 0.1
"""Row voltage (V) of the largest input: half of what a reading takes, since a cell conducts up to some per
cent better at 0.2 V than near 0 V, and its weight would depend on its input."""
HEADROOM = 1.1
"""Largest input that a layer takes, of the largest that the training latents bring."""


def ranges_of(decoder: Decoder, points: FloatArray) -> dict[str, float]:
    """Return the largest input of each layer (its units) for points (n, 2), with headroom."""
    ranges = {}

    def product(name: str, rows: FloatArray) -> FloatArray:
        ranges[name] = HEADROOM * float(np.abs(rows).max())
        return rows @ decoder.matrices[name]

    decoder.decode(points, product)
    return ranges


@final
class MacroProduct:
    """Multiply rows of inputs by the matrix of a layer in the macros: `Decoder.decode(x, MacroProduct(...))`.

    An input x stands as the row voltage `volts` x / range, with its sign; what is beyond the range of its
    layer is clipped and counted in `clipped`. `products` counts vectors that went to a macro.
    """

    def __init__(
        self, backend: Backend, tiling: Tiling, ranges: Mapping[str, float], volts: float | None = None
    ) -> None:
        self._backend = backend
        self._tiling = tiling
        self._ranges = ranges
        self.volts = min(FULL_SCALE, backend.limits.v_read) if volts is None else volts
        self.clipped = 0
        self.products = 0

    def __call__(self, layer: str, rows: FloatArray) -> FloatArray:
        """Return the products (m, outputs) of rows (m, inputs) with the matrix of a layer."""
        scale = self.volts / self._ranges[layer]
        driven = np.clip(scale * rows, -self.volts, self.volts)
        self.clipped += int(np.count_nonzero(driven != scale * rows))
        found = np.zeros((len(rows), self._tiling.size(layer)[1]))
        for tile in self._tiling.of(layer):
            found[:, slice(*tile.piece.outputs)] += self._multiplied(tile, driven)
        return found / (scale * self._tiling.copies[layer])

    def _multiplied(self, tile: Tile, driven: FloatArray) -> FloatArray:
        voltages = tile.voltages(driven, self._backend.macro_shape[0])
        self.products += len(voltages)
        return tile.products(self._backend.multiply(voltages, tile.place.macro))
