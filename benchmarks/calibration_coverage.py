"""Calibrate simulated benches with hidden errors and count how often the truth lies in the 95 % interval.

Read chain, products with their lines, and transistors: one macro of 16 x 16 per bench, cells programmed by
write-verify. Closed loop: three macros of 32 x 32 that hold conductances of all kinds, converters of readings
straight. The conductance error is that of noise-free readings of paths of 20 to 100 uS, so that all of it is
the calibration's. `--benches N` makes it shorter, `--workers N` faster.
"""

import argparse
import os
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import loop_benches
import read_chains

from calibration.loop.procedure import Loop
from calibration.product.procedure import Product
from calibration.readout.procedure import Readout
from calibration.transistor.procedure import Transistor
from rramlab.corrections.record import Record
from sim_backend import SimBackend

FloatArray = NDArray[np.float64]
Counts = dict[str, list[float]]
BEYOND, AT_95 = "conductance after, rms / allowed", "conductance after, 95 % / allowed"
BEFORE, AFTER = "conductance before, rms %", "conductance after, rms %"
GOAL = 90.0, 98.0


def chain(seed: int) -> Counts:
    """Return per quantity which values of a bench lie in their intervals, and the conductance errors."""
    backend = read_chains.hidden_bench(seed, rows=16, cols=16)
    known: dict[str, Record] = {}
    # The bench stays open: a macro is programmed once, and every procedure measures the same cells.
    with backend:
        for procedure in (
            Readout(read_chains.READING, prepare=True),
            Product(read_chains.READING),
            Transistor(read_chains.READING),
        ):
            parts = read_chains.measured(backend, procedure, dict(known))
            known[procedure.name] = read_chains.recorded(procedure, parts, dict(known))
        truths = {
            "readout": read_chains.truth(backend),
            "product": product_truth(backend),
            "transistor": transistor_truth(backend),
        }
        counts = {
            f"{kind}: {name}": inside(known[kind], name, true)
            for kind, true_values in truths.items()
            for name, true in true_values.items()
        }
        after, before, true = read_chains.conductance_errors(backend, {"readout": known["readout"]})
    return counts | errors(after, before, true)


def product_truth(backend: SimBackend) -> dict[str, FloatArray]:
    """Return the errors of the wide range in the gauge of a record, and the lines (ohm)."""
    e = backend.errors
    assert e is not None
    scale = 1.0 + e.dac.gain.mean(axis=1, keepdims=True)
    wide, array = e.adc_product, backend.array
    return {
        "adc_gain": (1.0 + wide.gain) * scale - 1.0,
        "adc_offset": wide.offset,
        "adc_inl": wide.inl,
        "r_line": np.array(array.r_line),
        "r_switch": np.array(array.r_switch),
    }


def transistor_truth(backend: SimBackend) -> dict[str, FloatArray]:
    """Return beta (A/V^2) and threshold (V) of the chip."""
    t = backend.array.population.preset.transistor
    return {"beta": np.array(t.kp * t.w_over_l), "vt": np.array(t.vt0)}


def inside(record: Record, name: str, true: FloatArray) -> list[float]:
    """Return for each value whether the truth lies in its 95 % interval, 1 or 0."""
    apart = np.abs(record[name] - true) / record.uncertainty(name)
    return [float(one) for one in np.ravel(apart <= 1.96)]


def errors(after: FloatArray, before: FloatArray, true: FloatArray) -> Counts:
    """Return the conductance errors of a bench, relative and against what is allowed."""
    allowed = 0.002 * true + 0.05e-6
    rms = {BEFORE: before / true * 100, AFTER: after / true * 100, BEYOND: after / allowed}
    found = {name: [float(np.sqrt(np.mean(value**2)))] for name, value in rms.items()}
    return found | {AT_95: [float(np.quantile(np.abs(after) / allowed, 0.95))]}


def loop(seed: int) -> Counts:
    """Return per quantity of the closed loop which values of a bench lie in their intervals."""
    with loop_benches.bench(seed, **loop_benches.POOR, tia_offset=5e-5) as backend:
        loop_benches.hold(backend, loop_benches.scattered(seed))
        procedure = Loop(read_chains.READING)
        parts = read_chains.measured(backend, procedure, {})
        record = read_chains.recorded(procedure, parts, {})
        true = loop_benches.truth(backend)
    names = [name for name in record.values if name in true]
    return {f"loop: {name}": inside(record, name, true[name]) for name in names}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benches", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(1, asked.benches + 1)
    found: dict[str, list[list[float]]] = defaultdict(list)
    with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
        for counts in (*pool.map(chain, seeds), *pool.map(loop, seeds)):
            for name, values in counts.items():
                found[name].append(values)
    print(f"{'quantity':42s} {'inside 95 % interval':>22s}   goal 90 to 98 %   ({asked.benches} benches)")
    for name, listed in found.items():
        means = np.array([np.mean(values) for values in listed])
        if "conductance" in name:
            print(f"{name:42s} {means.mean():12.3f} worst {means.max():8.3f}")
        else:
            share, sure = 100 * means.mean(), 100 * means.std() / np.sqrt(len(means))
            verdict = "" if GOAL[0] <= share <= GOAL[1] else "   outside"
            print(f"{name:42s} {share:12.1f} +- {sure:3.1f} %{verdict}")


if __name__ == "__main__":
    main()
