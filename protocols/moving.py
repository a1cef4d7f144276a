"""Map a network around cells that turned out not to hold what they were to hold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.network import Macro, Watch
from protocols.stages import Stages
from protocols.write_verify.programmed import Programmed
from rramlab.network_mapping import NetworkMapping

BoolArray = NDArray[np.bool_]

FIRST = "mapping before a move"
MOVES = 2
"""Times that layers are moved at most."""
MISSED = 5e-6
"""A cell that ends further from its target (S) leaves an error that the copies of its weight cannot mend."""


def program_around(stages: Stages, watch: Watch) -> tuple[Macro, list[Programmed]]:
    """Return the macro with the network in it, layers moved away from cells that do not hold their weights.

    What every attempt found is kept, so that a run that was cut off goes on with the attempt it was in.
    """
    mapping, looked_usable = first_mapping(stages)
    usable = looked_usable
    macro, done = stages.program(watch, mapping)
    for move in range(1, MOVES + 1):
        usable = holding(usable, done)
        around = moved_around(macro.mapping, usable)
        if around == macro.mapping:
            break
        macro, more = stages.program(watch, around, again=f"move {move}: ")
        done = [*done, *more]
    if macro.mapping != mapping:
        stages.work.run.keep(FIRST, {"usable": looked_usable}, facts=mapping.to_dict())
        stages.work.run.keep("mapping", {"usable": usable}, facts=macro.mapping.to_dict())
    return macro, done


def first_mapping(stages: Stages) -> tuple[NetworkMapping, BoolArray]:
    """Return the mapping of the first attempt and the map of cells that looked usable then."""
    kept = stages.work.kept(FIRST)
    if kept is None:
        return stages.mapping()
    return NetworkMapping.from_dict(kept.facts), kept.columns["usable"].astype(bool)


def holding(usable: BoolArray, done: Sequence[Programmed]) -> BoolArray:
    """Return the map of usable cells without those that gave up further than `MISSED` from their targets."""
    left = usable.copy()
    for run in done:
        missed = ~run.converged & ~(np.abs(run.error) <= MISSED)
        left[run.cells.row[missed], run.cells.col[missed]] = False
    return left


def moved_around(mapping: NetworkMapping, usable: BoolArray) -> NetworkMapping:
    """Return the mapping with each layer that has an unusable cell in another place; the others stay."""
    places = []
    for place in mapping.placements:
        cells = place.region.cells()
        places.append(place if usable[cells.row, cells.col].all() else place.moved(usable))
    return NetworkMapping(mapping.layers, tuple(places))
