"""Carry out a pattern as a run: a picture in, programmed, read back at several times."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.clocks import HostTimes, ThisHost
from protocols.ageing.long_run import LongRun
from protocols.ageing.schedule import MOST_READS
from protocols.ageing.series import UNITS
from protocols.pattern.report import Aged, draw, show, summarise
from protocols.program.request import Request as Writing
from protocols.program.run import as_kept, kept_targets, placed, write
from protocols.write_verify.programmed import UNITS as PROGRAMMED_UNITS
from protocols.write_verify.programmed import Programmed
from rramlab.errors import InputError
from rramlab.progress import Progress
from rramlab.reading import ReadSpec
from rramlab.session import Plan, Session, Work, fits, free_folder

FloatArray = NDArray[np.float64]

MOST_SAMPLES = 10_000


@final
@dataclass(frozen=True)
class Request:
    """Hold what the command was asked for: how to write, when to read (s), samples per reading."""

    writing: Writing
    times: tuple[float, ...] = (1.0, 60.0, 3600.0, 86400.0)
    samples: int = 16

    def __post_init__(self) -> None:
        self.writing.strategy_object()
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"--samples {self.samples} is not possible; give 1 to {MOST_SAMPLES}")
        if not 1 <= len(self.times) <= MOST_READS:
            raise InputError(f"{len(self.times)} times are not possible; give 1 to {MOST_READS}")

    def parameters(self) -> dict[str, Any]:
        """Return the options that a continued run must share."""
        return {**self.writing.parameters(), "times": list(self.times), "samples": self.samples}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Request":
        """Return the request that a run was begun with; its targets stand in the run."""
        given = dict(parameters)
        times, samples = tuple(given.pop("times")), given.pop("samples")
        return cls(Writing(None, **given), times, samples)


def carry_out(
    session: Session,
    request: Request,
    folder: Path | None,
    resume: Path | None,
    after: Path | None,
    seed: int,
    *,
    away: float | None = None,
    patience: float = 0.0,
    host: HostTimes | None = None,
) -> dict[str, Any]:
    """Return the summary of a run of a pattern; everything is kept in its folder."""
    writing = request.writing
    with resources.as_file(resources.files("protocols.patterns").joinpath("moon_star.png")) as shipped:
        chosen = replace(writing, targets=writing.targets or shipped)
        given = None if resume else placed(chosen, session.bench())
    place = resume or folder or free_folder("pattern")
    check = fits(None if given is None else given[0])
    begun = None if given is None else {"targets": as_kept(*given)}
    plan = Plan("pattern", place, seed, request.parameters(), resume, after, check=check, given=begun)

    def body(work: Work, progress: Progress) -> dict[str, Any]:
        return _measured(long_run, work, progress, given)

    long_run = LongRun(session, plan, host or ThisHost(), patience, away)
    summary = long_run.carry_out(body)
    show(session, summary)
    return summary


def _measured(long_run: LongRun, work: Work, progress: Progress, given: Any) -> dict[str, Any]:
    """Return the summary of one attempt; what an earlier one did is not done again."""
    request = Request.from_parameters(work.run.start.parameters)
    done = _programmed(long_run, work, request, progress, given)
    usual = work.bench.reading
    reading = ReadSpec(usual.v_read, usual.gate, request.samples)
    times = np.asarray(request.times)
    series = long_run.watch(work, done.cells, reading, times, progress)
    aged = Aged(series, done, request.writing.tolerance)
    summary = summarise(aged, work.run.folder)
    columns = {**series.columns(), "target": done.target}
    work.run.keep("pattern", columns, {**UNITS, "target": "S"}, summary)
    draw(aged, request.writing.strategy, work.run.folder)
    return summary


def _programmed(
    long_run: LongRun, work: Work, request: Request, progress: Progress, given: Any
) -> Programmed:
    kept = work.kept("program")
    if kept is not None:
        return Programmed.from_columns(kept.columns)
    cells, targets = given if given is not None else kept_targets(work)
    strategy, spec = request.writing.strategy_object(), request.writing.spec(work.bench)
    done = write(work, strategy, spec, cells, targets, progress)
    long_run.zero(work)
    work.run.keep("program", done.columns(), PROGRAMMED_UNITS)
    return done
