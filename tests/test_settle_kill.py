"""Kill the host at random moments over a virtual board: the crossbar felt what the journal says, no more."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import final

import numpy as np
import pytest
from kills import Moment, Say, kill, memory_disk
from numpy.typing import NDArray

from protocols.program.request import Request
from protocols.program.run import as_kept, kept_targets, write
from rramlab.cells import Cells
from rramlab.contents import contents_of
from rramlab.events import has_events, read_events
from rramlab.progress import Silent
from rramlab.pulse import Delivery
from rramlab.recorder import Columns, Event, Facts, Recorder
from rramlab.runfile import JOURNAL, RunFile
from rramlab.runfolder import is_taken
from rramlab.session import Plan, Session
from rramlab.terminal import Terminal
from sim_backend.options import Options
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.clock import RealClock
from sim_backend.virtual.port import Plug
from sim_backend.virtual.terminal import TerminalPort
from sim_backend.virtual.world import World

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals"),
]

SIDE, KILLS = 6, 20
REQUEST = Request(None, passes=1, wait=0.0)
CELLS = Cells.grid(range(SIDE), range(SIDE))
BENCH = """
[bench]
id = "kill"
[backend]
use = "drivers:BenchBackend"
[backend.options]
macros = 1
rows = 8
cols = 8
clock = "board"
[backend.options.board]
use = "rramlab-board"
port = "{port}"
timeout = 0.5
"""


def warm_up() -> None:
    """Load what the children need, before they are forked."""
    import serial  # noqa: F401


def job(say: Say, folder: Path, bench: Path, state: Path) -> None:
    """Program the macro in a run, as the command does without its pictures; go on with it if it was begun."""
    os.environ["RRAMLAB_STATE"] = str(state)
    session = Session(bench, Terminal(quiet=True))
    begun = is_taken(folder)
    # Other targets for each run: the macro keeps those of the last one.
    wanted = np.random.default_rng(int(folder.name)).uniform(20e-6, 100e-6, len(CELLS))
    given = None if begun else {"targets": as_kept(CELLS, wanted)}
    plan = Plan("program", folder, 4, REQUEST.parameters(), folder if begun else None, given=given)
    with session.work(plan) as work:
        say("settled", 0)
        work.backend.recorder = Telling(work.run.recorder, say)
        cells, targets = kept_targets(work) if begun else (CELLS, wanted)
        done = write(work, REQUEST.strategy_object(), REQUEST.spec(work.bench), cells, targets, Silent())
        work.run.keep("program", done.columns())


@final
class Telling(Recorder):
    """Say on a pipe which verb is about to be sent."""

    def __init__(self, recorder: Recorder, say: Say) -> None:
        self._recorder, self._say = recorder, say

    def request(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> int:
        number = self._recorder.request(verb, bench_time, facts, columns)
        self._say(verb, number)
        return number

    def result(self, number: int, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        self._recorder.result(number, verb, bench_time, facts, columns)

    def note(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        self._recorder.note(verb, bench_time, facts, columns)


@final
@dataclass(frozen=True)
class Table:
    """Hold the virtual board on its pseudo-terminal, and the bench file that leads to it."""

    world: World
    board: VirtualBoard
    bench: Path


@contextmanager
def table(folder: Path) -> Iterator[Table]:
    with World(Options(macros=1, rows=8, cols=8), seed=3, clock=RealClock()) as world:
        board = VirtualBoard(world)
        with TerminalPort(Plug(board, baud=921_600), folder / "board") as port:
            bench = folder / "bench.toml"
            bench.write_text(BENCH.format(port=port.address))
            yield Table(world, board, bench)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = Path(mkdtemp(dir=memory_disk(tmp_path)))
    yield made
    shutil.rmtree(made)


def moment(rng: np.random.Generator) -> Moment:
    """Return a moment while opening and settling (20 %), or around a request (80 %)."""
    if rng.random() < 0.2:
        return Moment("", 0, rng.uniform(0, 1.0))
    # At once: mostly before the train is on the wire. Later: the board is at work, or its answer under way.
    later = rng.exponential(3e-3) if rng.random() < 0.6 else 0.0
    return Moment("pulse", int(rng.integers(1, 6)), later)


def counted(events: list[Event], delivery: Delivery | None) -> NDArray[np.int64]:
    """Return how many pulses of each cell the record says to have had this delivery, or to have none yet."""
    table, count = contents_of(events).tables["pulses"], np.zeros((8, 8), np.int64)
    if table:
        told = table["answered"] & (table["delivery"] == delivery)
        which = ~table["answered"] if delivery is None else told
        np.add.at(count, (table["row"][which], table["col"][which]), 1)
    return count


def check(folder: Path, before: NDArray[np.int64], seen: NDArray[np.int64]) -> None:
    """Hold the journal of a killed run against what the crossbar felt since the run began."""
    events = read_events(folder / JOURNAL)
    applied, unknown = counted(events, Delivery.APPLIED), counted(events, Delivery.UNKNOWN)
    felt, open_ones = seen - before, counted(events, None)
    assert (applied <= felt).all(), "a pulse is on record that the crossbar never felt"
    assert (felt <= applied + unknown + open_ones).all(), "the crossbar felt a pulse that is not on record"


def one_run(place: Table, run: Path, rng: np.random.Generator, resets: bool, hit: Counter[str]) -> None:
    """Kill one run again and again until it is complete; hold its record against the crossbar."""
    before = place.world.pulses_seen.copy()
    while True:
        at = moment(rng) if hit["kills"] < KILLS else None
        killed = kill(job, run, place.bench, run.parent / "state", at=at)
        failed = [text for text in killed.failures if "is complete" not in text]
        assert not failed, failed[0]
        hit["kills"] += not killed.ended
        if is_taken(run) and has_events(run / JOURNAL):
            hit["open"] += any(event.verb == "pulse" for event in left_open(run))
            check(run, before, place.world.pulses_seen)
            if resets and rng.random() < 0.5:
                place.board.reset()
                hit["resets"] += 1
        elif is_taken(run) and RunFile.open(run).complete:
            break
    settle_up(run, before, place, hit)


def left_open(run: Path) -> list[Event]:
    events = read_events(run / JOURNAL)
    answered = {event.number for event in events if event.stage == "result"}
    return [event for event in events if event.stage == "request" and event.number not in answered]


def settle_up(run: Path, before: NDArray[np.int64], place: Table, hit: Counter[str]) -> None:
    """Count at the end of a run: no pulse more and none less than the record says, unknown ones apart."""
    pulses = RunFile.open(run).tables["pulses"]
    assert pulses["answered"].all()
    felt = place.world.pulses_seen - before
    sums = {}
    for delivery in Delivery:
        sums[delivery] = np.zeros((8, 8), np.int64)
        which = pulses["delivery"] == delivery
        np.add.at(sums[delivery], (pulses["row"][which], pulses["col"][which]), 1)
        hit[delivery.name] += int(which.sum())
    doubt = sums[Delivery.UNKNOWN]
    assert (sums[Delivery.APPLIED] <= felt).all() and (felt <= sums[Delivery.APPLIED] + doubt).all()
    if not hit["resets"]:
        assert doubt.sum() == 0
    assert place.world.violations == []


def campaign(folder: Path, resets: bool, seed: int) -> Counter[str]:
    rng, hit = np.random.default_rng(seed), Counter[str]()
    with table(folder) as place:
        while hit["kills"] < KILLS:
            hit["runs"] += 1
            one_run(place, folder / str(hit["runs"]), rng, resets, hit)
    print(dict(hit))
    return hit


def test_no_pulse_is_lost_or_doubled_by_a_kill(folder: Path) -> None:
    hit = campaign(folder, resets=False, seed=1)
    assert hit["open"] > 0, "no kill hit a train under way"


def test_pulses_of_a_board_that_was_reset_as_well_are_unknown(folder: Path) -> None:
    hit = campaign(folder, resets=True, seed=2)
    assert hit["UNKNOWN"] > 0 and hit["open"] > 0
