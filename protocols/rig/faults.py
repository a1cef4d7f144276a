"""Find what the faults of an array have in common, one kind of fault at a time."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.rig.condition import FAULTS, Bounds, Condition
from protocols.rig.explain import Explanation, explain

FloatArray = NDArray[np.float64]
CLEAR = -6.0
"""A fault of the rig that is told beside another result is as sure as this (log10 of the odds)."""


@final
@dataclass(frozen=True, eq=False)
class Fault:
    """Hold a part of the array that shares a condition."""

    condition: Condition
    explanation: Explanation

    @property
    def sentence(self) -> str:
        """Return the fault in words."""
        return self.explanation.sentence(self.condition.they_do)


def faults_of(condition: NDArray[np.uint8], macro_rows: int | None = None) -> list[Fault]:
    """Return what the faults of a map of `Condition` codes have in common, the widest first.

    Cells with another fault say nothing about one: an open cell cannot be seen to be stuck.
    """
    found = [
        Fault(kind, explanation)
        for kind in FAULTS
        for explanation in explain(
            condition == kind, np.isin(condition, (Condition.ANSWERS, kind)), macro_rows
        )
    ]
    return sorted(found, key=lambda fault: -fault.explanation.failed)


def dead_lines(conductance: FloatArray, macro_rows: int | None = None) -> list[str]:
    """Return a sentence for each part of a map (S, NaN: not read) that surely fails as a whole."""
    found = faults_of(Bounds().sort(conductance, np.isfinite(conductance)), macro_rows)
    return [
        fault.sentence
        for fault in found
        if fault.explanation.is_whole and fault.explanation.log10_odds < CLEAR
    ]
