"""Choose a network of whatever the cells hold, and say what it makes of a state: from measured products."""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from calibration.loop.runs import REACH, VOLTS, Table, Wiring
from protocols.network import COPIES, MARGIN
from rramlab.backend import Backend
from rramlab.diffusion.store import ring_weights
from rramlab.errors import InputError, Unsupported
from rramlab.loop import Region
from rramlab.network_mapping import NetworkMapping
from rramlab.placement import fewest

FloatArray = NDArray[np.float64]

STATES, HIDDEN, GAIN = 2, 14, 5.0
LAYERS = 3
PRODUCTS, ZEROS, CALLS = 6, 8, 3
"""Products of each row in a call, those of no row at all beside, and calls."""
USUAL, MOST = 0.8, 2.0
"""Pre-activations (network units) that the scales aim at, as rms, and beyond which no hidden unit is used:
published amplifiers clamp at 0.15 V, which is 3 units."""
OUTPUT = 2.0
"""Output (network units) that the last scale aims at, as rms."""
ENOUGH = 0.25
"""Share of what the scales aim at below which they are raised."""
CLEAR = 0.4
"""How far from zero (network units) pre-activations are kept: noise about zero is rectified, which a network
with the mean of its cells does not do, and some cells jump by a tenth of their conductance."""
SOUND = 1e-6, 150e-6
"""What a cell conducts (S) that is neither unformed nor stuck."""


@final
@dataclass(frozen=True, eq=False)
class Network:
    """Hold the weights of a wiring as they were measured, inputs x outputs, and the references (inputs)."""

    weights: tuple[FloatArray, ...]
    references: tuple[FloatArray, ...]
    gain: float

    @classmethod
    def of(cls, wiring: Wiring, products: FloatArray) -> Self:
        """Return the network of a wiring in the matrices (S; macros, rows, cols) that products gave."""
        rows = products.shape[1]
        weights, references = [], []
        for region, scale in zip(wiring.layers, wiring.scale, strict=True):
            macro, lines = region.rows[0] // rows, np.array(region.rows) % rows
            g = products[macro][np.ix_(lines, np.array(region.cols))]
            g = g.reshape(region.copies, region.inputs, -1).sum(axis=0)
            weights.append((g[:, :-1] - g[:, -1:]) / (scale * region.copies))
            references.append(g[:, -1] / (scale * region.copies))
        return cls(tuple(weights), tuple(references), wiring.gain)

    def hidden(
        self, x: FloatArray, embedding: FloatArray, nuisance: "Amplifiers | None" = None
    ) -> list[FloatArray]:
        """Return the activations of both hidden layers for states (..., 2) and embeddings (..., hidden)."""
        signal, found = x, []
        for i in range(LAYERS - 1):
            added = embedding if nuisance is None else embedding + nuisance.offsets[i]
            signal = np.maximum(self._summed(i, signal, nuisance) + added, 0.0)
            found.append(signal)
        return found

    def beyond(self, x: FloatArray, embedding: FloatArray) -> FloatArray:
        """Return by how much (...) a pre-activation comes too near to zero, or an amplifier to its clamp."""
        first = self._summed(0, x, None) + embedding
        both = np.stack([first, self._summed(1, np.maximum(first, 0.0), None) + embedding])
        near, high = CLEAR - np.abs(both).min(axis=(0, -1)), both.max(axis=(0, -1)) - MOST
        return np.asarray(np.maximum(near, 0.0) + np.maximum(high, 0.0))

    def output(
        self, x: FloatArray, embedding: FloatArray, nuisance: "Amplifiers | None" = None
    ) -> FloatArray:
        """Return the amplified output (network units) for states (..., 2) and embeddings (..., hidden)."""
        last = self.hidden(x, embedding, nuisance)[-1]
        return np.asarray(self.gain * self._summed(LAYERS - 1, last, nuisance))

    def _summed(self, layer: int, signal: FloatArray, nuisance: "Amplifiers | None") -> FloatArray:
        plain = signal @ self.weights[layer]
        if nuisance is None:
            return np.asarray(plain)
        common = signal @ self.references[layer]
        return np.asarray(plain + nuisance.losses[layer] * common[..., None])


@final
@dataclass(frozen=True, eq=False)
class Amplifiers:
    """Hold what amplifiers do beside: `offsets` (2, hidden; network units) of the hidden units, `losses` (3).

    A loss is the part of the reference that its amplifier, of finite gain, does not take away.
    """

    offsets: FloatArray
    losses: FloatArray


def check(backend: Backend) -> None:
    """Refuse a bench that has not a macro large enough for each layer of the network."""
    rows, cols = backend.macro_shape
    macros = backend.shape[0] // rows
    if macros < LAYERS or rows < HIDDEN or cols <= HIDDEN:
        raise Unsupported(
            f"the loop is closed through {LAYERS} macros of at least {HIDDEN} x {HIDDEN + 1}, one per layer; "
            f"here are {macros} of {rows} x {cols}"
        )


def products(backend: Backend, calls: int = CALLS) -> FloatArray:
    """Return what the macros do in use (S; macros, rows, cols): a row at a time, less what no row makes.

    At the sign that hidden units have: a path conducts a little differently at the other one.
    """
    rows = backend.macro_shape[0]
    vectors = np.tile(np.concatenate([VOLTS * np.eye(rows), np.zeros((ZEROS, rows))]), (PRODUCTS, 1))
    found = [[_one(backend, vectors, macro) for macro in range(LAYERS)] for _ in range(calls)]
    return np.asarray(np.mean(found, axis=0))


def _one(backend: Backend, vectors: FloatArray, macro: int) -> FloatArray:
    rows, cols = backend.macro_shape
    currents = backend.multiply(vectors, macro).reshape(PRODUCTS, rows + ZEROS, cols).mean(axis=0)
    return np.asarray((currents[:rows] - currents[rows:].mean(axis=0)) / VOLTS)


def chosen(matrices: FloatArray) -> Wiring:
    """Return a wiring like that of the network in use, with larger transimpedances where cells hold little.

    What amplifiers add depends on what hangs on them, so that places and scales of use tell most. InputError
    where the cells hold nothing that could be told from noise.
    """
    regions = tuple(
        _place(matrices[i], i, inputs, outputs, min(COPIES[i], matrices.shape[1] // inputs))
        for i, (inputs, outputs) in enumerate(((STATES, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, STATES)))
    )
    rng = np.random.default_rng(0)  # always the same signals: the choice hangs on the cells alone
    signal, scales = rng.uniform(-REACH, REACH, (256, STATES)), list(usual_scales())
    raw = Network.of(Wiring(regions, tuple(scales), 1.0), matrices).weights
    for i in range(LAYERS):
        size = float(np.sqrt(np.mean((signal @ raw[i]) ** 2)))
        if not size > 0:
            raise InputError(
                "the cells hold nothing that a loop could be closed with; program them: --prepare"
            )
        scales[i] *= _raised(size / (USUAL if i < LAYERS - 1 else OUTPUT / GAIN))
        weights = raw[i] * usual_scales()[i] / scales[i]
        signal = np.maximum(signal @ weights + rng.uniform(-1.0, 1.0, weights.shape[1]), 0.0)
    return Wiring(regions, tuple(scales), GAIN)


def usual_scales() -> tuple[float, ...]:
    """Return the scales (S per unit weight) with which the ring network is used."""
    return tuple(layer.scale for layer in NetworkMapping.fit(ring_weights(), margin=MARGIN).layers)


def _raised(share: float) -> float:
    """Return the factor on a scale for a signal so small, in powers of two: noise does not change it."""
    return float(2.0 ** np.ceil(np.log2(2.0 * share))) if share < ENOUGH else 1.0


def _place(matrix: FloatArray, macro: int, inputs: int, outputs: int, copies: int) -> Region:
    """Return a layer in the first lines with the fewest cells that are not sound, as networks are placed."""
    odd = (matrix < SOUND[0]) | (matrix > SOUND[1])
    cols = fewest(odd.sum(axis=0), outputs + 1)
    rows = fewest(odd[:, cols].sum(axis=1), inputs * copies)
    return Region(tuple((macro * len(matrix) + rows).tolist()), tuple(cols.tolist()), copies)


def columns_of(matrices: FloatArray, wiring: Wiring) -> Table:
    """Return what was measured of a network as columns."""
    return {"products": matrices, **wiring.columns()}
