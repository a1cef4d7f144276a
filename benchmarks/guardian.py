"""How long outputs stay on after the host has died, by the way it died, measured at the virtual crossbar.

The host is a process of its own that sweeps a cell: source meter on, gate up, a board on a pseudo-terminal.
It dies at a random moment of the sweep. The time is from that moment to the last line at 0 V.

Run: python benchmarks/guardian.py [deaths of each kind]
"""

import os
import pty
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sim_backend.options import Options
from sim_backend.virtual.bench import Table, VirtualBench

GOAL = 0.1
PATIENCE = 20.0
HOST = """
import os, sys, threading
from pathlib import Path

def obey():
    if sys.stdin.readline():
        os._exit(3)

threading.Thread(target=obey, daemon=True).start()
if {terminal}:
    import fcntl, termios
    fcntl.ioctl(2, termios.TIOCSCTTY, 0)

import numpy as np
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.reading import Staircase

with Bench.load(Path({bench!r})).open() as backend:
    backend.sweep(Cells.parse("r0c0"), Staircase(np.full(1500, 0.1), 1.2, 1e-4, 0.02))
"""


@dataclass(frozen=True)
class Host:
    """Hold a host that is in the middle of a sweep, and the terminal that it was started from."""

    process: subprocess.Popen[bytes]
    terminal: int | None

    def close_terminal(self) -> None:
        """Close the terminal, as a lost ssh connection does."""
        assert self.terminal is not None
        os.close(self.terminal)

    def exit_at_once(self) -> None:
        """Have the host end without cleaning up."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"now\n")
        self.process.stdin.flush()


DEATHS: dict[str, Callable[[Host], None]] = {
    "SIGKILL": lambda host: host.process.kill(),
    "SIGSEGV": lambda host: host.process.send_signal(signal.SIGSEGV),
    "SIGTERM": lambda host: host.process.send_signal(signal.SIGTERM),
    "os._exit": Host.exit_at_once,
    "closed terminal": Host.close_terminal,
}


def start(bench: Path, at_terminal: bool) -> Host:
    """Start a host, at a terminal of its own if it is to lose it."""
    script = HOST.format(terminal=at_terminal, bench=str(bench))
    ours, theirs = pty.openpty() if at_terminal else (None, subprocess.DEVNULL)
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"RRAMLAB_STATE": str(bench.parent / "state")},
        start_new_session=True,
    )
    if at_terminal:
        os.close(theirs)
    return Host(process, ours)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something holds, not for ever."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {PATIENCE:g} s")
        time.sleep(0.001)


def die(served: VirtualBench, bench: Path, kind: str, chance: random.Random) -> float | None:
    """Return how long (s) after its death the outputs of a host were on; None if they stayed on."""
    host = start(bench, kind == "closed terminal")
    until(lambda: served.world.off_at is None, "the sweep has not begun")
    time.sleep(chance.uniform(0.0, 0.3))
    died = time.monotonic()
    DEATHS[kind](host)
    while (off := served.world.off_at) is None and time.monotonic() < died + 5.0:
        time.sleep(0.0005)
    host.process.wait(PATIENCE)
    if host.process.stdin is not None:
        host.process.stdin.close()
    if host.terminal is not None and kind != "closed terminal":
        os.close(host.terminal)
    return None if off is None else off - died


def campaign(count: int) -> dict[str, list[float | None]]:
    """Return the times (s) of so many deaths of each kind."""
    chance, found = random.Random(1), {}
    with TemporaryDirectory() as folder:
        table = Table(link=Path(folder) / "board")
        with VirtualBench(Options(macros=1, rows=4, cols=4), clock="real", table=table) as served:
            bench = Path(folder) / "bench.toml"
            bench.write_text(served.bench_file("guardian"), encoding="utf-8")
            for kind in DEATHS:
                found[kind] = [die(served, bench, kind, chance) for _ in range(count)]
            assert not served.world.violations, served.world.violations
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{'death of the host':18} {'off':>8} {'median ms':>10} {'max ms':>8} {'goal ms':>8}")
    found = campaign(count)
    for kind, times in found.items():
        off = [1e3 * seconds for seconds in times if seconds is not None]
        middle, most = (median(off), max(off)) if off else (float("nan"), float("nan"))
        print(f"{kind:18} {len(off):>3} of {count:<3} {middle:10.1f} {most:8.1f} {1e3 * GOAL:8.0f}")
    late = [kind for kind, times in found.items() if any(t is None or t > GOAL for t in times)]
    print("goal met" if not late else f"goal missed by: {', '.join(late)}")


if __name__ == "__main__":
    main()
