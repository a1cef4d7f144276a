"""A run that was cut off is recovered, however often; of a damaged journal what is readable is saved."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp
from types import FrameType

import h5py
import numpy as np
import pytest
from kills import Say, kill, memory_disk

import rramlab
from rramlab.errors import RunError
from rramlab.events import read_events
from rramlab.limits import Limits
from rramlab.recover import recover
from rramlab.run import Run
from rramlab.runfile import FILE, JOURNAL, RunFile
from rramlab.runfolder import is_taken

START = {"command": "program", "seed": 7, "bench_text": "", "limits": Limits(), "minimum_free": 0}
HOME = Path(rramlab.__file__).parent
COLUMNS = {"row": np.arange(60, dtype=np.int32), "col": np.arange(60, dtype=np.int32)}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = Path(mkdtemp(dir=memory_disk(tmp_path)))
    yield made
    rmtree(made)


def readings(run: Run, count: int) -> None:
    for i in range(count):
        number = run.recorder.request("read", float(i), {"v_read": 0.2}, COLUMNS)
        run.recorder.result(number, "read", i + 0.5, {}, {"conductance": np.full(60, i * 1e-6)})


def cut_off(path: Path, count: int) -> Path:
    run = Run.create(path, **START)
    readings(run, count)
    run.close()
    return path


def finished_but_killed(say: Say, path: Path) -> None:
    run = Run.create(path, **START)
    readings(run, 3)
    run.note("end")
    say("end", 0)
    os._exit(0)


def test_recovering_twice_gives_the_same(folder):
    run = cut_off(folder / "moon", 5)
    first = recover(run)
    content = (run / FILE).read_bytes()
    assert recover(run) == first
    assert (run / FILE).read_bytes() == content
    assert (first.events, first.complete, first.lost) == (11, False, ())
    assert "continue it with --resume" in str(first)
    assert (run / JOURNAL).exists()


def test_a_run_killed_after_its_end_is_finished_by_recover_or_resume(folder):
    for name, finish in (("moon", recover), ("sun", lambda path: Run.resume(path, minimum_free=0))):
        kill(finished_but_killed, folder / name, at=None)
        try:
            finish(folder / name)
        except RunError as error:
            assert name == "sun" and "is complete" in str(error)
        assert [file.name for file in (folder / name).iterdir()] == [FILE]
        assert RunFile.open(folder / name).complete
        assert recover(folder / name).complete


def test_what_was_left_of_an_earlier_attempt_is_replaced(folder):
    run = cut_off(folder / "moon", 2)
    (run / "run.h5.part").write_bytes(b"half a file")
    (run / FILE).write_bytes(b"not a file of a run")
    assert RunFile.open(run).attributes["n_events"] == 5  # the journal is asked first
    recover(run)
    assert sorted(file.name for file in run.iterdir() if "journal" not in file.name) == [FILE, "run.lock"]


@pytest.mark.parametrize("seed", range(2))
def test_a_cut_journal_gives_what_is_left_and_says_what_is_lost(folder, seed):
    """Cut the database itself, which no crash does: a copy that broke off, a disk that fails."""
    run = cut_off(folder / "whole", 60)
    whole = read_events(run / JOURNAL)
    size = (run / JOURNAL).stat().st_size
    saved = []
    for cut in sorted(np.random.default_rng(seed).integers(0, size, 6).tolist()):
        broken = copytree(run, folder / "cut")
        os.truncate(broken / JOURNAL, cut)
        before = (broken / JOURNAL).read_bytes()
        try:
            found = recover(broken)
        except RunError as error:
            assert "nothing" in str(error)
        else:
            assert found.lost and not found.complete
            shown = RunFile.open(broken)
            table = shown.tables["reads"]
            for i in range(len(table.get("number", ()))):
                asked = (table["number"][i] - 1) * 1e-6
                assert not table["answered"][i] or table["conductance"][i] == asked
            saved.append(found.events)
        assert (broken / JOURNAL).read_bytes() == before, "the damaged journal was touched"
        rmtree(broken)
    assert saved == sorted(saved)
    assert saved[-1] > len(whole) // 3


def test_a_flipped_bit_is_noticed_and_only_its_event_is_lost(folder):
    run = cut_off(folder / "moon", 6)
    content = bytearray((run / JOURNAL).read_bytes())
    place = content.index(np.full(60, 4e-6).tobytes())
    content[place + 3] ^= 1
    (run / JOURNAL).write_bytes(content)
    with pytest.raises(RunError, match=r"is damaged.*rramlab recover"):
        RunFile.open(run)
    found = recover(run)
    assert found.events == 12
    assert found.lost[0] == "event 11"
    shown = RunFile.open(run)  # from the recovered file
    table = shown.tables["reads"]
    assert table["answered"].reshape(6, 60)[:, 0].tolist() == [True] * 4 + [False, True]
    assert (run / JOURNAL).exists()


def test_what_is_no_journal_is_left_as_it_is(folder):
    run = folder / "moon"
    run.mkdir()
    (run / JOURNAL).write_bytes(b"x" * 5000)
    with pytest.raises(RunError, match="nothing can be read"):
        recover(run)
    assert (run / JOURNAL).read_bytes() == b"x" * 5000


def test_a_file_of_something_else_is_not_shown(folder):
    with h5py.File(folder / FILE, "w") as file:
        file.attrs["format"] = "holiday pictures"
    with pytest.raises(RunError, match="not one of a run"):
        RunFile.open(folder)
    (folder / FILE).write_bytes(b"")
    with pytest.raises(RunError, match="cannot be read"):
        RunFile.open(folder)


def finish_on_a_full_disk(say: Say, path: Path) -> None:
    import resource  # not on Windows

    run = Run.resume(path, minimum_free=0)
    run.keep("noise", {"x": np.random.default_rng(0).random(4000)}, {"x": "V"})
    size = max(file.stat().st_size for file in path.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, size))
    try:
        run._finish()
    except RunError as error:
        say(f"refused: {error}", 0)
    run.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_disk_that_is_full_at_the_end_keeps_the_journal(folder):
    run = cut_off(folder / "moon", 3)
    told = kill(finish_on_a_full_disk, run, at=None)
    assert "the disk is full" in told.heard[0][0], told.heard
    assert os.strerror(errno.EFBIG) in told.heard[0][0]
    assert not (run / FILE).exists()
    assert recover(run).events == 9
    assert RunFile.open(run).kept["noise"].columns["x"].size == 4000


def die_at_line(line: int, *modules: str) -> None:
    """End this process, as a kill does, at so many lines from here of these modules of the package."""
    left, files = iter(range(line)), [str(HOME / f"{name}.py") for name in modules]

    def trace(frame: FrameType, what: str, _: object) -> object:
        if frame.f_code.co_filename not in files:
            return None
        if what == "line" and next(left, None) is None:
            os._exit(9)
        return trace

    sys.settrace(trace)


def finish_and_die(say: Say, path: Path, line: int) -> None:
    run = Run.create(path, **START)
    readings(run, 2)
    die_at_line(line, "finish", "disk")
    run.finalise()
    say("done", 0)


def begin_and_die(say: Say, path: Path, line: int) -> None:
    die_at_line(line, "journal", "lock")
    run = Run.create(path, **START)
    readings(run, 1)
    say("done", 0)


def deaths(work: Callable[..., None], folder: Path) -> Iterator[Path]:
    """Return a run killed at the first line of its work, one killed at the second, and so on to its end."""
    for line in range(1000):
        run = folder / f"moon{line}"
        told = kill(work, run, line, at=None)
        assert not told.failures, told.failures
        if told.numbers("done"):
            assert line > 20
            return
        yield run
        rmtree(run, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_at_any_line_of_finishing_leaves_a_run_that_reads_and_ends(folder):
    ends = set()
    for run in deaths(finish_and_die, folder):
        shown = RunFile.open(run)
        assert shown.tables["reads"]["conductance"].tolist() == [0.0] * 60 + [1e-6] * 60
        ends.add((shown.complete, (run / JOURNAL).exists()))
        if not shown.complete:
            Run.resume(run, minimum_free=0).finalise()
        assert recover(run).complete
        assert {file.name for file in run.iterdir()} <= {FILE, "run.lock"}
    assert ends == {(False, True), (True, True), (True, False)}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_at_any_line_of_beginning_leaves_a_name_that_can_be_used(folder):
    ends = set()
    for run in deaths(begin_and_die, folder):
        begun = is_taken(run)
        ends.add(begun)
        (Run.resume(run, minimum_free=0) if begun else Run.create(run, **START)).finalise()
        assert RunFile.open(run).complete
    assert ends == {False, True}
