"""Measure whole commands: seconds and peak memory of a demo, seconds of --help, beside an empty Python.

Goals: demo <= 60 s and <= 1.5 GB after set-up, --help <= 0.5 s.
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

RRAMLAB = str(Path(sys.executable).with_name("rramlab"))


def main() -> None:
    empty = measure([sys.executable, "-c", "pass"], 5)
    cases = {
        "python -c 'import numpy'": measure([sys.executable, "-c", "import numpy"], 5),
        "rramlab --help (goal 0.5 s)": measure([RRAMLAB, "--help"], 5),
        "rramlab program --help (goal 0.5 s)": measure([RRAMLAB, "program", "--help"], 5),
        "rramlab demo (goals 60 s, 1.5 GB)": measure([RRAMLAB, "demo"], 3),
    }
    print(f"{'command':38} {'wall s':>8} {'x empty python':>15} {'peak MB':>8}")
    for name, (seconds, peak) in cases.items():
        print(f"{name:38} {seconds:8.2f} {seconds / empty[0]:15.1f} {peak:8.0f}")


def measure(command: list[str], times: int) -> tuple[float, float]:
    """Return the median seconds and the largest memory (MB) of a command, after one uncounted run."""
    found = [once(command) for _ in range(times + 1)][1:]
    return median(seconds for seconds, _ in found), max(peak for _, peak in found)


def once(command: list[str]) -> tuple[float, float]:
    with TemporaryDirectory() as folder:
        begun = perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = perf_counter() - begun
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return seconds, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
