"""Have the ring network in the macros: find it there, or program it where that was asked for."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.network import (
    COPIES,
    Writer,
    check_macros,
    network_spec,
    place,
    program_network,
)
from protocols.write_verify.rounds import UNFORMED
from protocols.write_verify.spec import Spec
from rramlab.backend import Backend
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import ring_weights
from rramlab.errors import CalibrationError
from rramlab.mapping import REFERENCE, WINDOW
from rramlab.network_mapping import NetworkMapping
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]

HIGHEST = 150e-6
"""A cell that reads more (S) is stuck: no target lies there."""
THERE = 5e-6
"""How far (S) the cells of a layer may lie from their targets, in the median, to be those of the network."""
TOLERANCE, PASSES, WAIT = 1e-6, 2, 60.0
SETTLING = 300.0
"""Time (s) after programming in which the cells relax before they are measured."""


@final
@dataclass(frozen=True, eq=False)
class Mission:
    """Hold the network that the macros are for: its weights as trained, and where they stand."""

    score: ScoreWeights
    mapping: NetworkMapping
    programmed: bool


def ready(backend: Backend, reading: ReadSpec, prepare: bool) -> Mission:
    """Return the ring network in the macros; it is programmed if it is not there and that was asked for.

    CalibrationError if it is not there and nobody asked.
    """
    check_macros(backend)
    score = ring_weights()
    spec = network_spec(Spec(tolerance=TOLERANCE, window=WINDOW, reading=reading, passes=PASSES, wait=WAIT))
    mapping = place(score, usable(backend, reading), spec, REFERENCE, COPIES)
    apart = missing(backend, mapping, score, reading)
    if apart <= THERE:
        return Mission(score, mapping, False)
    if not prepare:
        raise CalibrationError(
            f"the ring network is not in the macros (cells lie {apart * 1e6:.0f} uS from it in the median); "
            "let it be programmed with --prepare, which changes the cells"
        )
    writer = Writer(backend, spec, lambda what, done, whole: None)
    program_network(score, mapping, writer.write, writer.measure, writer.use)
    backend.wait(SETTLING)
    return Mission(score, mapping, True)


def usable(backend: Backend, reading: ReadSpec) -> NDArray[np.bool_]:
    """Return a map of the cells that look usable, whether they hold a network already or not."""
    found = backend.read_all(reading)
    return np.asarray((found >= UNFORMED) & (found <= HIGHEST))


def missing(backend: Backend, mapping: NetworkMapping, score: ScoreWeights, reading: ReadSpec) -> float:
    """Return how far (S) the cells of the worst layer lie from their targets, in the median."""
    targets = mapping.weight_targets(score)
    apart = np.abs(backend.read(targets.cells, reading) - targets.conductances)
    macro = targets.cells.row // backend.macro_shape[0]
    return float(max(np.median(apart[macro == one]) for one in np.unique(macro)))
