"""Children to be killed start clean, and nothing waits for one that hangs."""

import os
import signal
import threading

import kills
import pytest
from kills import Forking, Moment, Nest, Say, Spawning, kill

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def count_threads(say: Say) -> None:
    import nursery

    say("threads", nursery.threads())
    say(os.environ["OMP_NUM_THREADS"], int(os.environ["NUMBA_NUM_THREADS"]))


def hang(say: Say) -> None:
    say("begun", 0)
    threading.Event().wait()


def talk(say: Say) -> None:
    while True:
        say("again", 0)


def crash(say: Say) -> None:
    say("begun", 0)
    os.kill(os.getpid(), signal.SIGSEGV)


def fail(say: Say) -> None:
    raise ValueError("nothing works")


@FORKS
def test_a_child_has_one_thread_whatever_the_tests_have() -> None:
    over = threading.Event()
    other = threading.Thread(target=over.wait, daemon=True)
    other.start()
    told = kill(count_threads, at=None)
    over.set()
    other.join()
    assert told.heard == [("threads", 1), ("1", 1), ("ended", 0)]


@FORKS
def test_a_child_that_hangs_fails_with_its_stacks() -> None:
    with pytest.raises(AssertionError, match=r"said nothing for 0\.2 s") as hanging:
        kill(hang, at=None, patience=0.2)
    assert "in hang" in str(hanging.value)
    assert kill(count_threads, at=None).ended  # the next one starts


@pytest.mark.parametrize("nest", [pytest.param(Forking, marks=FORKS), Spawning])
def test_a_child_is_killed_fails_or_ends(nest: type[Nest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "NEST", nest)
    monkeypatch.setattr(kills, "_nests", {})
    told = kill(talk, at=Moment("again", 3, 0.0))
    assert len(told.numbers("again")) == 1
    assert not told.ended
    assert not told.failures
    (failure,) = kill(fail, at=None).failures
    assert "nothing works" in failure
    (crashed,) = kill(crash, at=None).failures
    assert f"ended with code {-signal.SIGSEGV}" in crashed
    for left in kills._nests.values():
        left.close()


@FORKS
def test_a_module_that_cannot_be_imported_is_told() -> None:
    with pytest.raises(AssertionError, match="no_such_module"):
        Forking("no_such_module")
