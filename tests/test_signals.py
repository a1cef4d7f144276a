"""Signals: an orderly way out, and lines that are made safe before it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rramlab.signals import ends_later, exits_on_signals

ENDING = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.parametrize("name", ENDING)
def test_a_signal_becomes_an_exit_with_its_number(name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    cleaned = []
    with pytest.raises(SystemExit) as ending, exits_on_signals():
        try:
            signal.raise_signal(number)
        finally:
            cleaned.append(name)
    assert ending.value.code == 128 + number
    assert cleaned == [name]
    assert signal.getsignal(number) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with exits_on_signals(), ends_later():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("name", "kind"), [("SIGINT", KeyboardInterrupt), ("SIGTERM", SystemExit)])
def test_a_held_signal_arrives_afterwards(name: str, kind: type[BaseException]) -> None:
    steps = []
    with pytest.raises(kind), exits_on_signals():
        with ends_later():
            signal.raise_signal(getattr(signal, name))
            signal.raise_signal(getattr(signal, name))
            steps.append("inside to its end")
        steps.append("never here")
    assert steps == ["inside to its end"]


def test_a_held_signal_arrives_also_after_an_error() -> None:
    with pytest.raises(KeyboardInterrupt) as ending, ends_later():
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError
    assert isinstance(ending.value.__context__, ZeroDivisionError)


def test_other_threads_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work() -> None:
        with exits_on_signals(), ends_later():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


AT_A_TERMINAL = """
import fcntl, sys, termios, time
fcntl.ioctl(1, termios.TIOCSCTTY, 0)
from rramlab.signals import exits_on_signals
with exits_on_signals():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("lines are safe", flush=True)
        print("nobody hears this", file=sys.stderr, flush=True)
        open(sys.argv[1], "w").close()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_a_closed_terminal_does_not_stand_in_the_way_out(tmp_path: Path) -> None:
    done = tmp_path / "done"
    terminal, theirs = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, str(done)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while not said.endswith(b"\n"):  # a terminal gives what is there, maybe half a line
        said += os.read(terminal, 7)
    assert said == b"ready\r\n"
    os.close(terminal)
    assert child.wait(30) == 128 + signal.SIGHUP
    assert done.exists()
