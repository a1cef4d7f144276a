"""Hold what a run of letters found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import nan
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.letters.captured import Captured
from protocols.letters.judge import Judge, Verdict
from protocols.letters.loop import ClassRuns
from protocols.letters.request import LettersRequest
from protocols.network import TRIMS, Macro
from protocols.sampling import Sampling
from protocols.write_verify.programmed import Programmed
from rramlab.diffusion.network import ScoreWeights

FloatArray = NDArray[np.float64]

ANALOG, DIGITAL, DATA = "analog", "digital", "data"


@final
@dataclass(frozen=True, eq=False)
class Drawn:
    """Hold what was drawn of one class from the same starts, in closed loop and digitally, and how good."""

    analog: ClassRuns
    digital: FloatArray
    verdicts: Mapping[str, Verdict]


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold everything that a run of letters found, for its page and its summary.

    `classes` maps the name of a class to what was drawn of it; `digital_seconds` is the time (s) of a
    digital sample; `captured` what an oscilloscope saw of the first run of each class, where one looked on;
    `simulated` tells whether the bench is a simulation in this process.
    """

    request: LettersRequest
    score: ScoreWeights
    macro: Macro
    programmed: list[Programmed]
    sampling: Sampling
    start: FloatArray
    classes: Mapping[str, Drawn]
    judge: Judge
    digital_seconds: float
    captured: Mapping[str, Captured] = field(default_factory=dict)
    simulated: bool = True

    def mean(self, which: str, figure: str) -> float:
        """Return a figure of "analog", "digital" or "data", the mean over the classes."""
        return float(np.mean([getattr(drawn.verdicts[which], figure) for drawn in self.classes.values()]))

    @property
    def distance_ratio(self) -> float:
        """Return the sliced Wasserstein distance to the latents, analog over digital, of class means."""
        return self._ratio("sliced_wasserstein")

    @property
    def accuracy_ratio(self) -> float:
        """Return the share of letters of the right class, analog over digital."""
        return self._ratio("accuracy")

    @property
    def moves(self) -> int:
        """Return how many times layers were moved away from cells that did not hold their weights."""
        return max(0, len(self.programmed) // (1 + TRIMS) - 1)

    def columns(self) -> dict[str, FloatArray]:
        """Return start states and samples as named columns for the record."""
        found = {"start": self.start}
        for name, drawn in self.classes.items():
            found |= {f"{ANALOG} {name}": drawn.analog.end, f"{DIGITAL} {name}": drawn.digital}
        return found

    def _ratio(self, figure: str) -> float:
        digital = self.mean(DIGITAL, figure)
        return self.mean(ANALOG, figure) / digital if digital else nan


def facts_of(found: Outcome) -> dict[str, Any]:
    """Return the figures of a run as plain numbers."""
    verdicts = {name: drawn.verdicts for name, drawn in found.classes.items()}
    energy = np.concatenate([drawn.analog.energy for drawn in found.classes.values()])
    return {
        "samples": found.request.samples,
        "kind": found.request.kind,
        "compared_with": found.judge.source,
        "classes": {name: {k: asdict(v) for k, v in each.items()} for name, each in verdicts.items()},
        "accuracy": {which: found.mean(which, "accuracy") for which in (ANALOG, DIGITAL)},
        "accuracy_ratio": found.accuracy_ratio,
        "sliced_wasserstein_ratio": found.distance_ratio,
        "moves": found.moves,
        "targets_clipped": found.macro.clipped,
        "analog_seconds_per_sample": found.sampling.seconds,
        "digital_seconds_per_sample": found.digital_seconds,
        "array_joule_per_sample": float(np.mean(energy)),
    }
