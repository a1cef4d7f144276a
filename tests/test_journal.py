"""The journal keeps events in order, once each, through cut-off files, full disks and Ctrl-C."""

import math
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kills import Moment, Say, kill, memory_disk

from rramlab.errors import InputError, RunError
from rramlab.events import has_events, read_events
from rramlab.journal import Journal
from rramlab.packing import pack, unpack
from rramlab.recorder import Event

TRAIN = {"row": np.arange(40, dtype=np.int32), "drive": np.linspace(0, 2, 40)}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = Path(mkdtemp(dir=memory_disk(tmp_path)))
    yield made
    rmtree(made)


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "run.journal"


def exchange(journal: Journal, i: int) -> None:
    number = journal.request("pulse", float(i), {"i": i}, TRAIN)
    journal.result(number, "pulse", i + 0.5, {}, {"delivery": np.zeros(40, dtype=np.uint8)})


def same(a: Event, b: Event) -> bool:
    columns = a.columns.keys() == b.columns.keys() and all(
        np.array_equal(a.columns[name], b.columns[name]) for name in a.columns
    )
    return columns and (a.stage, a.verb, a.number, a.facts) == (b.stage, b.verb, b.number, b.facts)


dtypes = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes()
    | hnp.floating_dtypes(sizes=(16, 32, 64), endianness="?")
    | hnp.complex_number_dtypes(sizes=(64, 128))
    | hnp.byte_string_dtypes(max_len=5)
    | hnp.unicode_string_dtypes(max_len=5)
)
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
names = st.text(min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..") and not set(name) & {"/", "\0"}
)


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(names, arrays, max_size=4))
def test_columns_come_back_as_they_were(columns):
    back = unpack(pack(columns))
    assert list(back) == list(columns)
    for name, column in columns.items():
        assert back[name].dtype == column.dtype
        assert back[name].shape == column.shape
        assert back[name].tobytes() == column.tobytes()


@pytest.mark.parametrize(
    "column", [np.array([object()]), np.zeros(2, dtype=[("a", float)]), np.array("2026", dtype="M8[s]")]
)
def test_what_no_file_can_hold_is_refused(column):
    with pytest.raises(InputError, match="cannot be recorded; give numbers"):
        pack({"x": column})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0"])
def test_names_that_no_file_can_hold_are_refused(name):
    with pytest.raises(InputError, match="cannot be named"):
        pack({name: np.zeros(1)})


def test_events_come_back_in_order(path):
    with closing(Journal.create(path, {"seed": 1})) as journal:
        exchange(journal, 0)
        journal.note(
            "resume_point", 3.0, {"left": np.int64(4), "share": np.float64(0.5)}, {"off": np.ones(3, bool)}
        )
        journal.note("unsafe", math.nan, {}, {})
        exchange(journal, 1)
        listed = list(journal.events())
        assert all(same(a, b) for a, b in zip(listed, read_events(path), strict=True))
    assert [(e.stage, e.verb, e.number) for e in listed] == [
        ("note", "start", 0),
        ("request", "pulse", 1),
        ("result", "pulse", 1),
        ("note", "resume_point", 1),
        ("note", "unsafe", 1),
        ("request", "pulse", 2),
        ("result", "pulse", 2),
    ]
    assert listed[3].facts == {"left": 4, "share": 0.5}
    assert math.isnan(listed[4].bench_time)
    assert np.array_equal(listed[1].columns["drive"], TRAIN["drive"])


def test_numbers_go_on_and_open_requests_are_known(path):
    with closing(Journal.create(path, {})) as journal:
        exchange(journal, 0)
        journal.request("pulse", 1.0, {}, TRAIN)
        journal.note("resume_point", 1.0, {"n": 1}, {})
        journal.note("resume_point", 1.0, {"n": 2}, {})
    with closing(Journal.open(path)) as journal:
        assert [event.number for event in journal.open_requests()] == [2]
        assert journal.last_note("resume_point").facts == {"n": 2}
        assert journal.last_note("never") is None
        assert journal.request("read", 2.0, {}, {}) == 3


def test_each_request_is_answered_once(path):
    with closing(Journal.create(path, {})) as journal:
        number = journal.request("pulse", 0.0, {}, {})
        with pytest.raises(RunError, match="answers no open request"):
            journal.result(number, "read", 0.0, {}, {})
        journal.result(number, "pulse", 0.0, {}, {})
        for other in (number, number + 1):
            with pytest.raises(RunError, match="answers no open request"):
                journal.result(other, "pulse", 0.0, {}, {})


def test_the_database_itself_refuses_a_number_twice(path):
    with closing(Journal.create(path, {})) as journal:
        journal.request("pulse", 0.0, {}, {})
        journal._number = 0  # as if a fault of this package had forgotten it
        with pytest.raises(RunError, match="recorded twice"):
            journal.request("pulse", 0.0, {}, {})
    assert len(read_events(path)) == 2


def test_a_journal_of_another_version_is_not_continued(path):
    Journal.create(path, {}).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RunError, match="journal of version 99"):
        Journal.open(path)


def test_a_closed_journal_says_so(path):
    journal = Journal.create(path, {})
    journal.close()
    with pytest.raises(RunError, match="is closed"):
        journal.note("late", 0.0, {}, {})


def test_two_writers_in_one_process(path):
    first = Journal.create(path, {})
    with pytest.raises(RunError, match="being written by another process"):
        Journal.open(path)
    first.close()
    Journal.open(path).close()


def hold(say: Say, path: Path) -> None:
    with closing(Journal.create(path, {})) as journal:
        i = 0
        while True:
            exchange(journal, i)
            say("result", i)
            i += 1


def test_a_second_process_is_refused_and_free_after_a_kill(path):
    with closing(Journal.create(path, {})):
        told = kill(hold, path, at=Moment("ended", 1, 0.0))
    assert "being written by another process" in told.failures[0]
    path.unlink()
    told = kill(hold, path, at=Moment("result", 5, 0.0))
    assert not told.failures
    with closing(Journal.open(path)) as journal:  # the lock died with its process
        assert journal.number >= 5


def test_another_process_reads_while_one_writes(path):
    code = (
        "import sys; from pathlib import Path; from rramlab.events import read_events;"
        "print(len(read_events(Path(sys.argv[1]))))"
    )
    with closing(Journal.create(path, {})) as journal:
        for i in range(3):
            exchange(journal, i)
        seen = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        exchange(journal, 3)
    assert int(seen.stdout) == 7


def test_a_cut_log_keeps_what_was_committed_before_the_cut(path, folder):
    """Every prefix of the log holds the events whose commit ended before the cut, and no half of one."""
    log, ends = path.with_name("run.journal-wal"), []
    with closing(Journal.create(path, {})) as journal:
        ends.append(log.stat().st_size)
        for i in range(5):
            exchange(journal, i)
            ends.append(log.stat().st_size)
        whole = read_events(path)
        copytree(folder, folder / "killed")
    size = ends[-1]
    rng = np.random.default_rng(3)
    cuts = {
        0,
        1,
        31,
        32,
        size,
        size - 1,
        *ends,
        *(end - 1 for end in ends),
        *rng.integers(0, size, 40).tolist(),
    }
    for cut in sorted(cuts):
        copytree(folder / "killed", folder / "cut")
        with (folder / "cut" / log.name).open("r+b") as file:
            file.truncate(cut)
        broken = folder / "cut" / path.name
        expected = sum(end <= cut for end in ends)
        events = read_events(broken) if has_events(broken) else []
        assert len(events) >= max(2 * expected - 1, 0)
        assert all(same(a, b) for a, b in zip(events, whole, strict=False))
        if events:
            with closing(Journal.open(broken)) as journal:
                exchange(journal, 99)
        rmtree(folder / "cut")


def write_until_full(say: Say, path: Path, limit: int) -> None:
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with closing(Journal.create(path, {})) as journal:
        try:
            for _ in range(100_000):
                number = journal.request("pulse", 0.0, {}, TRAIN)
                say("request", number)
                journal.result(number, "pulse", 0.0, {}, {})
                say("result", number)
        except RunError as error:
            say(f"refused: {error}", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("limit", [60_000, 200_000])
def test_a_full_disk_is_one_clear_sentence_and_loses_nothing(path, limit):
    """A limit on the size of files stands for the disk: the system refuses to write beyond it."""
    told = kill(write_until_full, path, limit, at=None)
    (refused,) = [kind for kind, _ in told.heard if kind.startswith("refused")]
    assert "the disk is full" in refused
    assert "--resume" in refused
    kept = read_events(path)
    for stage in ("request", "result"):
        assert told.numbers(stage) <= {event.number for event in kept if event.stage == stage}
    with closing(Journal.open(path)) as journal:
        exchange(journal, 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(tmp_path)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root on Linux only")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_small_disk_fills_up_and_the_run_goes_on_after_room_was_made(small_disk):
    (small_disk / "pictures").write_bytes(bytes(200_000))
    path = small_disk / "run.journal"
    done = 0
    journal = Journal.create(path, {})
    with pytest.raises(RunError, match="the disk is full"):
        while True:
            exchange(journal, done)
            done += 1
    number = journal.number
    (small_disk / "pictures").unlink()
    with suppress(RunError):
        journal.result(number, "pulse", 0.0, {}, {})  # the answer that found no room can still be kept
    exchange(journal, done)
    journal.close()
    results = [event for event in read_events(path) if event.stage == "result"]
    assert done > 3
    assert len(results) >= done + 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
@pytest.mark.timeout(method="thread")  # the other method needs the same alarm
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_moment_leaves_whole_events(path):
    rng, journal = np.random.default_rng(4), Journal.create(path, {})
    struck = 0

    def interrupt(*_):
        nonlocal struck
        struck += 1
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for i in range(200):
            with suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 2e-3))
                # Counted: Python drops an interrupt that meets a callback of the garbage collector.
                while struck == i:
                    exchange(journal, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    exchange(journal, 1)
    journal.close()
    events = read_events(path)
    for stage in ("request", "result"):
        numbers = [event.number for event in events if event.stage == stage]
        assert numbers == sorted(set(numbers))
    assert len(events) > 200
