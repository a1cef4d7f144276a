"""Retention over the wire: killed three times, the bench restarted once, and no read is missing."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from protocols.ageing.series import Status
from rramlab.errors import RramlabError
from rramlab.runfile import RunFile
from sim_backend.options import Options
from sim_backend.virtual.bench import Table, VirtualBench

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals"),
]

RRAMLAB = Path(sys.executable).with_name("rramlab")
ASKED = ("--cells", "r0-7,c0-7", "--levels", "3", "--reads", "60", "--last", "1e6s", "--run", "r")


def bench(folder: Path) -> VirtualBench:
    table = Table(meter=None, scope=None, link=folder / "board", state=folder / "macro.h5")
    return VirtualBench(Options(macros=1, rows=8, cols=8), 3, "virtual", table)


def command(*words: str) -> list[str | Path]:
    return [RRAMLAB, "--json", "--bench", "bench.toml", "retention", *words]


def events() -> int:
    with suppress(RramlabError):
        return int(RunFile.open("r").attributes["n_events"])
    return 0


def killed_after(count: int, *words: str) -> None:
    """Kill the command when its journal holds so many events."""
    child = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = monotonic() + 120.0
    try:
        while events() < count and child.poll() is None:
            assert monotonic() < deadline, f"only {events()} events in two minutes"
            sleep(0.005)  # waiting for the child: nothing is timed
    finally:
        child.kill()
        child.wait(60)


def test_three_kills_and_a_restart_of_the_bench_lose_no_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with bench(tmp_path) as virtual:
        Path("bench.toml").write_text(virtual.bench_file("wire"))
        killed_after(40, *ASKED)
        killed_after(200, "--resume", "r")
        killed_after(500, "--resume", "r")
    # The bench was off; it has the same macro at the same place, and its clock may have begun anew.
    with bench(tmp_path) as virtual:
        assert not RunFile.open("r").complete
        ended = subprocess.run(
            command("--resume", "r"), capture_output=True, text=True, timeout=300, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert virtual.world.violations == []
    facts, found = json.loads(ended.stdout), RunFile.open("r").kept["retention"].columns
    # Virtual time stands still while nothing runs: there is nothing that could have fallen due.
    assert facts["reads"]["gap"] == facts["reads"]["pending"] == 0
    assert (found["status"] != Status.GAP).all() and np.isfinite(found["conductance"]).all()
    # Kills, and starts of Python between them, put a few seconds of the computer into it at most.
    assert (found["elapsed"] - found["planned"] < 60.0).all() and (np.diff(found["elapsed"]) > 0).all()
    drift = facts["states"][1]["drift_uS_per_decade"]
    assert drift["value"] == pytest.approx(-0.2, abs=0.1 + 4 * drift["uncertainty"])
