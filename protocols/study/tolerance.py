"""Tell how much noise of writing a network stands: where its quality has lost a tenth."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.study.findings import Findings
from protocols.study.job import CURVE, DEVICE
from protocols.study.request import KINDS

FloatArray = NDArray[np.float64]

LOST = 0.10
RESAMPLES = 2000
CONFIDENCE = 0.95
TOLERANCE = 3
"""Branch of the seed of the resampling."""


@final
@dataclass(frozen=True)
class Tolerance:
    """Hold the level of write noise at which a tenth is lost, its interval, and over how many macros.

    `measure` is "quality", which falls from 1 to 0.9, or "to_data", the distance to the data, which rises by
    a tenth. Infinite is what the levels that were tried do not reach.
    """

    part: str
    network: str
    kind: str
    measure: str
    level: float
    low: float
    high: float
    macros: int

    def facts(self) -> dict[str, Any]:
        """Return the tolerance as plain numbers."""
        return asdict(self)


def tolerances(found: Findings) -> list[Tolerance]:
    """Return all tolerances: on ideal circuits, and of the device at the read noise that it has."""
    r = found.request
    curves = [(CURVE, np.array(r.write), 0)]
    if DEVICE in found.parts and 1.0 in r.read_factor:
        curves.append((DEVICE, np.array(r.write_factor), r.read_factor.index(1.0)))
    return [
        _tolerance(found, part, i, k, measure, levels, second)
        for part, levels, second in curves
        for i in range(len(found.parts[part].networks))
        for k in range(len(KINDS))
        for measure in ("quality", "to_data")
    ]


def _tolerance(
    found: Findings, part: str, network: int, kind: int, measure: str, levels: FloatArray, second: int
) -> Tolerance:
    values = found.quality(part) if measure == "quality" else found.parts[part].measures[measure]
    per_macro = values[network, :, second, :, kind]
    macros = per_macro.shape[1]
    key = TOLERANCE, int(part == DEVICE), network, kind, int(measure == "quality")
    rng = np.random.default_rng(np.random.SeedSequence(found.seed, spawn_key=key))
    drawn = rng.integers(macros, size=(RESAMPLES, macros))
    # All levels of a macro stay together: they share its errors, so only macros are independent.
    means = np.vstack([per_macro.mean(axis=1), per_macro[:, drawn].mean(axis=2).T])
    level, *others = crossings(levels, _loss(measure, means)).tolist()
    tails = (1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0
    low, high = np.quantile(others, tails, method="nearest").tolist()
    names = found.parts[part].networks[network], KINDS[kind]
    return Tolerance(part, *names, measure, level, low, high, macros)


def _loss(measure: str, means: FloatArray) -> FloatArray:
    """Return the share that is lost of what there is without noise of writing (resamples, levels)."""
    if measure == "quality":
        return np.asarray(1.0 - means)
    return np.asarray(means / means[:, :1] - 1.0)


def crossings(levels: FloatArray, loss: FloatArray) -> FloatArray:
    """Return for each row the first level at which the loss passes a tenth, between levels on a line."""
    beyond = loss > LOST
    first = np.argmax(beyond, axis=1)
    row, before = np.arange(len(loss)), np.maximum(first - 1, 0)
    rise = loss[row, first] - loss[row, before]
    share = (LOST - loss[row, before]) / np.where(rise > 0, rise, 1.0)
    level = levels[before] + share * (levels[first] - levels[before])
    level = np.where(first == 0, levels[0], level)
    return np.asarray(np.where(beyond.any(axis=1), level, np.inf))
