"""Measure one point of a study: the function that every worker calls, here or on another machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.sampling import Sampling
from protocols.study.device import Simulated, program, sampled
from protocols.study.evens import even_starts
from protocols.study.ideal import IdealMacro
from protocols.study.job import Job
from protocols.study.request import KINDS, Request
from protocols.study.yardstick import Yardstick
from protocols.write_verify.spec import Spec
from rramlab.diffusion.network import ScoreWeights
from rramlab.mapping import REFERENCE, WINDOW
from rramlab.network_mapping import NetworkMapping
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

MEASURES = ("distance", "histogram", "to_data")
"""Sliced Wasserstein and histogram distance to the digital baseline; sliced Wasserstein to the data."""


@final
@dataclass(frozen=True, eq=False)
class Setting:
    """Hold what all points of one network share, complete: a worker needs nothing else."""

    request: Request
    seed: int
    score: ScoreWeights
    bench: Simulated
    yards: Mapping[str, Yardstick]
    data: Yardstick


def measure(setting: Setting, job: Job) -> Columns:
    """Return what a point shows: each of the measures (waits, kinds), and the rms error of a weight.

    Only points that follow programming by waits have more than one of them.
    """
    r = setting.request
    match job.part:
        case "curve":
            return _ideal(setting, job, r.write[job.first], 0.0)
        case "map":
            return _ideal(setting, job, r.map_write[job.first], r.map_read[job.second])
        case "device":
            factors = r.write_factor[job.first], r.read_factor[job.second]
            return _programmed(setting, job, factors, Spec().passes, (0.0,))
        case _:
            return _programmed(setting, job, (1.0, 1.0), r.passes[job.first], r.waits)


def _ideal(s: Setting, job: Job, write: float, read: float) -> Columns:
    """Return what a network shows on ideal circuits; start states, and who is off, are of the macro."""
    shared, own = job.shared(s.seed), job.own(s.seed)
    start = even_starts(s.request.samples, shared)
    mapping = NetworkMapping.fit(s.score, WINDOW, REFERENCE)
    macro = IdealMacro.write(s.score, mapping, write, shared)
    plans = [Sampling(kind=kind).coefficients(s.score) for kind in KINDS]
    ends = [macro.solve(plan, start, read, own) for plan in plans]
    return _columns(s, [ends], macro.error(s.score))


def _programmed(
    s: Setting, job: Job, factors: tuple[float, float], passes: int, waits: tuple[float, ...]
) -> Columns:
    """Return what a programmed chip shows, after each of the waits; chip, and starts, are of the macro."""
    shared = job.shared(s.seed)
    start = even_starts(s.request.samples, shared)
    chip, run = (int(shared.integers(2**31)) for _ in range(2))
    with s.bench.opened(*factors, chip, run) as (backend, bench):
        macro = program(backend, bench, s.score, passes)
        programmed, ends = backend.memory(), []
        for wait in waits:
            backend.restore(programmed)
            backend.wait(wait)
            memory = backend.memory()
            ends.append([sampled(backend, macro, s.score, kind, start, memory) for kind in KINDS])
    pairs = zip(macro.written.layers, s.score.layers, strict=True)
    miss = np.concatenate([(written - wanted).ravel() for written, wanted in pairs])
    return _columns(s, ends, float(np.sqrt(np.mean(miss**2))))


def _columns(s: Setting, ends: list[list[FloatArray]], error: float) -> Columns:
    """Return the measures of end states, by wait and kind."""
    pairs = [[(s.yards[kind], end) for kind, end in zip(KINDS, each, strict=True)] for each in ends]
    found = {
        "distance": [[yard.distance(end) for yard, end in each] for each in pairs],
        "histogram": [[yard.histogram(end) for yard, end in each] for each in pairs],
        "to_data": [[s.data.distance(end) for _, end in each] for each in pairs],
    }
    return {**{name: np.array(values) for name, values in found.items()}, "weight_error": np.array(error)}
