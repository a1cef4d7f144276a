"""Bring a score network into the macros: good places, references first, then weights against them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.programmed import Programmed
from protocols.write_verify.spec import Spec
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.diffusion.compensate import compensated
from rramlab.diffusion.network import ScoreWeights
from rramlab.errors import InputError
from rramlab.mapping import NetworkMapping, Targets
from rramlab.pulse import Columns
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Watch = Callable[[str, int, int], None]
Write = Callable[[str, Targets], Programmed]
Measure = Callable[[str, Cells], FloatArray]

UNFORMED = 1e-6
"""A cell that reads less (S) was never formed."""
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


def screen(backend: Backend, macros: int, reading: ReadSpec) -> BoolArray:
    """Return a map of the cells that look usable: formed, and not stuck high."""
    rows, cols = backend.macro_shape
    if backend.shape[0] < macros * rows:
        raise InputError(
            f"the network needs {macros} macros, one per layer; this bench has {backend.shape[0] // rows}"
        )
    found = backend.read(Cells.grid(range(macros * rows), range(cols)), reading).reshape(macros, rows, cols)
    least, times = SUSPECT
    high = np.maximum(least, times * np.median(found, axis=(1, 2), keepdims=True))
    return np.asarray((found >= UNFORMED) & (found <= high)).reshape(macros * rows, cols)


def place(weights: ScoreWeights, usable: BoolArray, spec: Spec, reference: float) -> NetworkMapping:
    """Return the mapping of a network, each layer where its macro has the fewest unusable cells.

    A margin of two tolerances at both ends of the window leaves room for references that came out a
    little off: the weights are written against the references as measured.
    """
    mapping = NetworkMapping.fit(weights, spec.window, reference, margin=2 * spec.tolerance)
    return mapping.moved(usable)


def network_spec(spec: Spec) -> Spec:
    """Return the programming of a network: windows are kept by the mapping, not by the targets."""
    low, high = spec.window
    return replace(spec, window=(low - 2 * spec.tolerance, high + 2 * spec.tolerance))


@final
@dataclass(frozen=True, eq=False)
class Macro:
    """Hold a programmed network: mapping, measured map (S), the weights aimed at and those that came out."""

    mapping: NetworkMapping
    measured: FloatArray
    aim: ScoreWeights
    written: ScoreWeights


def program_network(
    score: ScoreWeights, mapping: NetworkMapping, tolerance: float, write: Write, measure: Measure
) -> tuple[Macro, Programmed]:
    """Return the macros with the network in them, and what became of its weights.

    The references come first, the weights against them as measured. The last layer is fitted to the hidden
    layers as they came out before it is written itself, so that it makes up for their errors.
    """
    references = mapping.reference_targets()
    write("references", references)
    measured = measure("references as written", references.cells)
    hidden = mapping.weight_targets(score, measured, only=(0, 1))
    first = write("hidden layers", hidden)
    measured = overlaid(measured, measure("hidden layers as written", hidden.cells))
    aim = compensated(score, partly(mapping, measured, score))
    mapping = mapping.rescaled(2, aim.w3, 2 * tolerance)
    last = mapping.weight_targets(aim, measured, only=(2,))
    second = write("last layer", last)
    found = measure("macro", joined_cells(references.cells, hidden.cells, last.cells))
    return Macro(mapping, found, aim, mapping.to_weights(found, aim)), first.joined(second)


def overlaid(below: FloatArray, above: FloatArray) -> FloatArray:
    """Return a map with what the one above knows, and else what the one below knows."""
    return np.where(np.isfinite(above), above, below)


def partly(mapping: NetworkMapping, measured: FloatArray, score: ScoreWeights) -> ScoreWeights:
    """Return the weights of a map that lacks the last layer, which is taken as it should be."""
    plane = measured.copy()
    last = mapping.weight_targets(score, measured, only=(2,))
    plane[last.cells.row, last.cells.col] = last.conductances
    return mapping.to_weights(plane, score)


def joined_cells(*groups: Cells) -> Cells:
    """Return the cells of several groups as one."""
    return Cells(np.concatenate([g.row for g in groups]), np.concatenate([g.col for g in groups]))
