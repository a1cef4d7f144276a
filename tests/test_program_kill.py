"""Two hundred SIGKILLs while write-verify programs the simulated macro: every run goes on and ends well."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import h5py  # noqa: F401  (the children are forked with it loaded)
import numpy as np
import pytest
from kills import Acknowledging, Moment, Say, kill, memory_disk

from protocols.program.request import Request
from protocols.program.run import as_kept, kept_targets, write
from rramlab.bench import embedded
from rramlab.cells import Cells
from rramlab.events import has_events, read_events
from rramlab.outcome import Outcome
from rramlab.progress import Silent
from rramlab.runfile import JOURNAL, RunFile
from rramlab.runfolder import is_taken
from rramlab.session import Plan, Session
from rramlab.terminal import Terminal
from sim_backend.backend import SimBackend
from sim_backend.options import Options

SIDE, SEED = 8, 4
REQUEST = Request(None, passes=2, wait=10.0)
CELLS = Cells.grid(range(SIDE), range(SIDE))
KILLS = 200


def targets() -> np.ndarray:
    return np.random.default_rng(2).uniform(20e-6, 100e-6, len(CELLS))


def job(say: Say, folder: Path, bench: Path) -> None:
    """Program the macro in a run, as the command does without its pictures; go on with it if it was begun."""
    session = Session(bench, Terminal(quiet=True))
    begun = is_taken(folder)
    given = None if begun else {"targets": as_kept(CELLS, targets())}
    plan = Plan("program", folder, SEED, REQUEST.parameters(), folder if begun else None, given=given)
    with session.work(plan) as work:
        work.backend.recorder = Acknowledging(work.run.recorder, say)
        cells, wanted = kept_targets(work) if begun else (CELLS, targets())
        spec = REQUEST.spec(work.bench)
        done = write(work, REQUEST.strategy_object(), spec, cells, wanted, Silent())
        work.run.keep("program", done.columns())
        say("finalising", 0)


def warm_up() -> None:
    """Compile what programming needs, before children are forked that use it."""
    with TemporaryDirectory() as made:
        job(lambda *_: None, Path(made) / "warm", write_bench(Path(made)))


def write_bench(folder: Path) -> Path:
    path = folder / "bench.toml"
    path.write_text(embedded().replace("macros = 3", "macros = 1"))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = Path(mkdtemp(dir=memory_disk(tmp_path)))
    yield made
    shutil.rmtree(made)


def moment(rng: np.random.Generator) -> Moment:
    """Return a moment while beginning (10 %), programming (65 %), or finalising (25 %)."""
    draw = rng.random()
    if draw < 0.1:
        return Moment("", 0, rng.uniform(0, 0.1))
    if draw < 0.75:
        return Moment("", int(rng.integers(1, 60)), rng.exponential(1e-3))
    return Moment("finalising", 1, rng.uniform(0, 0.05))


def pulses_on_record(events: list) -> np.ndarray:
    counted = np.zeros((32, 32), int)
    for event in events:
        if event.stage == "request" and event.verb == "pulse":
            np.add.at(counted, (event.columns["row"], event.columns["col"]), 1)
    return counted


def check_journal(folder: Path) -> None:
    events = list(read_events(folder / JOURNAL))
    for stage in ("request", "result"):
        numbers = [event.number for event in events if event.stage == stage]
        assert len(numbers) == len(set(numbers)), "a request or a result is journaled twice"
    reborn = SimBackend(Options(macros=1), seed=SEED)
    reborn.replay(events)
    assert np.array_equal(reborn.pulses, pulses_on_record(events))


def check_end(folder: Path, uninterrupted: np.ndarray) -> None:
    kept = RunFile.open(folder).kept["program"].columns
    good = (kept["outcome"] == Outcome.CONVERGED) & ~np.isnan(uninterrupted)
    # Two passes: nearly all are within tolerance of their target; a relaxed one may be a little off.
    apart = np.abs(kept["achieved"] - uninterrupted)[good]
    assert good.sum() >= 60
    assert np.quantile(apart, 0.95) < 2.2e-6


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the children start warm by fork")
def test_programming_survives_kills(folder: Path) -> None:
    rng = np.random.default_rng(7)
    bench = write_bench(folder)
    assert kill(job, folder / "whole", bench, at=None).ended
    whole = RunFile.open(folder / "whole").kept["program"].columns
    uninterrupted = np.where(whole["outcome"] == Outcome.CONVERGED, whole["achieved"], np.nan)
    hit: Counter[str] = Counter()
    while hit["kills"] < KILLS:
        one_run(folder / f"run{hit['runs']}", bench, rng, hit)
        check_end(folder / f"run{hit['runs']}", uninterrupted)
        hit["runs"] += 1
    assert hit["runs"] > 10


def one_run(run: Path, bench: Path, rng: np.random.Generator, hit: Counter[str]) -> None:
    """Kill one run again and again until it is complete, and look at its journal after each kill."""
    acknowledged: set[int] = set()
    while True:
        at = moment(rng) if hit["kills"] < KILLS else None
        killed = kill(job, run, bench, at=at)
        failed = [text for text in killed.failures if "is complete" not in text]
        assert not failed, failed[0]
        hit["kills"] += at is not None
        acknowledged |= killed.numbers("result")
        if is_taken(run) and has_events(run / JOURNAL):
            answered = {e.number for e in read_events(run / JOURNAL) if e.stage == "result"}
            assert acknowledged <= answered, "an acknowledged result is lost"
            check_journal(run)
        elif is_taken(run) and RunFile.open(run).complete:
            return
