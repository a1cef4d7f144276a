"""Run the closed loop for one class after the other, from the same start states; a kept class is done."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.network import Macro, Watch
from protocols.sampling import Sampling
from rramlab.diffusion.network import ScoreWeights
from rramlab.loop import LoopRun
from rramlab.session import Work

FloatArray = NDArray[np.float64]

KEPT = "class {}"
UNITS = {"time": "s", "energy": "J"}


@final
@dataclass(frozen=True, eq=False)
class ClassRuns:
    """Hold the closed-loop runs of one class in network units: `end` (runs, 2) and `energy` (runs,) in J.

    For the kept runs, at `time` (samples,) in s, the waveforms `state` and `output` (kept, samples, 2) and
    `hidden1`, `hidden2` (kept, samples, n).
    """

    end: FloatArray
    energy: FloatArray
    time: FloatArray
    state: FloatArray
    hidden1: FloatArray
    hidden2: FloatArray
    output: FloatArray

    def columns(self) -> dict[str, FloatArray]:
        """Return everything as named columns for the record."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> "ClassRuns":
        """Return what `columns`, or the record of a closed-loop run, holds."""
        return cls(**{name: np.asarray(columns[name], float) for name in cls.__dataclass_fields__})


def under(run: LoopRun, score: ScoreWeights, name: str | None) -> LoopRun:
    """Return a run with a class added to what the embedding converters play; None is the null token."""
    if score.condition is None or name is None:
        return run
    c = run.coefficients
    return replace(run, coefficients=replace(c, embedding=c.embedding + score.condition.vector(name)))


def run_classes(
    work: Work,
    score: ScoreWeights,
    macro: Macro,
    sampling: Sampling,
    start: FloatArray,
    classes: tuple[str, ...],
    watch: Watch,
) -> dict[str, ClassRuns]:
    """Return the runs of each class, and keep each as it ends."""
    run = sampling.declare(score, macro.mapping, start)
    found = {}
    for number, name in enumerate(classes):
        watch("drawing letters", number, len(classes))
        kept = work.kept(KEPT.format(name))
        if kept is None:
            found[name] = ClassRuns.of(work.backend.solve(under(run, score, name)).record())
            work.run.keep(KEPT.format(name), found[name].columns(), UNITS)
        else:
            found[name] = ClassRuns.of(kept.columns)
    watch("drawing letters", len(classes), len(classes))
    return found
