"""Program the cells that are to be watched, in a way that a killed run goes on with."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify.adaptive import Adaptive
from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.programmed import Programmed
from protocols.write_verify.spec import Spec
from rramlab.cells import Cells
from rramlab.session import Work

FloatArray = NDArray[np.float64]


def level_targets(count: int, levels: int, window: tuple[float, float]) -> FloatArray:
    """Return a target (S) for each of `count` cells: the levels in turn, so that each is spread out."""
    steps = np.linspace(*window, levels) if levels > 1 else np.array([np.mean(window)])
    return np.asarray(steps[np.arange(count) % levels])


def kept_target(work: Work, cells: Cells, targets: FloatArray) -> tuple[Cells, FloatArray]:
    """Return the cells and targets (S, NaN: as they are) that a run was begun with, kept in it."""
    kept = work.kept("targets")
    if kept is not None:
        columns = kept.columns
        return Cells(columns["row"], columns["col"]), columns["target"].astype(float)
    work.run.keep("targets", {**cells.columns(), "target": targets}, {"target": "S"})
    return cells, targets


def written(
    work: Work, spec: Spec, cells: Cells, targets: FloatArray, progress: Callable[[int, int], None]
) -> Programmed:
    """Return what write-verify made of the cells; what an earlier process did is not done again."""
    kept = work.kept("program")
    if kept is not None:
        return Programmed.from_columns(kept.columns)
    engine = WriteVerify(work.backend, Adaptive(), spec, progress)
    return engine.program(cells, targets, resume=work.resume_point())
