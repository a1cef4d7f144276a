"""Count the pulses of write-verify: every strategy on ten simulated macros, beside goals and known figures.

Each macro is 32 x 32 cells of the default device, targets uniform in 20 to 100 uS, +-1 uS, readings at
0.2 V with the WL at 3.3 V. Cells that the simulation knows to be stuck are left out; cells with a reduced
window are not. Sigma is over the cells that converged, the share within +-1 uS over all that are not stuck.
`--macros N` and `--strategy NAME` make it shorter.
"""

import argparse
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.write_verify import (
    Adaptive,
    GateStaircase,
    Ispva,
    Ladder,
    PingPong,
    Programmed,
    Spec,
    Strategy,
    WriteVerify,
)
from rramlab.cells import Cells
from sim_backend import SimBackend
from sim_backend.options import Options

COARSE = Ladder(0.65, 2.0, 0.1)
STRATEGIES: dict[str, tuple[Strategy, str]] = {
    "adaptive (default)": (Adaptive(), "goal <= 5; map with naive learning 9.9 (98.7 %)"),
    "ping-pong 50 mV": (PingPong(), "known 14.6"),
    "ping-pong 100 mV": (PingPong(COARSE, COARSE), "known 19.4"),
    "gate staircase": (GateStaircase(), "known 28 (IGVVA)"),
    "ispva": (Ispva(), "known 27"),
}
PASSES = (1, 2, 3, 5)


@final
@dataclass(frozen=True)
class Sample:
    """Hold one programmed macro and which of its cells are not stuck."""

    result: Programmed
    good: NDArray[np.bool_]

    def sigma(self, values: NDArray[np.float64]) -> float:
        """Return the standard deviation (uS) over the cells that converged."""
        return float((values - self.result.target)[self.good & self.result.converged].std() * 1e6)

    def share(self) -> float:
        """Return the share of cells within +-1 uS after the wait."""
        return float((np.abs(self.result.error[self.good]) <= 1e-6).mean())


def program(strategy: Strategy, chip: int, passes: int) -> Sample:
    bench = SimBackend(Options(macros=1, chip=chip), seed=chip)
    targets = np.random.default_rng(chip).uniform(20e-6, 100e-6, 1024)
    with bench:
        result = WriteVerify(bench, strategy, Spec(passes=passes)).program(Cells.of_shape((32, 32)), targets)
    return Sample(result, ~bench.array.population.stuck)


def writing(samples: list[Sample]) -> list[tuple[str, str, float]]:
    pulses = np.concatenate([s.result.pulses[s.good] for s in samples])
    reads = np.concatenate([s.result.reads[s.good] for s in samples])
    converged = np.concatenate([s.result.converged[s.good] for s in samples])
    energy = np.concatenate([s.result.energy[s.good] for s in samples])
    return [
        ("pulses per cell, mean", "<= 5", float(pulses.mean())),
        ("  median", "", float(np.median(pulses))),
        ("  95 %", "", float(np.percentile(pulses, 95))),
        ("  99 %", "<= 30", float(np.percentile(pulses, 99))),
        ("reads per cell while writing, mean", "<= 8", float(reads.mean())),
        ("converged (%)", ">= 99.5", 100 * float(converged.mean())),
        ("sigma right after (uS)", "", mean([s.sigma(s.result.written) for s in samples])),
        ("pulse energy per cell (pJ)", "", float(energy.mean()) * 1e12),
        ("bench time less wait per macro (s)", "", mean([s.result.seconds for s in samples]) - 60.0),
    ]


def settling(strategy: Strategy, chips: range) -> list[tuple[str, str, float]]:
    rows: list[tuple[str, str, float]] = []
    for passes in PASSES:
        samples = [program(strategy, chip, passes) for chip in chips]
        third = passes == 3
        head = f"after {passes} pass{'es' if passes > 1 else ''} and 60 s: "
        sigma, share = (
            mean([s.sigma(s.result.achieved) for s in samples]),
            mean([s.share() for s in samples]),
        )
        pulses = mean([float(s.result.pulses[s.good].mean()) for s in samples])
        rows += [
            (head + "sigma (uS)", "<= 0.6" if third else "", sigma),
            ("  within +-1 uS (%)", ">= 97" if third else ("known 74" if passes == 1 else ""), 100 * share),
            ("  pulses per cell so far", "", pulses),
        ]
    return rows


def mean(values: list[float]) -> float:
    return float(np.mean(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--macros", type=int, default=10)
    parser.add_argument("--strategy", choices=list(STRATEGIES), help="one strategy only")
    options = parser.parse_args()
    chips = range(1, options.macros + 1)
    chosen = [options.strategy] if options.strategy else list(STRATEGIES)
    for name in chosen:
        strategy, known = STRATEGIES[name]
        print(f"\n{name}: {known}")
        rows = writing([program(strategy, chip, 1) for chip in chips]) + settling(strategy, chips)
        for what, goal, value in rows:
            print(f"  {what:<42} {goal:>10} {value:>10.3f}")


if __name__ == "__main__":
    main()
