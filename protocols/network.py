"""Bring a score network into the macros: good places, references first, then weights against them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.programmed import Programmed
from protocols.write_verify.rounds import UNFORMED
from protocols.write_verify.spec import Spec
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.diffusion.network import ScoreWeights
from rramlab.errors import InputError, Unsupported
from rramlab.network_mapping import NetworkMapping, Targets
from rramlab.placement import MACRO_SIDE
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Watch = Callable[[str, int, int], None]
Write = Callable[[str, Targets], Programmed]
Measure = Callable[[str, Cells], FloatArray]
Use = Callable[[str, int], FloatArray]
Copies = tuple[int, int, int]

LAYERS = 3

COPIES: Copies = (2, 2, 2)
"""Copies of each layer: the macros have rows to spare, and n copies divide the error of a weight by n."""
MARGIN = 3e-6
"""Room at both ends of the window (S)."""
TRIMS = 1
"""Times that the network is measured in use and trimmed."""
VOLTS_IN_USE, PRODUCTS = 0.06, 100
"""Row voltage (V) and number of products that are averaged to measure a network in use."""

SUSPECT = 20e-6, 3.0
"""A cell that reads more than this (S) and than so many times the median of its macro is stuck high."""
CAREFUL_SAMPLES = 64
"""Samples of the readings that enter the mapping."""


@final
@dataclass(frozen=True)
class Writer:
    """Write targets into the macros of a bench; `watch` is called with (what, finished, all)."""

    backend: Backend
    spec: Spec
    watch: Watch

    def write(self, what: str, targets: Targets, resume: Columns | None = None) -> Programmed:
        """Return what became of these targets."""
        engine = WriteVerify(self.backend, None, self.spec, lambda done, total: self.watch(what, done, total))
        return engine.program(targets.cells, targets.conductances, resume=resume)

    def measure(self, what: str, cells: Cells) -> FloatArray:
        """Return a map (S) of the bench with a careful reading of these cells, NaN elsewhere."""
        spec = self.spec.reading
        plane = np.full(self.backend.shape, np.nan)
        careful = ReadSpec(spec.v_read, spec.gate, CAREFUL_SAMPLES)
        plane[cells.row, cells.col] = self.backend.read(cells, careful)
        return plane

    def use(self, what: str, macros: int) -> FloatArray:
        """Return a map (S) of what the macros do in use: one row driven at a time, all word lines on.

        Currents add up linearly, so this is the matrix that the loop multiplies with, the drop along the
        wires included, at about the voltage of the loop.
        """
        rows, cols = self.backend.macro_shape
        vectors = np.tile(VOLTS_IN_USE * np.eye(rows), (PRODUCTS, 1))
        plane = np.full(self.backend.shape, np.nan)
        for macro in range(macros):
            self.watch(what, macro, macros)
            currents = self.backend.multiply(vectors, macro).reshape(PRODUCTS, rows, cols)
            plane[macro * rows : (macro + 1) * rows] = currents.mean(axis=0) / VOLTS_IN_USE
        return plane


def check_macros(backend: Backend) -> None:
    """Refuse a bench that has not one macro of the right size for each layer, or cannot close the loop."""
    rows, cols = backend.macro_shape
    macros = backend.shape[0] // rows
    if macros < LAYERS or (rows, cols) != (MACRO_SIDE, MACRO_SIDE):
        raise InputError(
            f"the network needs {LAYERS} macros of {MACRO_SIDE} x {MACRO_SIDE}, one per layer; here are "
            f"{macros} of {rows} x {cols}"
        )
    missing = sorted({"multiply", "solve"} - backend.capabilities)
    if missing:
        name = backend.identify()["name"]
        raise Unsupported(
            f"a network needs '{missing[0]}', and this bench ({name}) lacks it; name another one with --bench"
        )


def screen(backend: Backend, macros: int, reading: ReadSpec) -> BoolArray:
    """Return a map of the cells that look usable: formed, and not stuck high."""
    rows, cols = backend.macro_shape
    found = backend.read(Cells.grid(range(macros * rows), range(cols)), reading).reshape(macros, rows, cols)
    least, times = SUSPECT
    high = np.maximum(least, times * np.median(found, axis=(1, 2), keepdims=True))
    return np.asarray((found >= UNFORMED) & (found <= high)).reshape(macros * rows, cols)


def place(
    weights: ScoreWeights, usable: BoolArray, spec: Spec, reference: float, copies: Copies = COPIES
) -> NetworkMapping:
    """Return the mapping of a network, each layer where its macro has the fewest unusable cells.

    A margin at both ends of the window leaves room for references that came out a little off, and for
    copies that make up for one another: the weights are written against what was measured.
    """
    return NetworkMapping.fit(weights, spec.window, reference, MARGIN, copies).moved(usable)


def network_spec(spec: Spec) -> Spec:
    """Return the programming of a network: the mapping keeps the window, give or take rounding."""
    low, high = spec.window
    return replace(spec, window=(low * (1 - 1e-6), high * (1 + 1e-6)))


@final
@dataclass(frozen=True, eq=False)
class Macro:
    """Hold a programmed network: mapping, measured map (S), and the weights that it stands for.

    `clipped` counts the conductances, of weights and trims, that the window could not hold.
    """

    mapping: NetworkMapping
    measured: FloatArray
    written: ScoreWeights
    clipped: int = 0


def program_network(
    score: ScoreWeights, mapping: NetworkMapping, write: Write, measure: Measure, use: Use
) -> tuple[Macro, list[Programmed]]:
    """Return the macros with the network in them, and what became of the weights, writing and trims.

    The references come first, the weights against them as measured. Then the network is measured as the loop
    will use it, and the last copy of each layer is trimmed to make up for what is missed.
    """
    references = mapping.reference_targets()
    write("references", references)
    targets = mapping.weight_targets(score, measure("references as written", references.cells))
    done, clipped = [write("weights", targets)], targets.clipped
    for k in range(1, TRIMS + 1):
        targets = mapping.trimmed(score, targets, use(f"network before trim {k}", len(mapping.layers)))
        done.append(write(f"trim {k}", targets))
        clipped += targets.clipped
    found = use("network", len(mapping.layers))
    return Macro(mapping, found, mapping.to_weights(found, score), clipped), done
