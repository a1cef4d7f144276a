"""Carry out a measurement of write noise as a run: single pulses, writes, waits, tell."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.characterise.retold import Retold
from protocols.noise.single import SinglePulses
from protocols.noise.writing import Writer, Writes
from protocols.write_noise.report import UNITS, columns, draw, show, summarise
from protocols.write_noise.request import Request
from rramlab.backend import Backend
from rramlab.progress import Progress
from rramlab.reading import ReadSpec
from rramlab.session import Plan, Session, Work, free_folder

FloatArray = NDArray[np.float64]


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of write noise; everything is kept in its folder."""
    place = resume or folder or free_folder("write-noise")

    def also(backend: Backend) -> None:
        request.pulses_per_write(backend.limits)

    check = needs(request.cells, "read", "pulse", also=also)
    plan = Plan("write-noise", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work, session.terminal.progress() as progress:
        request = Request(**work.run.start.parameters)
        single, writes = measure(work, request, progress)
        rng = np.random.default_rng([work.run.start.seed, 1])
        summary = summarise(single, writes, request, rng, place)
        work.run.keep(
            "write_noise", columns(single, writes, chosen(request.cells, work.backend)), UNITS, summary
        )
        draw(summary, writes, request, place)
    show(session, summary)
    return summary


def measure(work: Work, request: Request, progress: Progress) -> tuple[FloatArray, Writes]:
    """Return what single pulses left (S), (levels, cells, repeats), and what the writes left."""
    bench, cells = Retold(work.backend, work.run.events()), chosen(request.cells, work.backend)
    usual, window = work.bench.reading.spec(), work.bench.window
    reading = ReadSpec(usual.v_read, usual.gate, request.samples)
    levels = np.linspace(window.low, window.high, request.levels)
    pulses = SinglePulses(bench, work.backend.limits, reading)
    left = pulses.left(cells, levels, request.single, partial(progress.update, "single pulses"))
    watch = partial(progress.update, "writing")
    writer = Writer(work, bench, request.spec(work.bench), reading, watch)
    return left, writer.write(cells, levels, request.writes, request.waits)
