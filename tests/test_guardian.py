"""The guardian: outputs go off when their process dies, in whatever way, and only then."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_instruments import HangingDriver, ToyDriver, ToyInstrument, board_spec, meter_spec

from drivers.breaker import Breaker, switch_off
from drivers.guarded import Guarded, guarded
from drivers.spec import ScopeSpec
from rramlab.errors import LinkError, LinkFault

HOST = """
import json, os, sys, time
from pathlib import Path
from drivers.breaker import Breaker
from drivers.guarded import guarded
from rramlab.signals import exits_on_signals
from toy_instruments import ToyDriver

log, *orders = json.loads(sys.argv[1])
breakers = [Breaker.of(order) for order in orders]
with exits_on_signals(), guarded(breakers, Path(log)) as guardian:
    try:
        for breaker in breakers:
            ToyDriver(breaker.spec).say(b"ON")
        {forks}
        print(guardian.pid, flush=True)
        exec(sys.stdin.readline())
    finally:
        for breaker in breakers:
            ToyDriver(breaker.spec).say(b"OFF")
"""
FORKS = "if os.fork() == 0: sys.stdin.read(); os._exit(0)"


@pytest.fixture
def two() -> Iterator[tuple[ToyInstrument, ToyInstrument]]:
    with ToyInstrument() as board, ToyInstrument() as meter:
        yield board, meter


def breakers_of(two: tuple[ToyInstrument, ToyInstrument]) -> list[Breaker]:
    board, meter = two
    return [
        Breaker("board", ToyDriver, board_spec(board)),
        Breaker("source_meter", ToyDriver, meter_spec(meter)),
    ]


class Host:
    """A process with two outputs on; it does what it is told on stdin, until it is dead."""

    def __init__(self, breakers: list[Breaker], log: Path, forks: bool = False) -> None:
        orders = json.dumps([str(log), *(breaker.order() for breaker in breakers)])
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOST.format(forks=FORKS if forks else "pass"), orders],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parent,
            text=True,
        )
        assert self.process.stdout is not None
        self.guardian = int(self.process.stdout.readline())

    def do(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        self.process.communicate(timeout=30)
        return self.process.returncode


def is_gone(pid: int, seconds: float = 20.0) -> bool:
    """Tell whether a process that is no child of ours ends within a time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not is_alive(pid):
            return True
        time.sleep(0.005)
    return False


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and whose end nobody has asked for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # no /proc here, or gone in between
        return not Path("/proc/self").exists()


posix = pytest.mark.skipif(os.name == "nt", reason="Windows ends processes otherwise")


DEATHS: dict[str, Callable[["Host"], None]] = {
    "SIGKILL": lambda host: host.process.kill(),
    "SIGSEGV": lambda host: host.process.send_signal(signal.SIGSEGV),
    "_exit": lambda host: host.do("os._exit(3)"),
    "abort": lambda host: host.do("os.abort()"),
    "exec": lambda host: host.do("os.execv(sys.executable, [sys.executable, '-c', ''])"),
}


def first_is_quick(names: Iterable[str]) -> list[Any]:
    """Return cases of which all but the first are left to the slow tests."""
    first, *others = names
    return [first, *(pytest.param(name, marks=pytest.mark.slow) for name in others)]


@posix
@pytest.mark.parametrize("death", first_is_quick(DEATHS))
def test_outputs_go_off_when_the_host_dies(
    two: tuple[ToyInstrument, ToyInstrument], tmp_path: Path, death: str
) -> None:
    log = tmp_path / "guardian.log"
    host = Host(breakers_of(two), log)
    assert all(instrument.on for instrument in two)
    DEATHS[death](host)
    assert all(instrument.wait_off() for instrument in two)
    host.end()
    assert is_gone(host.guardian)
    said = log.read_text()
    assert (
        f"process {host.process.pid} left the bench" in said
        and "; all off after" in said
        and said.count("output off | ok") == 2
    )
    assert "board" in said and "source_meter" in said


@posix
def test_a_forked_child_that_lives_on_does_not_hold_the_outputs(
    two: tuple[ToyInstrument, ToyInstrument], tmp_path: Path
) -> None:
    host = Host(breakers_of(two), tmp_path / "guardian.log", forks=True)
    host.process.kill()
    assert all(instrument.wait_off() for instrument in two)
    host.process.wait(20)  # the child still has our pipes
    assert is_gone(host.guardian)
    host.end()


@posix
@pytest.mark.parametrize("name", first_is_quick(["SIGTERM", "SIGHUP", "SIGINT"]))
def test_signals_of_a_terminal_end_the_host_and_not_the_guardian(
    two: tuple[ToyInstrument, ToyInstrument], tmp_path: Path, name: str
) -> None:
    log = tmp_path / "guardian.log"
    host = Host(breakers_of(two), log)
    os.kill(host.guardian, getattr(signal, name))
    host.process.send_signal(getattr(signal, name))
    assert host.end() != 0
    assert is_gone(host.guardian)
    assert not any(instrument.on for instrument in two)
    assert not log.exists()  # the host did it by itself, and said BYE


def test_a_good_end_switches_nothing_and_leaves_no_process(
    two: tuple[ToyInstrument, ToyInstrument], tmp_path: Path
) -> None:
    log = tmp_path / "guardian.log"
    with guarded(breakers_of(two), log) as guardian:
        ToyDriver(board_spec(two[0])).say(b"ON")
        guardian.check()
    assert two[0].on and not log.exists()
    with pytest.raises(LinkError) as gone:
        guardian.check()
    assert gone.value.fault is LinkFault.LOST


def test_a_host_that_cannot_switch_off_leaves_it_to_the_guardian(
    two: tuple[ToyInstrument, ToyInstrument], tmp_path: Path
) -> None:
    guardian = Guarded.start(breakers_of(two), tmp_path / "guardian.log")
    guardian.ready()
    ToyDriver(board_spec(two[0])).say(b"ON")
    assert guardian.bye(off=False)
    assert not two[0].on and (tmp_path / "guardian.log").exists()


def test_what_the_guardian_could_not_switch_off_is_known(tmp_path: Path) -> None:
    with ToyInstrument(sticks=True) as stuck:
        spec = board_spec(stuck)
        guardian = Guarded.start([Breaker("board", ToyDriver, spec)], tmp_path / "guardian.log", seconds=0.05)
        guardian.ready()
        ToyDriver(spec).say(b"ON")
        assert not guardian.bye(off=False)
    assert "output on | NOT OK: switch the supply" in (tmp_path / "guardian.log").read_text()


@posix
def test_a_guardian_that_was_killed_stops_the_host(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="guardian") as lost, guarded([], tmp_path / "log") as guardian:
        os.kill(guardian.pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            guardian.check()
    assert lost.value.fault is LinkFault.LOST and lost.value.exit_code == 7


def test_a_guardian_whose_driver_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    class Local(ToyDriver):
        """Found by nobody: it lives in a function."""

    with ToyInstrument() as board:
        breaker = Breaker("board", Local, board_spec(board))
        guardian = Guarded.start([breaker], tmp_path / "log")
        with pytest.raises(LinkError, match="did not start"):
            guardian.ready()
        guardian.bye()


# The breaker by itself.


def test_one_that_hangs_or_fails_does_not_hold_up_the_others(tmp_path: Path) -> None:
    with ToyInstrument() as fine, ToyInstrument(deaf=True) as deaf:
        ToyDriver(board_spec(fine)).say(b"ON")
        found = switch_off(
            [
                Breaker("source_meter", HangingDriver, meter_spec(deaf)),
                Breaker("oscilloscope", ToyDriver, ScopeSpec(use="toy", resource="TCPIP::nowhere:0")),
                Breaker("board", ToyDriver, board_spec(fine)),
            ],
            seconds=0.2,
        )
    assert [(f.part, f.good) for f in found] == [
        ("source_meter", False),
        ("oscilloscope", False),
        ("board", True),
    ]
    assert found[0].answer == "no answer within 0.2 s" and "OUTPUT" in found[0].advice
    assert found[1].advice and not fine.on


def test_a_link_that_is_still_taken_is_tried_again() -> None:
    with ToyInstrument() as board:
        refusals = iter([ConnectionRefusedError("taken"), TimeoutError("taken")])

        class Late(ToyDriver):
            """Be refused twice."""

            @classmethod
            def switch_off(cls, spec):  # type: ignore[no-untyped-def]
                if (error := next(refusals, None)) is not None:
                    raise error
                return super().switch_off(spec)

        (found,) = switch_off([Breaker("board", Late, board_spec(board))])
    assert found.good


def test_an_order_is_plain_json_and_comes_back() -> None:
    with ToyInstrument() as board, ToyInstrument() as meter:
        for breaker in breakers_of((board, meter)):
            assert Breaker.of(json.loads(json.dumps(breaker.order()))) == breaker
