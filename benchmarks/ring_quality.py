"""Measure the quality of the ring network sampled digitally (the programmed macros: ring_analog.py).

Give `--train` to train the network first with each of three seeds instead of taking the one that ships, and
to time it.
"""

import sys
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion import ScoreWeights, network_inputs, ring_weights, time_embedding
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import kl_divergence, sliced_wasserstein
from rramlab.diffusion.sampler import sample
from rramlab.network_mapping import NetworkMapping

FloatArray = NDArray[np.float64]

COUNT, STEPS, CLAMP = 20_000, 1000, 2.0
DATA = ring_points(10 * COUNT, np.random.default_rng(12345))


def main() -> None:
    figures = np.array([distances(ring_points(COUNT, np.random.default_rng(s))) for s in range(10)])
    print(f"floor: {COUNT} fresh points against {len(DATA)}: {line(figures)}")
    for name, weights in networks():
        print(name)
        activations(weights)
        for kind in ("ode", "sde"):
            report(weights, kind)


def networks() -> list[tuple[str, ScoreWeights]]:
    """Return the networks to measure, with their names."""
    if "--train" not in sys.argv:
        return [("the network that ships", ring_weights())]
    from rramlab.diffusion.settings import TrainSettings
    from rramlab.diffusion.train import train_ring

    found = []
    for seed in range(3):
        begun = perf_counter()
        weights, _ = train_ring(replace(TrainSettings(), seed=seed))
        found.append((f"seed {seed}, trained in {perf_counter() - begun:.0f} s (goal <= 90)", weights))
    return found


def report(weights: ScoreWeights, kind: str) -> None:
    digital = [sample(weights, COUNT, steps=STEPS, kind=kind, seed=s).points for s in range(5)]  # type: ignore[arg-type]
    base = np.array([distances(points) for points in digital])
    print(f"  {kind} digital (goal SW <= 0.017, KL <= 1.0):  {line(base)}")


def distances(points: FloatArray) -> tuple[float, float]:
    return sliced_wasserstein(points, DATA, 64), kl_divergence(DATA, points)


def line(figures: FloatArray) -> str:
    mean, spread, top = figures.mean(axis=0), figures.std(axis=0), figures.max(axis=0)
    return f"SW {mean[0]:.4f} +- {spread[0]:.4f} (max {top[0]:.4f}), KL {mean[1]:.3f} +- {spread[1]:.3f}"


def activations(weights: ScoreWeights) -> None:
    """Print how often hidden activations pass the limit that training aims at, along digital runs."""
    found = sample(weights, 2000, steps=STEPS, frames=50)
    pairs = zip(found.trajectory, found.times, strict=True)
    hidden = np.stack([network_inputs(weights, x, time_embedding(weights, t))[1:] for x, t in pairs])
    scales = " ".join(f"{layer.scale * 1e6:.1f}" for layer in NetworkMapping.fit(weights).layers)
    over = [f"{(hidden > limit).mean():.2e} above {limit}" for limit in (weights.activation_limit, CLAMP)]
    print(f"  scales {scales} uS per unit weight; activations: {', '.join(over)}, max {hidden.max():.2f}")


if __name__ == "__main__":
    main()
