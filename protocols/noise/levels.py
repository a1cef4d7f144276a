"""Bring cells to levels at the beginning of a run, in a way that a killed run goes on with."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.written import level_targets, written
from protocols.characterise.retold import Retold
from protocols.write_verify.programmed import UNITS
from protocols.write_verify.spec import Spec
from rramlab.cells import Cells
from rramlab.outcome import Outcome
from rramlab.session import Work

FloatArray = NDArray[np.float64]


def at_levels(
    work: Work,
    bench: Retold,
    spec: Spec,
    cells: Cells,
    levels: int,
    watch: Callable[[int, int], None],
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the target (S) of each cell and which cells reached it; 0 levels leave them as they are."""
    if levels == 0:
        return np.full(len(cells), np.nan), np.ones(len(cells), bool)
    targets = level_targets(len(cells), levels, spec.window)
    was_kept = bench.pass_over("program")
    done = written(work, spec, cells, targets, watch)
    if not was_kept:
        work.run.keep("program", done.columns(), UNITS)
    return targets, np.asarray(done.outcome == Outcome.CONVERGED)
