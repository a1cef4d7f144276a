"""Calibrate simulated benches with hidden errors and count how often the truth lies in the 95 % interval.

Read chain, products with their lines, and transistors: one macro of 16 x 16 per bench, cells programmed by
write-verify. Closed loop: three macros of 32 x 32 that hold conductances of all kinds, or the ring network;
converters of readings straight. References: read through a record of the read chain that errs as it says.
The conductance error is that of noise-free readings of paths of 20 to 100 uS, so that all of it is the
calibration's. `--benches N` makes it shorter, `--workers N` faster.
"""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
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

from calibration.loop.procedure import Loop, alike
from calibration.loop.runs import Wiring
from calibration.product.procedure import Product
from calibration.readout.procedure import Readout
from calibration.reference import Reference
from calibration.strength.procedure import Strength
from calibration.transistor.procedure import Transistor
from rramlab.cells import Cells
from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.pulse import Columns
from sim_backend import SimBackend

FloatArray = NDArray[np.float64]
Counts = dict[str, list[float]]
BEYOND, AT_95 = "conductance after, rms / allowed", "conductance after, 95 % / allowed"
BEFORE, AFTER = "conductance before, rms %", "conductance after, rms %"
GOAL = 90.0, 98.0
UNSURE = {
    **{"dac_gain": 3e-4, "dac_offset": 3e-5, "dac_inl": 3e-5},
    **{"adc_gain": 5e-4, "adc_offset": 5e-9, "adc_inl": 5e-5, "white_current": 0.0},
}
"""What a calibrated read chain does not know of itself (standard uncertainties; 1, V, A)."""


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
        wired = commonest(parts[1:])
        true["drive_offset"] = true["drive_gain"] * loop_benches.shut_output(backend, Wiring.of(wired))
        lost = loop_benches.amplified(backend, Wiring.of(wired), wired["products"])
        true["drive_gain"] = true["drive_gain"] * lost
    return {f"loop: {name}": inside(record, name, true[name]) for name in record.values}


def commonest(parts: Sequence[Columns]) -> Columns:
    """Return a part whose last layer is that of most: what its amplifiers add is in the record."""
    return parts[int(np.argmax(alike(parts)))]


def network(seed: int) -> Counts:
    """Return per quantity of the ring network in use which values of a bench lie in their intervals."""
    with loop_benches.bench(seed, **loop_benches.POOR, tia_offset=5e-5) as backend:
        loop_benches.with_ring(backend)
        known = {"loop": loop_benches.true_record(backend, loop_benches.ring_wiring())}
        backend.correction = Correction(known)
        factor = loop_benches.true_strength(backend)
        strength = Strength(read_chains.READING)
        found = read_chains.recorded(strength, read_chains.measured(backend, strength, known), known)
        true = {"factor": np.array(factor), "drive_to_noise": np.array(1.0 / factor)}
        counts = {f"strength: {name}": inside(found, name, value) for name, value in true.items()}
        return counts | references(backend, seed)


def references(backend: SimBackend, seed: int) -> Counts:
    """Return which references lie in their intervals, read through a record that errs as it says."""
    readout = uncertain(backend, np.random.default_rng([seed, 1]))
    procedure = Reference(read_chains.READING)
    parts = read_chains.measured(backend, procedure, {"readout": readout})
    found = read_chains.recorded(procedure, parts, {"readout": readout})
    part, reading = parts[0], read_chains.READING
    cells = Cells(part["row"].astype(int), part["col"].astype(int))
    index = cells.row * backend.shape[1] + cells.col
    true = backend.array.conductance(index, reading.v_read, reading.gate, backend.now())
    values = {"conductance": true, "deviation": true - part["nominal"]}
    return {f"reference: {name}": inside(found, name, value) for name, value in values.items()}


def uncertain(backend: SimBackend, rng: np.random.Generator) -> Record:
    """Return a record of a straight read chain that is off by what it says not to know."""
    shapes = {name: value.shape for name, value in read_chains.truth(backend).items()}
    sizes = np.concatenate([np.full(int(np.prod(shape)), UNSURE[name]) for name, shape in shapes.items()])
    drawn, values, first = sizes * rng.standard_normal(len(sizes)), {}, 0
    for name, shape in shapes.items():
        last = first + int(np.prod(shape))
        values[name] = drawn[first:last].reshape(shape)
        first = last
    values["white_current"] = read_chains.truth(backend)["white_current"]
    return Record("readout", values, dict.fromkeys(values, "1"), np.diag(sizes**2), {}, 0.0, 1.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benches", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(1, asked.benches + 1)
    found: dict[str, list[list[float]]] = defaultdict(list)
    with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
        for counts in (one for count in (chain, loop, network) for one in pool.map(count, seeds)):
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
