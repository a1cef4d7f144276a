"""Program 32 x 32 cells on a bench with hidden errors, uncalibrated and calibrated, and ask the truth.

Targets are uniform in 20 to 100 uS, +-1 uS, three passes. The truth is the noise-free conductance of a path
at exactly 0.2 V, 60 s after the last pulse, which no bench can see. Beside it stands a bench without errors:
what write-verify itself leaves. Cells that the simulation knows to be stuck are left out.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from read_chains import READING, calibrated

from protocols.write_verify import Adaptive, Spec, WriteVerify
from rramlab.cells import Cells
from rramlab.corrections.correction import Correction
from sim_backend import SimBackend
from sim_backend.options import ErrorOptions, Options

FloatArray = NDArray[np.float64]
SIDE = 32


@final
@dataclass(frozen=True, eq=False)
class Programmed:
    """Hold targets and truth (S) of the cells that can be programmed."""

    target: FloatArray
    true: FloatArray

    @property
    def error(self) -> FloatArray:
        """Return how far the truth is from the target (S)."""
        return self.true - self.target

    def row(self, name: str) -> str:
        """Return a line: rms, 95th percentile and mean of the error (uS), shares within +-1 and +-2 uS."""
        size = np.abs(self.error) * 1e6
        rms, mean = np.sqrt(np.mean(size**2)), 1e6 * self.error.mean()
        shares = " ".join(f"{100 * (size <= w).mean():9.1f} %" for w in (1.0, 2.0))
        return f"{name:34s} {rms:8.2f} {np.quantile(size, 0.95):8.2f} {mean:+8.2f} {shares}"


def programmed(options: Options, correction: Correction, seed: int) -> Programmed:
    """Return what write-verify made of a fresh macro that is read through this correction."""
    backend = SimBackend(options, seed=seed)
    backend.correction = correction
    cells = Cells.of_shape(backend.shape)
    target = np.random.default_rng(seed).uniform(20e-6, 100e-6, len(cells))
    with backend:
        WriteVerify(backend, Adaptive(), Spec(passes=3, reading=READING)).program(cells, target)
        truth = backend.array.conductance(np.arange(len(cells)), 0.2, READING.gate, backend.now())
    good = ~backend.array.population.stuck
    return Programmed(target[good], truth[good])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benches", type=int, default=5)
    benches = parser.parse_args().benches
    print(f"{'':34s} {'rms uS':>8s} {'95 % uS':>8s} {'mean uS':>8s} {'+-1 uS':>11s} {'+-2 uS':>11s}")
    for seed in range(1, benches + 1):
        size = {"macros": 1, "rows": SIDE, "cols": SIDE, "chip": seed}
        hidden = Options(errors=ErrorOptions(seed=seed), **size)
        _, record = calibrated(SimBackend(hidden, seed=100 + seed))
        print(programmed(Options(**size), Correction(), seed).row(f"bench {seed}: without errors"))
        print(programmed(hidden, Correction(), seed).row(f"bench {seed}: uncalibrated"))
        print(programmed(hidden, Correction({"readout": record}), seed).row(f"bench {seed}: calibrated"))


if __name__ == "__main__":
    main()
