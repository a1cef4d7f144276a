"""Measure retention on the simulated bench: time against its goal, and what it finds against the truth.

Goal: 1e6 s, 1 024 cells, 60 reads in 10 s or less, with programming, record, fits and page. The peer in the
same process is the bare simulation: as many reads and waits without a record.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from protocols.ageing.durations import TEN_YEARS, format_duration
from protocols.ageing.log_law import Law
from protocols.ageing.schedule import log_spaced
from protocols.ageing.series import Series
from protocols.retention.request import Request
from protocols.retention.run import carry_out
from protocols.retention.states import states_of
from rramlab.cells import Cells
from rramlab.outcome import Outcome
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal
from sim_backend.backend import SimBackend
from sim_backend.options import Options

ASKED = Request(cells="r0-31,c0-31", levels=8, reads=60, last=1e6)
GOAL = 10.0


def main() -> None:
    with TemporaryDirectory() as made:
        folder = Path(made)
        once(folder / "warm")
        seconds = min(once(folder / f"run{i}") for i in range(3))
        bare = min(peer() for _ in range(3))
        print(
            f"{'retention, 1e6 s, 1 024 cells, 60 reads':46} goal {GOAL:g} s   here {seconds:.2f} s", end=""
        )
        print(f"   {seconds / bare:.0f} x the bare simulation ({bare:.3f} s)")
        compare(folder / "run0")
    sys.exit(seconds > GOAL)


def once(folder: Path) -> float:
    """Return the seconds of a whole run."""
    begun = perf_counter()
    carry_out(Session(None, Terminal(quiet=True)), ASKED, folder, None, None, 0)
    return perf_counter() - begun


def peer() -> float:
    """Return the seconds of the reads and waits alone."""
    cells, begun = Cells.parse(ASKED.cells), perf_counter()
    with SimBackend(Options()) as backend:
        for step in np.diff(log_spaced(1.0, 1e6, 60), prepend=0.0):
            backend.wait(float(step))
            backend.read(cells)
    return perf_counter() - begun


def compare(folder: Path) -> None:
    """Print what the fits foretell beside the true cells, one and two and a half decades beyond the data."""
    kept = RunFile.open(folder).kept
    told, done = kept["retention"].columns, kept["program"].columns
    cells = Cells(told["row"], told["col"])
    names = ("planned", "elapsed", "took", "status", "conductance", "age")
    series = Series(cells, *(np.asarray(told[name]) for name in names))
    states = states_of(series, done["target"].astype(float), done["outcome"] == Outcome.CONVERGED)
    for far in (1e7, TEN_YEARS):
        now = truth(folder, cells, far - float(series.elapsed[-1]))
        laws = states.laws(series, np.random.default_rng(0), far)
        print(f"\nat {format_duration(far)}: truth, and what the reads up to 1e6 s foretell (uS)")
        print(f"{'state':>7} {'mean':>8} {'foretold':>22} {'sigma':>8} {'foretold':>26}")
        for i, law in enumerate(laws):
            members = now[states.members(i)]
            about = members - states.reference[states.members(i)]
            print(line(1e6 * states.centre[i], 1e6 * members.mean(), 1e6 * about.std(ddof=1), law))


def line(centre: float, mean: float, sigma: float, law: Law) -> str:
    m, s = law.mean_far, law.sigma_far
    found = f"{1e6 * m.value:.2f} ± {1e6 * m.uncertainty:.2f} ± {1e6 * law.mean_law:.2f}"
    spread = f"{1e6 * s.value:.3f} ({1e6 * s.low:.3f} to {1e6 * s.high:.3f})"
    return f"{centre:7.1f} {mean:8.2f} {found:>22} {sigma:8.3f} {spread:>26}"


def truth(folder: Path, cells: Cells, later: float) -> Any:
    """Return the noise-free conductance (S) of the cells so long (s) after the run."""
    backend = SimBackend(Options())
    backend.restore(RunFile.open(folder).memory())
    index = cells.flat(backend.shape[1])
    return backend.array.conductance(index, 0.2, 3.3, backend.now() + later)


if __name__ == "__main__":
    main()
