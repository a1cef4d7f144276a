"""Run a network on simulated macros through the door: programmed by write-verify, then sampled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.network import Macro, Writer, network_spec, place, program_network, screen
from protocols.sampling import Sampling
from protocols.study.technology import Technology
from protocols.write_verify.spec import Spec
from rramlab.backend import Backend
from rramlab.bench import Bench
from rramlab.corrections.correction import Correction
from rramlab.diffusion.network import ScoreWeights
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

BATCH = 250
"""Runs after which the macro goes back to where it was: all are of one age, give or take five minutes."""


@final
@dataclass(frozen=True, eq=False)
class Simulated:
    """Hold a simulated bench by its file, and the device whose noise is scaled."""

    text: str
    technology: Technology
    calibration: list[dict[str, Any]]

    @contextmanager
    def opened(self, write: float, read: float, chip: int, seed: int) -> Iterator[tuple[Backend, Bench]]:
        """Give a chip of this noise, opened."""
        bench = Bench.parse(self.text)
        with self.technology.bench(bench, write, read, chip) as changed:
            backend = changed.open(seed=seed, correction=Correction.from_facts(self.calibration))
        with backend:
            yield backend, bench


def program(backend: Backend, bench: Bench, score: ScoreWeights, passes: int) -> Macro:
    """Return the macros of a bench with the network in them, written in so many passes."""
    spec = Spec(window=(bench.window.low, bench.window.high), reading=bench.reading.spec(), passes=passes)
    writer = Writer(backend, network_spec(spec), lambda *_: None)
    mapping = place(score, screen(backend, len(score.layers), spec.reading), spec, bench.window.reference)
    return program_network(score, mapping, writer.write, writer.measure, writer.use)[0]


def sampled(
    backend: Backend, macro: Macro, score: ScoreWeights, kind: Any, start: FloatArray, memory: Columns
) -> FloatArray:
    """Return end states of runs from `start` (runs, 2), each batch of them on the macro of this memory."""
    ends = []
    for i in range(0, len(start), BATCH):
        backend.restore(memory)
        part = start[i : i + BATCH]
        sampling = Sampling(runs=len(part), kind=kind, kept=1, stride=200)
        ends.append(backend.solve(sampling.declare(score, macro.mapping, part)).end)
    return np.concatenate(ends)
