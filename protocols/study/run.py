"""Carry out a noise study as a run: baselines, then every point, kept one by one; then the page."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

from protocols.study.baseline import Baseline, networks, ring
from protocols.study.crew import Crew
from protocols.study.device import Simulated
from protocols.study.findings import Findings, missing
from protocols.study.job import jobs_of
from protocols.study.measure import Setting
from protocols.study.request import Request
from protocols.study.technology import Technology
from protocols.study.tolerance import tolerances
from rramlab.bench import Bench
from rramlab.contents import Kept
from rramlab.diffusion.network import ScoreWeights
from rramlab.errors import InputError
from rramlab.progress import Progress
from rramlab.pulse import Columns
from rramlab.run import Run
from rramlab.runfile import RunFile
from rramlab.session import MOST_SEED, Session, free_folder
from rramlab.signals import exits_on_signals

COMMAND = "study noise"
LENGTH = "network unit"
UNITS = {"distance": LENGTH, "to_data": LENGTH, "histogram": "1", "weight_error": LENGTH}
BASELINE_UNITS = dict.fromkeys(("points", "floor", "floor_data", "start"), LENGTH)


@final
@dataclass(frozen=True)
class Asked:
    """Hold what was asked for: a new study with its folder and seed, or one to go on with."""

    request: Request
    folder: Path | None = None
    seed: int = 0
    resume: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a seed that the record cannot hold."""
        if not 0 <= self.seed <= MOST_SEED:
            raise InputError(f"--seed {self.seed} is not possible; give a whole number from 0 to {MOST_SEED}")


def carry_out(session: Session, asked: Asked, crew: Crew) -> tuple[Findings, Path]:
    """Return what a study found, and its folder."""
    with exits_on_signals(), _opened(session, asked) as (run, kept):
        session.terminal.say(f"run {run.folder}")
        with session.terminal.progress() as progress:
            found = study(run, kept, crew, progress)
        told = {"tolerances": [each.facts() for each in tolerances(found)]}
        run.keep("tolerances", {}, facts=told)
        write_page(found, run.folder)
    return found, run.folder


def study(run: Run, kept: dict[str, Kept], crew: Crew, progress: Progress) -> Findings:
    """Return the findings of a run; what an earlier process of it kept is not done again."""
    request, seed = Request(**run.start.parameters), run.start.seed
    bench = Bench.parse(run.start.bench)
    world = Simulated(bench.text, Technology.of(bench), [dict(each) for each in run.start.calibration])
    baselines: dict[str, Baseline] = {}
    settings: dict[str, Setting] = {}
    data = ring(request.samples, seed)
    for i, (name, score) in enumerate(networks(request).items()):
        progress.update("digital baselines", i, 2)
        base = baselines[name] = _baseline(run, kept, name, score)
        settings[name] = Setting(request, seed, score, world, base.yardsticks(request.samples), data)
    found: dict[str, Columns] = {
        job.name: kept[job.name].columns for job in jobs_of(request) if job.name in kept
    }
    jobs = missing(request, found)
    done, total = len(found), len(found) + len(jobs)
    for job, columns in crew.each(settings, jobs):
        run.keep(job.name, columns, UNITS, job.facts())
        found[job.name] = columns
        done += 1
        progress.update("points", done, total)
    return Findings.gather(request, seed, baselines, found)


def _baseline(run: Run, kept: dict[str, Kept], network: str, score: ScoreWeights) -> Baseline:
    """Return the digital baseline of a network, drawn once in a run."""
    name = f"baseline-{network}"
    if name in kept:
        return Baseline.from_kept(kept[name])
    drawn = Baseline.draw(network, score, Request(**run.start.parameters).samples, run.start.seed)
    run.keep(name, drawn.columns(), BASELINE_UNITS)
    return drawn


@contextmanager
def _opened(session: Session, asked: Asked) -> Iterator[tuple[Run, dict[str, Kept]]]:
    """Give the run, new or continued, and what it kept; one that stops half way says how to go on."""
    run = _new(session, asked) if asked.resume is None else _continued(session, asked.resume)
    try:
        with run:
            yield run, {} if asked.resume is None else dict(RunFile.open(run.folder).kept)
    except BaseException:
        with suppress(OSError):  # the terminal may be what was closed
            session.terminal.hint(
                f"what was measured is kept; go on with: rramlab {COMMAND} --resume {run.folder}"
            )
        raise


def _new(session: Session, asked: Asked) -> Run:
    bench = session.bench()
    Technology.of(bench)  # refuses a bench whose noise cannot be scaled, before a folder is made
    return Run.create(
        asked.folder or free_folder("study-noise"),
        command=COMMAND,
        seed=asked.seed,
        bench_text=bench.text,
        limits=bench.limits,
        parameters=asked.request.parameters(),
        calibration=bench.correction().facts(),
    )


def _continued(session: Session, folder: Path) -> Run:
    text = None if session.bench_path is None else session.bench().text
    return Run.resume(folder, command=COMMAND, bench_text=text)


def write_page(found: Findings, folder: Path) -> None:
    """Write the page of a study into its folder."""
    from protocols.study.page import page_of

    page_of(found).write(folder / "index.html", pictures=True)
