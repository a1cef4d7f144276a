"""Time closed-loop runs against plain torch Euler loops of the same network, in the same process."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from sim_backend.loop import Circuit, Layer, ReadNoise, Reverse, solve

RUNS, TICKS, GOAL = 1000, 200, 40e-3
PEERS = ("torch Euler, no noise", "torch Euler, white read noise")
UNIT, REFERENCE, V_BIAS = 25e-6, 50e-6, 0.1


def best(work: Callable[[], object], repeats: int = 25) -> tuple[float, float]:
    """Return the shortest wall and processor time of several (s); the latter holds on a busy machine too."""
    wall, processor = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return min(wall), min(processor)


def best_threads(work: Callable[[], object]) -> tuple[float, float]:
    """Return the times of torch (s) with one thread or with two, whichever is faster."""
    times = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        times.append(best(work, 9))
    return min(times)


def beta(t: np.ndarray) -> np.ndarray:
    """Return the sampling rate of the published schedule, twice that of training."""
    return 2 * (0.001 + 0.499 * t)


def embedding(t: np.ndarray) -> np.ndarray:
    """Return a random Fourier embedding, (len(t), 14)."""
    turns = 2 * np.pi * t[:, None] * np.random.default_rng(1).normal(size=7)
    return np.concatenate([np.sin(turns), np.cos(turns)], axis=1)


def programmed() -> list[Layer]:
    """Return layers whose cells missed their targets by 0.6 uS."""
    rng = np.random.default_rng(2)
    layers = []
    for shape in ((2, 14), (14, 14), (14, 2)):
        w = rng.normal(0, 0.6 / np.sqrt(shape[0]), shape)
        g = np.column_stack([REFERENCE + UNIT * w, np.full(shape[0], REFERENCE)])
        layers.append(Layer(np.clip(g + rng.normal(0, 0.6e-6, g.shape), 10e-6, 150e-6), UNIT))
    return layers


def torch_loop(layers: list[Layer], x0: np.ndarray, noise: ReadNoise | None) -> Callable[[], torch.Tensor]:
    """Return a plain Euler loop in torch; with noise, a normal per output and step (white)."""
    real = [torch.tensor((y.conductance[:, :-1] - y.conductance[:, -1:]) / UNIT).float() for y in layers]
    tables = [torch.tensor(noise.variance(y.conductance) / UNIT**2).float() for y in layers] if noise else []
    spread = [t[:, :-1] + t[:, -1:] for t in tables]
    t = np.linspace(1, 0, TICKS, endpoint=False)
    rates, embedded = (0.5 * beta(t) / TICKS).tolist(), torch.tensor(embedding(t)).float()
    start = torch.tensor(x0).float()

    def layer(h: torch.Tensor, i: int) -> torch.Tensor:
        out = h @ real[i]
        if spread:
            out = out + ((h * h) @ spread[i]).sqrt() * torch.randn_like(out)
        return out

    @torch.no_grad()
    def run() -> torch.Tensor:
        x = start
        for i in range(TICKS):
            h = torch.relu(layer(x, 0) + embedded[i])
            h = torch.relu(layer(h, 1) + embedded[i])
            x = x + rates[i] * (x + 5 * layer(h, 2))
        return x

    return run


def main() -> None:
    """Print times, ratios and how far the analog runs end from the digital ones."""
    layers, circuit, noise = programmed(), Circuit(clamp=np.inf), ReadNoise()
    schedule = Reverse(beta, embedding).held(circuit, TICKS)
    rng = np.random.default_rng(3)
    x0 = rng.normal(size=(RUNS, 2))

    def ours(**options: object) -> Callable[[], object]:
        return lambda: solve(layers, circuit, schedule, V_BIAS * x0, **options)  # type: ignore[arg-type]

    start = time.perf_counter()
    ours()()
    print(f"first call, compilation or its cache: {time.perf_counter() - start:.1f} s")
    plain, noisy = torch_loop(layers, x0, None), torch_loop(layers, x0, noise)
    times = {
        PEERS[0]: best_threads(plain),
        PEERS[1]: best_threads(noisy),
        "loop, no noise": best(ours()),
        "loop, read noise": best(ours(rng=rng, read_noise=noise)),
        "loop, read noise, one thread": best(ours(rng=rng, read_noise=noise, threads=1)),
    }
    print(f"{RUNS} runs x {TICKS} ticks (goal with read noise: {GOAL * 1e3:.0f} ms on 2 cores)")
    print(f"{'':32} {'wall':>9} {'processor':>10} {'/ torch plain':>14} {'/ torch noisy':>14}")
    for name, (seconds, processor) in times.items():
        shares = [seconds / times[peer][0] for peer in PEERS]
        times_ms = f"{seconds * 1e3:>6.1f} ms {processor * 1e3:>7.1f} ms"
        print(f"{name:32} {times_ms} {shares[0]:>14.2f} {shares[1]:>14.2f}")
    end = solve(layers, circuit, schedule, V_BIAS * x0).end / V_BIAS
    print(f"mean distance to torch, no noise: {np.abs(end - plain().numpy()).mean():.1e} (Heun, codes)")


if __name__ == "__main__":
    main()
