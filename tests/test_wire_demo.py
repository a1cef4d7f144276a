"""The main job over the wire, as a new user does it: two terminals, and somebody pulls the plug."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from rramlab.events import has_events, read_events
from rramlab.pulse import Delivery
from rramlab.runfile import JOURNAL, RunFile
from rramlab.tables import Table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="the board of the virtual bench is a pseudo-terminal"),
]
PATIENCE = 120.0
SMALL = ("--macros", "1", "--rows", "16", "--cols", "16")
DEMO = ("--bench", "virtual-bench.toml", "demo")


def free_ports() -> int:
    """Return the first of three neighbouring ports that are free."""
    for base in range(21_000, 60_000, 7):
        with ExitStack() as taken:
            try:
                for number in range(base, base + 3):
                    taken.enter_context(socket.create_server(("127.0.0.1", number)))
            except OSError:
                continue
            return base
    raise AssertionError("no three neighbouring ports are free")


@contextmanager
def virtual_bench(folder: Path, ports: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Serve a virtual bench in a process of its own; its file and its macro lie in the folder."""
    command = [sys.executable, "-m", "rramlab", "virtual-bench", "--ports", str(ports), *more]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("ready") for line in process.stdout), "the virtual bench did not start"
            yield process
        finally:
            process.kill()


def rramlab(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rramlab", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        out = process.communicate(timeout=2 * PATIENCE)[0]
    return process.returncode, out


def wait_for_pulses(journal: Path, count: int) -> None:
    """Wait until so many trains are answered in the journal."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        if has_events(journal):
            events = read_events(journal)
            if sum((event.stage, event.verb) == ("result", "pulse") for event in events) >= count:
                return
        sleep(0.05)
    raise AssertionError("the demo did not get so far in time")


def test_the_demo_survives_the_death_of_its_bench(tmp_path: Path) -> None:
    ports, journal = free_ports(), tmp_path / "runs" / "demo" / JOURNAL
    with virtual_bench(tmp_path, ports) as bench:
        demo = rramlab(tmp_path, *DEMO, "--runs", "60")
        wait_for_pulses(journal, 12)
        bench.kill()
        code, out = ended(demo)
    assert code == 7, out
    assert "go on with: rramlab demo --resume runs/demo" in out
    before = read_events(journal)  # it can be read
    with virtual_bench(tmp_path, ports):
        code, out = ended(rramlab(tmp_path, *DEMO, "--resume", "runs/demo"))
    assert code == 0, out
    assert "page: runs/demo/index.html" in out
    run = RunFile.open(tmp_path / "runs" / "demo")
    assert run.complete
    assert run.attributes["sessions"] == 2
    assert len(before) < run.attributes["n_events"]


def test_nothing_is_pulsed_twice_when_the_bench_dies_while_it_programs(tmp_path: Path) -> None:
    ports, journal = free_ports(), tmp_path / "p" / JOURNAL
    np.savetxt(tmp_path / "map.csv", np.linspace(20, 100, 256).reshape(16, 16), delimiter=",")
    words = ("--bench", "virtual-bench.toml", "program")
    with virtual_bench(tmp_path, ports, *SMALL) as bench:
        program = rramlab(tmp_path, *words, "map.csv", "--run", "p")
        wait_for_pulses(journal, 3)
        bench.kill()
        assert ended(program)[0] == 7
    with virtual_bench(tmp_path, ports, *SMALL) as bench:
        code, out = ended(rramlab(tmp_path, *words, "--resume", "p"))
        assert code == 0, out
        bench.terminate()  # in good order: the macro is kept as it is
        bench.wait(PATIENCE)
    sent = RunFile.open(tmp_path / "p").tables["pulses"]
    applied, unknown = (count(sent, fate) for fate in (Delivery.APPLIED, Delivery.UNKNOWN))
    with np.load(tmp_path / "virtual-bench.macro.npz") as kept:
        seen = kept["pulses_seen"]
    assert (seen <= applied + unknown).all()
    assert (seen >= applied).all()
    assert applied.sum() > 256


def count(pulses: Table, fate: Delivery) -> np.ndarray:
    """Return how many pulses of each cell had this fate."""
    cells, which = np.zeros((16, 16), dtype=int), pulses["delivery"] == fate
    np.add.at(cells, (pulses["row"][which], pulses["col"][which]), 1)
    return cells
