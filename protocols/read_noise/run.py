"""Carry out a measurement of read noise as a run: program, settle, read, read with averaging, tell."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from protocols.characterise.needs import needs
from protocols.characterise.planes import chosen
from protocols.characterise.retold import Retold
from protocols.noise.bands import Bands
from protocols.noise.levels import at_levels
from protocols.noise.reading import ReadNoise, averaged
from protocols.noise.series import Series, take
from protocols.read_noise.page import draw
from protocols.read_noise.report import UNITS, columns, show, summarise
from protocols.read_noise.request import AVERAGING_READS, Request
from rramlab.progress import Progress
from rramlab.reading import ReadSpec
from rramlab.session import Plan, Session, Work, free_folder


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
) -> dict[str, Any]:
    """Return the summary of a run of read noise; everything is kept in its folder."""
    place = resume or folder or free_folder("read-noise")
    verbs = ("read", "pulse") if request.levels else ("read",)
    check = needs(request.cells, *verbs)
    plan = Plan("read-noise", place, seed, request.parameters(), resume, after, check=check)
    with session.work(plan) as work, session.terminal.progress() as progress:
        request = Request(**work.run.start.parameters)
        found = measure(work, request, progress)
        if found is None:
            return nobody(session, work, place)
        noise, more = found
        rng = np.random.default_rng([work.run.start.seed, 2])
        by_samples = averaged(more, noise.bands, noise.quiet, rng)
        summary = summarise(noise, by_samples, place)
        cells = chosen(request.cells, work.backend)
        work.run.keep("read_noise", columns(noise, cells), UNITS, summary)
        draw(noise, by_samples, cells, place)
    show(session, summary)
    return summary


def nobody(session: Session, work: Work, place: Path) -> dict[str, Any]:
    """Return the summary of a run in which no cell could be measured, and say so."""
    summary: dict[str, Any] = {"run": str(place), "cells": 0, "bands": [], "telegraphs": []}
    work.run.keep("read_noise", {}, {}, summary)
    session.terminal.say("no cell reached its level or gave numbers; look at the rig with rramlab health")
    session.terminal.document(summary)
    return summary


def measure(work: Work, request: Request, progress: Progress) -> tuple[ReadNoise, dict[int, Series]] | None:
    """Return the noise of the long series, and the short series by samples; None if no cell can be used."""
    bench, cells = Retold(work.backend, work.run.events()), chosen(request.cells, work.backend)
    watch = partial(progress.update, "programming")
    targets, usable = at_levels(work, bench, request.spec(work.bench), cells, request.levels, watch)
    if request.levels:
        bench.wait_until(bench.now() + request.settle)
    spec = work.bench.reading.spec()
    series = take(bench, cells, spec, request.reads, partial(progress.update, "reading"))
    mean = series.conductance.mean(axis=0)
    usable &= np.isfinite(series.conductance).all(axis=0)
    if not usable.any():
        return None
    short = {count: _short(bench, work, request, count, progress) for count in request.averaging}
    rng = np.random.default_rng([work.run.start.seed, 1])
    bands, kept = Bands.of(mean, targets, usable), np.nan_to_num(series.conductance)
    return ReadNoise.of(Series(kept, series.time), bands, rng, request.false_alarm), short


def _short(bench: Retold, work: Work, request: Request, samples: int, progress: Progress) -> Series:
    usual = work.bench.reading.spec()
    spec, cells = ReadSpec(usual.v_read, usual.gate, samples), chosen(request.cells, work.backend)
    reads = min(AVERAGING_READS, request.reads)
    return take(bench, cells, spec, reads, partial(progress.update, f"reading, {samples} samples"))
