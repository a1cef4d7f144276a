"""One bench, one user: who is refused, what is said, and when the bench is free again."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rramlab.bench_lock import Holder, hold, holder_of, holders, lock_file, state_folder
from rramlab.errors import BenchBusy, InputError

HOLDING = """
import os, sys, time
from rramlab.bench_lock import hold
with hold("lab", run="runs/moon"):
    if {forks}:
        if os.fork() == 0:
            sys.stdin.read()
            os._exit(0)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RRAMLAB_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def other(forks: bool = False) -> subprocess.Popen[str]:
    """Return another process that holds the bench until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING.format(forks=forks)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=20)


def test_a_second_user_is_told_who_is_there_and_what_to_do() -> None:
    process = other()
    try:
        with pytest.raises(BenchBusy) as refused, hold("lab"):
            pass
    finally:
        end(process)
    said = str(refused.value)
    assert "bench 'lab' is in use" in said and "run 'runs/moon'" in said
    assert f"process {process.pid} on " in said and "held it since" in said
    assert f"kill {process.pid}" in said and "rramlab panic" in said
    assert refused.value.exit_code == 8


@pytest.mark.parametrize(
    "forks", [False, pytest.param(True, marks=pytest.mark.skipif(os.name == "nt", reason=""))]
)
def test_it_is_free_at_once_after_a_kill(forks: bool) -> None:
    process = other(forks)
    assert process.stdin is not None and process.stdout is not None
    process.kill()
    process.wait(timeout=20)
    left = holder_of("lab")
    with hold("lab", run="mine"):  # the forked child lives: its stdin is still open
        now = holder_of("lab")
    process.communicate(timeout=20)
    assert left is not None and left.pid == process.pid
    assert now is not None and (now.pid, now.run) == (os.getpid(), "mine")


def test_a_bench_left_in_good_order_leaves_no_name(place: Path) -> None:
    with hold("lab", world="a:B", options={"port": "COM5"}):
        assert [(h.bench, h.world, dict(h.options)) for h in holders()] == [("lab", "a:B", {"port": "COM5"})]
    assert holder_of("lab") is None and holders() == []
    with hold("lab"):
        pass


def test_the_same_process_is_refused_as_well() -> None:
    with hold("lab"), pytest.raises(BenchBusy, match=str(os.getpid())), hold("lab"):
        pass


def test_a_thread_of_the_same_process_is_refused() -> None:
    refused = []

    def work() -> None:
        try:
            with hold("lab"):
                pass
        except BenchBusy as error:
            refused.append(error)

    with hold("lab"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(20)
    assert len(refused) == 1


def test_other_benches_are_free_and_names_are_kept_apart() -> None:
    names = ["lab 1", "lab_1", "lab/1", "../lab", "Ünder", "a" * 300]
    assert len({lock_file(name) for name in names}) == len(names)
    assert {lock_file(name).parent for name in names} == {state_folder()}
    with hold("lab 1"), hold("lab_1"):
        assert {holder.bench for holder in holders()} == {"lab 1", "lab_1"}


def test_an_error_inside_frees_the_bench() -> None:
    with pytest.raises(ZeroDivisionError), hold("lab"):
        raise ZeroDivisionError
    with hold("lab"):
        pass


def test_a_place_that_root_made_for_all_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where /run/lock itself is root's, the folder in it may yet be everybody's: root locks there, too.
    monkeypatch.delenv("RRAMLAB_STATE")
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) == "/run/lock/rramlab")
    monkeypatch.setattr(Path, "mkdir", lambda *args, **more: None)
    assert state_folder() == Path("/run/lock/rramlab")


@pytest.mark.skipif(os.name == "nt", reason="Windows knows other rights")
def test_all_users_of_the_computer_may_lock(place: Path) -> None:
    with hold("lab"):
        assert place.stat().st_mode & 0o777 == 0o777
        assert lock_file("lab").stat().st_mode & 0o666 == 0o666


def test_a_name_that_cannot_be_read_is_no_reason_to_let_two_in(place: Path) -> None:
    with hold("lab"):
        lock_file("lab").with_suffix(".json").write_text("{nonsense")
        assert holder_of("lab") is None
        with pytest.raises(BenchBusy, match="cannot be read"), hold("lab"):
            pass


def test_a_place_that_cannot_be_made_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_text("a file")
    with pytest.raises(InputError, match="RRAMLAB_STATE=FOLDER"), hold("lab"):
        pass


def test_a_holder_tells_itself() -> None:
    told = str(Holder("lab", 7, "lab-pc", "ada", 0.0, "runs/moon"))
    assert told.startswith("ada has held it since ") and told.endswith(
        "(process 7 on lab-pc, run 'runs/moon')"
    )
