"""Measure the quality of the ring network: digital, and with emulated errors of programmed macros.

Emulation: normal errors of 0.6 uS on every cell, references known to 0.1 uS, white read noise of 0.4 % of a
conductance at every step, hidden amplifiers that clamp at 2 units. Give `--train` to train the network
first with each of three seeds instead of taking the one that ships. A network takes a few minutes.
"""

import sys
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion import ScoreWeights, network_inputs, ring_weights, time_embedding
from rramlab.diffusion.compensate import compensated
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import kl_divergence, sliced_wasserstein
from rramlab.diffusion.sampler import FIRST_TIME, LAST_TIME, sample
from rramlab.network_mapping import NetworkMapping

FloatArray = NDArray[np.float64]

COUNT, STEPS, MACROS = 20_000, 200, 10
WRITE, REFERENCE, READ, CLAMP = 0.6e-6, 0.1e-6, 0.004, 2.0
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
    for name, fitted in (("as written", False), ("last layer fitted", True)):
        analog = np.array([distances(emulated(weights, kind, s, fitted)) for s in range(MACROS)])
        ratio = analog[:, 0].mean() / base[:, 0].mean()
        print(f"  {kind} {MACROS} macros {name} (goal <= 1.3 x):  {line(analog)}  ratio {ratio:.2f}")


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


def emulated(weights: ScoreWeights, kind: str, seed: int, fitted: bool) -> FloatArray:
    """Return samples of one emulated macro: its errors drawn once, its read noise at every step.

    `fitted`: the last layer is written after the others were measured, with targets that make up for them.
    """
    rng = np.random.default_rng([seed, 1])
    written, noise = program(weights, rng)
    if fitted:
        change = compensated(weights, weights.with_layers(*written), CLAMP).w3 - weights.w3
        written[2] = written[2] + change.astype(np.float32)
    times = np.linspace(FIRST_TIME, LAST_TIME, STEPS)
    embedding = time_embedding(weights, times).astype(np.float32)
    state = rng.standard_normal((COUNT, 2), dtype=np.float32)
    share, dt = (0.5 if kind == "ode" else 1.0), (FIRST_TIME - LAST_TIME) / STEPS
    for k, rate in enumerate(weights.sampling_schedule.beta(times) * dt):
        x = state
        for layer in range(3):
            x = product(x, written[layer], noise[layer], rng)
            x = np.clip(x + embedding[k], 0.0, CLAMP) if layer < 2 else x
        state = np.float32(1.0 + 0.5 * rate) * state + np.float32(share * rate * weights.gain) * x
        if kind == "sde" and k + 1 < STEPS:
            state += np.float32(rate**0.5) * rng.standard_normal(state.shape, dtype=np.float32)
    return state.astype(float)


def program(weights: ScoreWeights, rng: np.random.Generator) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return weights (n, m) with write errors, and variances of read noise (n, m + 1), reference last."""
    written, noise = [], []
    for layer, w in zip(NetworkMapping.fit(weights).layers, weights.layers, strict=True):
        error = WRITE * rng.normal(size=w.shape) + REFERENCE * rng.normal(size=(len(w), 1))
        cells = np.hstack([layer.to_conductance(w), np.full((len(w), 1), layer.reference)])
        written.append((w + error / layer.scale).astype(np.float32))
        noise.append(((READ * cells / layer.scale) ** 2).astype(np.float32))
    return written, noise


def product(x: FloatArray, w: FloatArray, variance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return x @ w with fresh noise of each cell; that of a row's reference is common to all columns.

    A sum of independent normal errors is one normal error: drawn per output, not per cell.
    """
    spread = np.sqrt(x**2 @ variance)
    draws = rng.standard_normal(spread.shape, dtype=np.float32)
    noise = spread * draws
    return x @ w + noise[:, :-1] - noise[:, -1:]


if __name__ == "__main__":
    main()
