"""Solve batches of closed-loop runs, and evaluate the open loop."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_backend.loop.circuit import Circuit, Layer
from sim_backend.loop.gaussian import LANES, seeds
from sim_backend.loop.kernel import run_blocks
from sim_backend.loop.noise import ReadNoise, Telegraph
from sim_backend.loop.pack import pack
from sim_backend.loop.problem import Batch, Problem
from sim_backend.loop.schedule import Schedule
from sim_backend.loop.solution import Keep, OpenLoop, Solution, Waveforms

FloatArray = NDArray[np.float64]


def solve(
    layers: Sequence[Layer],
    circuit: Circuit,
    schedule: Schedule,
    start: ArrayLike,
    *,
    rng: np.random.Generator | None = None,
    read_noise: ReadNoise | None = None,
    telegraph: Telegraph | None = None,
    keep: Keep | None = None,
    dissipation: bool = False,
    scheme: str = "heun",
    dtype: Any = np.float32,
    threads: int | None = None,
) -> Solution:
    """Return the end of each run that starts at `start` (V, runs x dimensions).

    Randomness comes from `rng` and is needed as soon as anything is random. Each run has its own stream: the
    same seed gives the same bits for any number of threads, and a run does not depend on those beside it.
    """
    begin = np.ascontiguousarray(np.atleast_2d(start), dtype=dtype)
    problem = pack(layers, circuit, schedule, len(begin), read_noise, telegraph, scheme, dtype)
    if begin.shape[1] != len(problem.rates) or not len(begin):
        raise ValueError(f"start has shape {begin.shape}; give (runs, {len(problem.rates)}) volts")
    batch = prepare(problem, begin, stream(problem, len(begin), rng), keep, dissipation)
    run(problem, batch, threads)
    return Solution(
        batch.end.astype(np.float64),
        waveforms(problem, batch, keep) if keep else None,
        batch.heat.astype(np.float64) if dissipation else None,
    )


def evaluate(
    layers: Sequence[Layer],
    circuit: Circuit,
    x: ArrayLike,
    f: float,
    g2: float,
    embedding: ArrayLike,
    *,
    rng: np.random.Generator | None = None,
    read_noise: ReadNoise | None = None,
    telegraph: Telegraph | None = None,
    tick: float = 5e-3,
    dtype: Any = np.float32,
) -> OpenLoop:
    """Return the network's answer at states x (V, points x dimensions) with the loop open.

    f, g2 and embedding are normalised converter values of one moment; noise is averaged over `tick` (s).
    """
    row = np.atleast_2d(np.asarray(embedding, dtype=np.float64))
    moment = Schedule(tick, np.array([f]), np.array([g2]), row)
    points = np.atleast_2d(np.asarray(x, dtype=np.float64))
    keep = Keep(range(len(points)))
    found = solve(
        layers, circuit, moment, points, rng=rng, read_noise=read_noise, telegraph=telegraph,
        keep=keep, scheme="euler", dtype=dtype,
    )  # fmt: skip
    assert found.waveforms is not None
    w = found.waveforms
    return OpenLoop(w.output[:, 0], w.hidden1[:, 0], w.hidden2[:, 0], w.slope[:, 0])


def stream(problem: Problem, runs: int, rng: np.random.Generator | None) -> NDArray[np.uint32]:
    """Return the generator state of each run, or refuse to be random without a generator."""
    if rng is not None:
        return seeds(rng, runs)
    random = (problem.spread.size, problem.telegraph_cells.size)
    if any(random) or problem.board[:, 0].any() or problem.column_noise.any():
        raise ValueError("this run is noisy and has no randomness; give rng=numpy.random.default_rng(seed)")
    return np.zeros((runs, 4), dtype=np.uint32)


def prepare(
    problem: Problem, begin: NDArray[Any], state: NDArray[np.uint32], keep: Keep | None, dissipation: bool
) -> Batch:
    """Return the batch with room for its results."""
    runs, ticks = len(begin), len(problem.board)
    slot = np.full(runs, -1, dtype=np.int64)
    chosen = list(keep.runs) if keep else []
    if chosen and not (min(chosen) >= 0 and max(chosen) < runs):
        raise ValueError(f"runs {min(chosen)} to {max(chosen)} are to be kept, there are 0 to {runs - 1}")
    if len(set(chosen)) < len(chosen):
        raise ValueError("a run is to be kept twice; name each once")
    slot[chosen] = np.arange(len(chosen))
    stride = keep.stride if keep else 1
    if stride < 1:
        raise ValueError(f"stride = {stride}; keep every tick with 1, every tenth with 10")
    channels = problem.load.shape[1] + 2 * len(problem.rates)
    shape = (len(chosen), -(-ticks // stride) + 1, channels)
    dtype = begin.dtype
    heat = np.zeros((runs if dissipation else 0, 3), dtype)
    return Batch(begin, state, slot, stride, np.empty_like(begin), np.zeros(shape, dtype), heat)


def run(problem: Problem, batch: Batch, threads: int | None) -> None:
    """Run all blocks, shared out to threads; which thread takes which block changes no bit."""
    blocks = -(-len(batch.start) // LANES)
    count = max(1, min(blocks, threads or cast(Any, numba.config).NUMBA_NUM_THREADS))
    cuts = [blocks * i // count for i in range(count + 1)]
    if count == 1:
        run_blocks(problem, batch, 0, blocks)
        return
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda i: run_blocks(problem, batch, cuts[i], cuts[i + 1]), range(count)))


def waveforms(problem: Problem, batch: Batch, keep: Keep) -> Waveforms:
    """Return the recorded signals by name."""
    d, n = (int(size) for size in problem.layout[0, [1, 3]])
    ticks, tick = len(problem.board), float(problem.timing[0])
    time = np.append(np.arange(0, ticks, keep.stride), ticks) * tick
    cuts = np.cumsum([d, n, n, d])
    parts = np.split(batch.waves.astype(np.float64), cuts, axis=-1)
    return Waveforms(np.asarray(list(keep.runs), dtype=np.int64), time, *parts)
