"""Hold the ledger of energy against an independent integration of the recorded waveforms, ODE and SDE.

Goals: the ledger's energy of the array within 1 % of the sum over single cells, integrated by another rule,
and of what the simulated bench recorded; the digital baseline measured in the same run. It runs a demo.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from protocols.ledger.findings import findings_of
from protocols.ledger.report import paragraphs
from protocols.ledger.sampled import Sampled
from rramlab.loop import LoopResult, LoopRun

FloatArray = NDArray[np.float64]
RUNS, GOAL = 500, 0.01


def rramlab(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "rramlab", "--quiet", *words], check=True)


def cell_by_cell(run: LoopRun, result: LoopResult, conductance: FloatArray) -> FloatArray:
    """Return the energy (J) of each kept run: one cell after the other, Simpson's rule over the samples."""
    total = np.zeros(len(result.state))
    step = result.time[1] - result.time[0]
    weights = np.full(result.time.size, 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    if result.time.size % 2 == 0:
        raise SystemExit("Simpson's rule wants an even number of steps")
    for region, signal in zip(run.layers, (result.state, *result.hidden), strict=True):
        for line, row in enumerate(region.rows):
            volts = run.volts * signal[:, :, line % region.inputs]
            for col in region.cols:
                total += conductance[row, col] * (volts**2 @ weights) * step / 3.0
    return total


def show(name: str, sampled: Sampled) -> bool:
    """Print the comparison of a run; tell whether it is within the goal."""
    run, result = sampled.batches[0]
    ledger = sampled.waveforms().array_joule().sum(axis=0)
    apart = {
        "cell by cell, Simpson": cell_by_cell(run, result, sampled.conductance),
        "recorded by the bench": result.energy[: len(ledger)],
    }
    good = True
    for other, energy in apart.items():
        mean, worst = abs(ledger.mean() / energy.mean() - 1), float(np.abs(ledger / energy - 1).max())
        good &= mean <= GOAL and worst <= GOAL
        print(
            f"{name:4} ledger {1e6 * ledger.mean():8.3f} uJ  {other:22} {1e6 * energy.mean():8.3f} uJ  "
            f"apart {100 * mean:.3f} %, worst run {100 * worst:.3f} %  (goal 1 %)"
        )
    return good


def main() -> None:
    with TemporaryDirectory() as place:
        ode, sde = Path(place) / "ode", Path(place) / "sde"
        rramlab("demo", "--runs", str(RUNS), "--run", str(ode))
        rramlab("sample", "--after", str(ode), "--runs", str(RUNS), "--kind", "sde", "--run", str(sde))
        runs = {"ODE": Sampled.open(ode), "SDE": Sampled.open(sde)}
        held = [show(name, sampled) for name, sampled in runs.items()]
        found = findings_of(runs["ODE"], lambda *_: None)
    print(f"\ndigital baselines on this machine ({found.machine}), {found.steps.chosen} steps:")
    for each in found.digital:
        told = f"{1e6 * each.seconds:9.3f} us, {1e6 * each.joule:9.2f} uJ"
        print(f"  {each.name:18} batch {each.batch:6d}: {told}")
    print(f"  energy: {found.digital[0].how}")
    print("\n" + "\n\n".join(paragraphs(found)))
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
