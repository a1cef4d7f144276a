"""Gather the points of a study into arrays, and tell quality from distance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from protocols.study.baseline import Baseline
from protocols.study.job import Job, jobs_of, networks_of, parts_of, shape_of
from protocols.study.measure import MEASURES
from protocols.study.request import KINDS, Request
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Part:
    """Hold one part of a study: measures by name, (networks, first levels, second levels, macros, kinds).

    What follows waits has those as second levels. `weight_error` (networks, first, second, macros) is rms.
    """

    networks: tuple[str, ...]
    measures: Mapping[str, FloatArray]
    weight_error: FloatArray

    @classmethod
    def gather(cls, request: Request, part: str, found: Mapping[str, Columns]) -> Self:
        """Return a part from the points that were kept by name."""
        names, (firsts, seconds, macros) = networks_of(request, part), shape_of(request, part)
        measures: dict[str, FloatArray] = {}
        jobs = [
            [[[Job(part, n, i, j, m) for m in range(macros)] for j in range(seconds)] for i in range(firsts)]
            for n in names
        ]
        points = np.vectorize(lambda job: found[job.name], otypes=[object])(np.array(jobs, dtype=object))
        for name in MEASURES:
            # (..., second, macros, waits, kinds): one of second levels and waits has length 1.
            values = np.array([point[name] for point in points.flat], dtype=float)
            values = values.reshape(*points.shape, *values.shape[1:])
            measures[name] = np.moveaxis(values, 4, 3).reshape(len(names), firsts, -1, macros, len(KINDS))
        errors = np.array([float(point["weight_error"]) for point in points.flat]).reshape(points.shape)
        return cls(names, measures, errors)


@final
@dataclass(frozen=True, eq=False)
class Findings:
    """Hold everything that a study found: request, baselines by network, and parts by name."""

    request: Request
    seed: int
    baselines: Mapping[str, Baseline]
    parts: Mapping[str, Part]

    @classmethod
    def gather(
        cls, request: Request, seed: int, baselines: Mapping[str, Baseline], found: Mapping[str, Columns]
    ) -> Self:
        """Return the findings from the points that were kept by name."""
        return cls(
            request, seed, baselines, {part: Part.gather(request, part, found) for part in parts_of(request)}
        )

    def quality(self, part: str) -> FloatArray:
        """Return the quality (networks, first, second, macros, kinds) of all points of a part.

        1 is the digital baseline, to within what sets of this size can tell, and 0 no better than the noise
        that sampling began with: quality is 1 - (d - d_floor) / (d_start - d_floor), d the sliced
        Wasserstein distance to the baseline.
        """
        base = [self.baselines[name] for name in self.parts[part].networks]
        floor, start = (np.stack([getattr(b, name) for b in base]) for name in ("floor", "start"))
        floor, start = (each[:, None, None, None] for each in (floor, start))
        return np.asarray(1.0 - (self.parts[part].measures["distance"] - floor) / (start - floor))


def missing(request: Request, found: Iterable[str]) -> list[Job]:
    """Return the points that are still to be measured."""
    there = set(found)
    return [job for job in jobs_of(request) if job.name not in there]
