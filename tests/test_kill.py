"""Two hundred SIGKILLs at random moments: no unreadable run, nothing acknowledged lost, no pulse twice."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import h5py  # noqa: F401  (the children are forked with it loaded)
import numpy as np
import pytest
from kills import Acknowledging, Moment, Say, kill, memory_disk

from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.errors import RunError
from rramlab.events import has_events, read_events
from rramlab.limits import Limits
from rramlab.pulse import Polarity, PulseTrain
from rramlab.recorder import Recorder
from rramlab.run import Run
from rramlab.runfile import JOURNAL, RunFile
from rramlab.runfolder import is_taken

SHAPE, SEED, TOLERANCE, STEP = (8, 8), 5, 1e-6, 1.4e-6
CELLS = Cells.of_shape(SHAPE)


class ToyMacro(Backend):
    """Move each conductance by a noisy step per pulse; the state is lost with the process, or in a file."""

    def __init__(self, recorder: Recorder | None, file: Path | None = None) -> None:
        self.file = file
        self._rng = np.random.default_rng(SEED)
        self._state = _state(file)
        self._time = 0.0
        super().__init__(Limits(), recorder)

    shape = macro_shape = property(lambda self: SHAPE)
    capabilities = property(lambda self: frozenset({"read", "pulse"}))
    forgets = property(lambda self: self.file is None)

    @classmethod
    def options(cls):
        raise NotImplementedError("this world is made by its test, not by a bench file")

    @classmethod
    def open(cls, options, limits, recorder, seed):
        raise NotImplementedError("this world is made by its test, not by a bench file")

    @property
    def G(self) -> np.ndarray:
        return self._state[0]

    @property
    def applied(self) -> np.ndarray:
        return self._state[1]

    def identify(self) -> dict[str, str]:
        return {"name": "toy"}

    def now(self) -> float:
        return self._time

    def _read(self, cells, spec):
        self._time += 1e-3
        return self.G[cells.row, cells.col].copy()

    def _pulse(self, train):
        self._time += 1e-6
        size = STEP * (1 + 0.2 * self._rng.standard_normal(len(train)))
        sign = np.where(train.polarity == Polarity.RESET, -1.0, 1.0)
        self.G[train.cells.row, train.cells.col] += sign * size
        self.applied[train.cells.row, train.cells.col] += 1
        return np.zeros(len(train), dtype=np.uint8)

    def _make_safe(self) -> None: ...
    def _sweep(self, cells, staircase): ...
    def _multiply(self, voltages, macro): ...
    def _solve(self, run): ...
    def _wait(self, seconds): ...

    def _memory(self):
        return {"state": np.array(self._state)}

    def _restore(self, memory):
        self._state[:] = memory["state"]


def _state(file: Path | None) -> np.ndarray:
    if file is None or not file.exists():
        fresh = np.zeros((2, *SHAPE))
        fresh[0] = 40e-6
        if file is None:
            return fresh
        fresh.tofile(file)
    return np.memmap(file, dtype=float, mode="r+", shape=(2, *SHAPE))


def target() -> np.ndarray:
    return np.random.default_rng(1).uniform(25e-6, 55e-6, len(CELLS))


def program(macro: ToyMacro) -> np.ndarray:
    """Read all, pulse what is off, until nothing is; a resumed run reads before it pulses."""
    for _ in range(60):
        reading = macro.read(CELLS)
        off = np.abs(reading - target()) > TOLERANCE
        macro.note("resume_point", {"left": int(off.sum())}, {"off": off})
        if not off.any():
            return reading
        up = (reading < target())[off]
        polarity = np.where(up, Polarity.SET, Polarity.RESET).astype(np.uint8)
        drive, gate = np.where(up, 1.0, 1.2), np.where(up, 1.2, 3.0)
        macro.pulse(PulseTrain(CELLS.take(off), polarity, drive, gate, np.array(1e-6)))
    raise AssertionError("the toy macro does not converge")


def job(say: Say, folder: Path, file: Path | None) -> None:
    """Program the toy macro in a run: begin it, go on with it, or find that it is complete."""
    facts = {"command": "toy", "seed": SEED, "bench_text": "[toy]", "limits": Limits(), "minimum_free": 0}
    try:
        run = (Run.resume if is_taken(folder) else Run.create)(folder, **facts)
    except RunError as error:
        assert "is complete" in str(error)
        return
    say("began", 0)
    with run, ToyMacro(Acknowledging(run.recorder, say), file) as macro:
        run.revive(macro)
        run.keep("achieved", {"conductance": program(macro)}, {"conductance": "S"})
        say("finalising", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = Path(mkdtemp(dir=memory_disk(tmp_path)))
    yield made
    shutil.rmtree(made)


def moment(rng: np.random.Generator) -> Moment:
    """Return a moment while beginning (10 %), while programming (60 %), or while finalising (30 %)."""
    draw = rng.random()
    if draw < 0.1:
        return Moment("", 0, rng.uniform(0, 0.03))
    if draw < 0.7:
        return Moment("", int(rng.integers(1, 60)), rng.exponential(3e-4))
    return Moment("finalising", 1, rng.uniform(0, 0.05))


def check(folder: Path, file: Path | None, acknowledged: dict[str, set[int]]) -> bool:
    """Hold a killed run against what was acknowledged; return whether it is complete and closed."""
    shown = RunFile.open(folder)
    asked, answered = numbers_of(shown)
    assert acknowledged["request"] <= asked, "an acknowledged request is lost"
    assert acknowledged["result"] <= answered, "an acknowledged result is lost"
    if has_events(folder / JOURNAL):
        check_journal(folder, shown, file)
        return False
    assert shown.complete
    return True


def check_journal(folder: Path, shown: RunFile, file: Path | None) -> None:
    events = read_events(folder / JOURNAL)
    for stage in ("request", "result"):
        numbers = [event.number for event in events if event.stage == stage]
        assert len(numbers) == len(set(numbers)), "a request or a result is journaled twice"
    asked, answered = pulses_of(shown, False), pulses_of(shown, True)
    if file is None:
        macro = ToyMacro(None)
        macro.replay(events)
        assert np.array_equal(macro.applied, asked)
        if "achieved" in shown.kept:
            achieved = shown.kept["achieved"].columns["conductance"]
            left = macro.G.ravel().astype(np.float32)  # a reading is of single precision
            assert np.array_equal(left, achieved), "the record does not lead to the macro it left"
    else:
        applied = ToyMacro(None, file).applied
        assert (answered <= applied).all(), "a pulse is on record that the macro never felt"
        assert (applied <= asked).all(), "the macro felt a pulse that is not on record"


def numbers_of(shown: RunFile) -> tuple[set[int], set[int]]:
    tables = [table for name in ("pulses", "reads") if (table := shown.tables[name])]
    asked = {int(number) for table in tables for number in table["number"]}
    return asked, {int(number) for table in tables for number in table["number"][table["answered"]]}


def pulses_of(shown: RunFile, only_answered: bool) -> np.ndarray:
    counted, table = np.zeros(SHAPE), shown.tables["pulses"]
    if table:
        which = table["answered"] | (not only_answered)
        np.add.at(counted, (table["row"][which], table["col"][which]), 1)
    return counted


def campaign(folder: Path, persistent: bool, kills: int, rng: np.random.Generator) -> Counter[str]:
    """Kill runs, resuming each until it is complete, so many times; return what was hit."""
    hit: Counter[str] = Counter()
    while hit["kills"] < kills:
        hit["runs"] += 1
        run, acknowledged = folder / f"run{hit['runs']}", {"request": set(), "result": set()}
        file = folder / f"macro{hit['runs']}" if persistent else None
        begun = complete = False
        while not complete:
            left = hit["kills"] < kills
            told = kill(job, run, file, at=moment(rng) if left else None)
            assert not told.failures, told.failures[0]
            hit["kills"] += not told.ended
            hit["finalising"] += not told.ended and ("finalising", 0) in told.heard
            begun = begun or bool(told.numbers("began"))
            for stage, numbers in acknowledged.items():
                numbers |= told.numbers(stage)
            if begun or is_taken(run):
                complete = check(run, file, acknowledged)
        achieved = RunFile.open(run).kept["achieved"].columns["conductance"]
        assert np.abs(achieved - target()).max() <= TOLERANCE
        assert np.abs(achieved - undisturbed()).max() <= 2 * TOLERANCE
    return hit


def undisturbed() -> np.ndarray:
    with ToyMacro(None) as macro:
        return program(macro)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("persistent", [False, True], ids=["simulated", "lasting"])
def test_kills_lose_nothing(folder: Path, persistent: bool) -> None:
    hit = campaign(folder, persistent, kills=100, rng=np.random.default_rng(20 + persistent))
    assert hit["finalising"] >= 10, hit
    print(dict(hit))
