"""Program a million simulated cells with the default strategy, and a few of them one by one beside it.

The full device physics, one pass, every cell to +-1 uS. `--macros N` sets the size (1024 cells each). The
loop beside it runs the same engine and physics, one cell after the other, on a small sample, scaled up.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np

from protocols.write_verify import Programmed, Spec, WriteVerify
from rramlab.cells import Cells
from rramlab.recorder import NullRecorder
from sim_backend import SimBackend
from sim_backend.options import Options

BATCH = 65_536
SAMPLE = 128
GOAL_SECONDS, GOAL_BYTES = 60.0, 400.0
SPEC = Spec(passes=1, wait=0.0, final_samples=1, batch=BATCH)


def bench_of(macros: int) -> SimBackend:
    return SimBackend(Options(macros=macros), recorder=NullRecorder(), seed=1)


def targets_of(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(1).uniform(20e-6, 100e-6, count)


def together(bench: SimBackend) -> Programmed:
    """Program all cells by arrays."""
    with bench:
        cells = Cells.of_shape(bench.shape)
        return WriteVerify(bench, spec=SPEC).program(cells, targets_of(len(cells)))


def one_by_one(count: int) -> float:
    """Return the time (s) per cell of a loop over cells."""
    bench, targets = bench_of(1), targets_of(count)
    begin = time.perf_counter()
    with bench:
        for k in range(count):
            WriteVerify(bench, spec=SPEC).program(
                Cells(np.array(k // 32), np.array(k % 32)), targets[k : k + 1]
            )
    return (time.perf_counter() - begin) / count


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far (bytes); 0 where it is not known."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--macros", type=int, default=1024)
    macros = parser.parse_args().macros
    together(bench_of(1))  # compile, or load what was compiled before
    per_cell = one_by_one(SAMPLE)
    before = peak_bytes()
    begin, busy = time.perf_counter(), time.process_time()
    bench = bench_of(macros)
    made = time.perf_counter() - begin
    result = together(bench)
    seconds = time.perf_counter() - begin - made
    busy = time.process_time() - busy - made
    report(bench, result, made, seconds, busy, (peak_bytes() - before) / len(result.cells), per_cell)


def report(
    bench: SimBackend,
    result: Programmed,
    made: float,
    seconds: float,
    busy: float,
    peak: float,
    per_cell: float,
) -> None:
    n, good = len(result.cells), ~bench.array.population.stuck
    rows = [
        ("programming (s)", f"<= {GOAL_SECONDS:.0f}", seconds),
        ("  of it processor time, all cores (s)", "", busy),
        ("manufacture and delivery (s)", "", made),
        ("cells per second", "", n / seconds),
        ("peak beyond start-up (bytes/cell)", f"<= {GOAL_BYTES:.0f}", peak),
        ("  of it state of the device (bytes/cell)", "", bench.array.population.cells.bytes_per_cell),
        ("loop over single cells, scaled (s)", "", per_cell * n),
        ("times faster than that loop", "", per_cell * n / seconds),
        ("pulses per cell, mean", "", float(result.pulses[good].mean())),
        ("converged of cells that are not stuck (%)", "", 100 * float(result.converged[good].mean())),
    ]
    print(f"{n} cells, one pass, {os.cpu_count()} cores")
    print(f"{'':<42} {'goal':>10} {'measured':>12}")
    for what, goal, value in rows:
        print(f"{what:<42} {goal:>10} {value:>12.5g}")


if __name__ == "__main__":
    main()
