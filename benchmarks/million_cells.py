"""Time the device physics on a million cells: pulses, reads, memory, and a plain loop beside it.

`--cells N` sets the size. The plain loop is the same physics with the compiler switched off (one cell
after the other in the interpreter), on a small sample in a process of its own, scaled up.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim_backend.array import Array
from sim_backend.population import Population
from sim_backend.preset import Preset

ROWS = COLS = 32
PULSES, READS = 6, 8
GOAL_SECONDS, GOAL_BYTES = 30.0, 400.0
PLAIN_CELLS = ROWS * COLS // 8


def manufacture(count: int, rng: np.random.Generator) -> Array:
    population = Population.draw(Preset.load("taox180"), count, rng)
    population.deliver(rng)
    rows, cols = (ROWS, COLS) if count % (ROWS * COLS) == 0 else (1, count)
    return Array(population, rows, cols, count // (rows * cols))


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far (bytes); 0 where it is not known."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def program(array: Array, rng: np.random.Generator) -> dict[str, float]:
    """Take every cell through a typical write-verify: a coarse SET, then corrections by the read value."""
    index = np.arange(len(array))
    target = rng.uniform(20e-6, 100e-6, len(array))
    seconds = {"pulse": 0.0, "read": 0.0}
    for k in range(READS):
        with stopwatch(seconds, "read"):
            seen = array.read(index, 0.2, 3.3, float(k), 1e-3, rng)
        if k < PULSES:
            v_bl, v_sl, v_wl = _coarse(target) if k == 0 else _correction(target, seen, k)
            with stopwatch(seconds, "pulse"):
                array.pulse(index, v_bl, v_sl, v_wl, 1e-6, k + 0.5, rng)
    good = ~array.population.stuck
    return seconds | {"error": float(np.median(np.abs(seen - target)[good]))}


@contextmanager
def stopwatch(seconds: dict[str, float], what: str) -> Iterator[None]:
    """Add the time of the block to `seconds`."""
    begin = time.perf_counter()
    yield
    seconds[what] += time.perf_counter() - begin


def _coarse(target: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    gate = 1.1 + (target - 16e-6) / 95e-6
    return np.full(len(target), 2.0), np.zeros(len(target)), gate


def _correction(
    target: NDArray[np.float64], seen: NDArray[np.float64], k: int
) -> tuple[NDArray[np.float64], ...]:
    low = seen < target
    ease = 0.02 * k
    set_volt = 0.5 + 5.5e3 * target + ease
    reset_volt = 0.72 + 0.25 * np.log(100e-6 / target) + ease
    return np.where(low, set_volt, 0.0), np.where(low, 0.0, reset_volt), np.where(low, 2.5, 3.3)


def plain_loop() -> dict[str, float]:
    """Run the same physics in the interpreter, in a process without the compiler."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, __file__, "--cells", str(PLAIN_CELLS), "--as-json"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1_048_576)
    parser.add_argument("--as-json", action="store_true", help="one timing as JSON, without comparison")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    if options.as_json:
        print(json.dumps(program(manufacture(options.cells, rng), rng)))
        return
    program(manufacture(1024, rng), rng)  # compile, or load what was compiled before
    before = peak_bytes()
    begin = time.perf_counter()
    array = manufacture(options.cells, rng)
    made = time.perf_counter() - begin
    worked = time.process_time()
    found = program(array, rng)
    found["work"] = time.process_time() - worked
    report(array, found, made, (peak_bytes() - before) / options.cells)


def report(array: Array, found: dict[str, float], made: float, peak: float) -> None:
    n = len(array)
    plain = plain_loop()
    seconds = found["pulse"] + found["read"]
    scaled = (plain["pulse"] + plain["read"]) * n / PLAIN_CELLS
    rows = [
        ("time (s)", f"<= {GOAL_SECONDS:.0f}", seconds),
        ("processor time of all threads (s)", "", found["work"]),
        ("manufacture and delivery (s)", "", made),
        ("pulses (cells/s)", "", PULSES * n / found["pulse"]),
        ("reads (cells/s)", "", READS * n / found["read"]),
        ("state (bytes/cell)", f"<= {GOAL_BYTES:.0f}", array.population.cells.bytes_per_cell),
        ("peak beyond start-up (bytes/cell)", f"<= {GOAL_BYTES:.0f}", peak),
        ("plain per-cell Python loop, scaled (s)", "", scaled),
        ("times faster than the plain loop", "", scaled / seconds),
        ("median |error| after the last read (uS)", "", found["error"] * 1e6),
    ]
    print(f"{n} cells x {PULSES} pulses and {READS} reads, {os.cpu_count()} cores")
    print(f"{'':<42} {'goal':>10} {'measured':>12}")
    for what, goal, value in rows:
        print(f"{what:<42} {goal:>10} {value:>12.4g}")


if __name__ == "__main__":
    main()
