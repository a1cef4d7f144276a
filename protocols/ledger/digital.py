"""Sample the same network digitally in float32, with numpy or torch, on a processor or an accelerator."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rramlab.diffusion.network import ScoreWeights, time_embedding
from rramlab.loop import LoopRun

if TYPE_CHECKING:
    import torch

FloatArray = NDArray[np.float64]
Single = NDArray[np.float32]

FIRST_TIME, LAST_TIME = 1.0, 1e-4
BLOCK = 500
"""Samples that numpy takes at a time: they stay in the cache, and are too few to be shared among threads."""


@final
@dataclass(frozen=True, eq=False)
class Task:
    """Say what is sampled: network, ODE or SDE, and what a condition adds to the embedding (n_hidden,)."""

    score: ScoreWeights
    stochastic: bool
    offset: FloatArray

    @classmethod
    def of(cls, score: ScoreWeights, run: LoopRun) -> "Task":
        """Return the task of a closed-loop run: its noise and its embedding tell."""
        ticks = len(run.coefficients.drift)
        t = 1.0 - (np.arange(ticks) + 0.5) / ticks
        offset = np.mean(run.coefficients.embedding - time_embedding(score, t), axis=0)
        return cls(score, bool(run.coefficients.noise.any()), offset)


@final
@dataclass(frozen=True, eq=False)
class Euler:
    """Hold the numbers of equal Euler steps from noise to data, in float32.

    One step is x <- keep x + push net(x) + spread z: the published integration (arXiv 2404.05648), its
    factors multiplied out. Layers have inputs as rows; `embedding` is (steps, n_hidden).
    """

    layers: tuple[Single, Single, Single]
    embedding: Single
    keep: Single
    push: Single
    spread: Single

    @classmethod
    def of(cls, task: Task, steps: int) -> "Euler":
        """Return the steps of a task."""
        score, share = task.score, 1.0 if task.stochastic else 0.5
        times = np.linspace(FIRST_TIME, LAST_TIME, steps)
        rate = score.sampling_schedule.beta(times) * (FIRST_TIME - LAST_TIME) / steps
        spread = np.sqrt(rate) * task.stochastic
        spread[-1] = 0.0  # the last step returns its mean
        numbers = (1.0 + 0.5 * rate, share * rate * score.gain, spread)
        first, second, third = (_single(layer) for layer in score.layers)
        embedding = _single(time_embedding(score, times) + task.offset)
        return cls((first, second, third), embedding, *(_single(each) for each in numbers))


def numpy_sample(euler: Euler, start: ArrayLike, seed: int = 0) -> Single:
    """Return the end states (n, d) of Euler steps in numpy from these start states (n, d)."""
    x, rng = _single(start), np.random.default_rng(seed)
    return np.concatenate([_block(euler, x[at : at + BLOCK], rng) for at in range(0, len(x), BLOCK)])


def _block(euler: Euler, x: Single, rng: np.random.Generator) -> Single:
    first, second, third = euler.layers
    for k in range(len(euler.keep)):
        hidden = np.maximum(x @ first + euler.embedding[k], 0.0)
        hidden = np.maximum(hidden @ second + euler.embedding[k], 0.0)
        x = euler.keep[k] * x + euler.push[k] * (hidden @ third)
        if euler.spread[k]:
            x += euler.spread[k] * rng.standard_normal(x.shape, dtype=np.float32)
    return x


def torch_sample(euler: Euler, start: ArrayLike, seed: int = 0, device: str = "cpu") -> Single:
    """Return the end states (n, d) of Euler steps in torch on a device, waited for, back in numpy."""
    import torch

    draw = torch.Generator(device).manual_seed(seed)
    x = torch.from_numpy(_single(start)).to(device)
    layers = [torch.from_numpy(layer).to(device) for layer in euler.layers]
    with torch.inference_mode():
        _integrate(euler, x, layers, torch.from_numpy(euler.embedding).to(device), draw)
        # Copying waits for the device: what is timed is done.
        return np.asarray(x.cpu().numpy())


def _integrate(
    euler: Euler,
    x: "torch.Tensor",
    layers: "list[torch.Tensor]",
    embedding: "torch.Tensor",
    draw: "torch.Generator",
) -> None:
    """Advance `x` in place through all steps."""
    import torch

    first, second, third = layers
    hidden, noise = x.new_empty(2, len(x), first.shape[1]), torch.empty_like(x)
    numbers = zip(euler.keep.tolist(), euler.push.tolist(), euler.spread.tolist(), strict=True)
    for k, (keep, push, spread) in enumerate(numbers):
        torch.addmm(embedding[k], x, first, out=hidden[0]).relu_()
        torch.addmm(embedding[k], hidden[0], second, out=hidden[1]).relu_()
        x.addmm_(hidden[1], third, beta=keep, alpha=push)
        if spread:
            x.add_(noise.normal_(generator=draw), alpha=spread)


def _single(values: ArrayLike) -> Single:
    """Return a copy in float32 that may be written."""
    return np.array(values, dtype=np.float32)
