"""Measure the quality of the ring sampled in closed loop by programmed simulated macros, against digital.

Goal: mean sliced Wasserstein distance of 10 macros <= 1.3 x digital, with programmed weights (3 passes, 60 s
waits), read noise, telegraph noise, relaxation, converters, and the errors of the analog circuit.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from protocols.network import Writer, network_spec, place, program_network, screen
from protocols.sampling import Sampling, starts
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import kl_divergence, sliced_wasserstein
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.store import ring_weights
from rramlab.network_mapping import NetworkMapping
from sim_backend.backend import SimBackend
from sim_backend.options import Options

SAMPLES, BATCH = 20_000, 1_000


def main() -> None:
    macros = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    score, data = ring_weights(), ring_points(10 * SAMPLES, np.random.default_rng(1))
    floor = sliced_wasserstein(ring_points(SAMPLES, np.random.default_rng(2)), data)
    print(f"floor ({SAMPLES} fresh points against {len(data)}): {floor:.4f}")
    for kind in ("ode", "sde"):
        digital = [sample(score, SAMPLES, steps=1000, kind=kind, seed=seed).points for seed in range(5)]
        base = np.mean([sliced_wasserstein(points, data) for points in digital])
        print(f"{kind}: digital, mean of 5: SW {base:.4f}, KL {kl_divergence(data, digital[0]):.3f}")
        found = [analog(score, chip, kind) for chip in range(1, macros + 1)]
        distances = np.array([sliced_wasserstein(points, data) for points in found])
        divergence = np.mean([kl_divergence(data, points) for points in found])
        print("  analog SW by macro: " + " ".join(f"{d:.4f}" for d in distances))
        ratio = distances.mean() / base
        print(
            f"  mean {distances.mean():.4f}, KL {divergence:.3f}; ratio to digital {ratio:.2f} (goal <= 1.30)"
        )


def analog(score: ScoreWeights, chip: int, kind: str) -> NDArray[np.float64]:
    """Return samples of one macro: sets of 1000 runs, each begun at the same age of the programmed cells."""
    bench = Bench.load(None)
    options = Options.model_validate(bench.backend.options | {"chip": chip})
    rng = np.random.default_rng(chip)
    with SimBackend(options, bench.limits, seed=chip) as backend:
        _, mapping = programmed(backend, score, bench)
        sampling = Sampling(runs=BATCH, kind=kind)  # type: ignore[arg-type]
        sets = []
        for _ in range(SAMPLES // BATCH):
            run = sampling.declare(score, mapping, starts(BATCH, rng))
            # The world's own loop at one moment: 20 000 runs in a row would age the cells by hours.
            sets.append(backend.loop.solve(run, backend.now(), rng)[0].end)
    return np.concatenate(sets)


def programmed(backend: SimBackend, score: ScoreWeights, bench: Bench) -> tuple[ScoreWeights, NetworkMapping]:
    """Return what was programmed into the macros, as a demo does it."""
    spec = Spec(window=(bench.window.low, bench.window.high))
    writer = Writer(backend, network_spec(spec), lambda *_: None)
    place_ = place(score, screen(backend, 3, spec.reading), spec, bench.window.reference)
    macro, done = program_network(score, place_, writer.write, writer.measure, writer.use)
    pulses = sum(int(run.pulses.sum()) for run in done) / len(done[0].cells)
    pairs = zip(macro.written.layers, score.layers, macro.mapping.layers, strict=True)
    errors = " ".join(f"{1e6 * m.scale * (a - b).std():.2f}" for a, b, m in pairs)
    print(
        f"  {backend.identify()['serial']}: {100 * done[0].success:.1f} % done, {pulses:.1f} pulses per cell"
    )
    print(f"    sigma of the weights in use, by layer: {errors} uS")
    return macro.written, macro.mapping


if __name__ == "__main__":
    main()
