"""Digital baseline: Euler integration of the reverse ODE or SDE with torch."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from rramlab.diffusion.network import ScoreWeights, class_embedding

FloatArray = NDArray[np.float64]
Kind = Literal["ode", "sde"]

FIRST_TIME = 1.0
LAST_TIME = 1e-4


@final
@dataclass(frozen=True, eq=False)
class Samples:
    """Hold generated points (n, d), and the states (frames, n, d) at `times` (frames,) when they were kept.

    A frame is the state before the step taken at its time.
    """

    points: FloatArray
    times: FloatArray
    trajectory: FloatArray


def sample(
    weights: ScoreWeights,
    count: int,
    *,
    steps: int = 500,
    kind: Kind = "ode",
    seed: int = 0,
    start: ArrayLike | None = None,
    frames: int = 0,
    name: str | None = None,
    guidance: float = 0.0,
) -> Samples:
    """Draw `count` points by integrating from noise (t = 1) to data (t = 1e-4) in equal Euler steps.

    The steps are those of the published code (arXiv 2404.05648): noise rates times `weights.scale`, state
    drawn from N(0, 1) unless `start` (count, d) is given, and the last step returns its mean. `frames`
    evenly spaced states are kept. `name` is the class of a conditional network, None for the null token;
    with `guidance` w the score is (1 + w) that of the class less w that of the null token (Ho and Salimans,
    2021).
    """
    _check(count, steps, kind, frames)
    if guidance and (name is None or not np.isfinite(guidance)):
        raise ValueError(f"guidance {guidance} of class {name} was asked for; give a finite one, and a class")
    draw = torch.Generator().manual_seed(seed)
    state = _start(weights, count, start, draw)
    keep = np.unique(np.linspace(0, steps - 1, frames).round().astype(int)) if frames else np.zeros(0, int)
    times = np.linspace(FIRST_TIME, LAST_TIME, steps)
    kept = np.empty((len(keep), *state.shape))
    network = _network(weights, times, name, guidance)
    with torch.inference_mode():
        _integrate(weights, network, state, times, kind, draw, dict(zip(keep.tolist(), kept, strict=True)))
    return Samples(state.double().numpy(), times[keep], kept)


def _network(
    weights: ScoreWeights, times: FloatArray, name: str | None, guidance: float
) -> list[torch.Tensor]:
    """Return three layers and the embeddings (times, m); guidance sets a copy for the null token beside."""
    w1, w2, w3 = weights.layers
    embedding = class_embedding(weights, times, name)
    if guidance:
        none = np.zeros_like(w2)
        w1, w2 = np.hstack([w1, w1]), np.block([[w2, none], [none, w2]])
        w3 = np.vstack([(1.0 + guidance) * w3, -guidance * w3])
        embedding = np.hstack([embedding, class_embedding(weights, times)])
    return [torch.from_numpy(np.array(each, dtype=np.float32)) for each in (w1, w2, w3, embedding)]


def _integrate(
    weights: ScoreWeights,
    network: list[torch.Tensor],
    state: torch.Tensor,
    times: FloatArray,
    kind: Kind,
    draw: torch.Generator,
    kept: dict[int, FloatArray],
) -> None:
    """Advance `state` in place through all times, copying it into `kept` before the steps named there.

    One step is x <- x + dt (beta/2 x + share beta score) + sqrt(dt beta) z, with share 1/2 and no z for
    the ODE and share 1 for the SDE.
    """
    dt = (FIRST_TIME - LAST_TIME) / len(times)
    beta = weights.sampling_schedule.beta(times)
    share = 0.5 if kind == "ode" else 1.0
    w1, w2, w3, embedding = network
    hidden = state.new_empty(2, len(state), w1.shape[1])
    noise = torch.empty_like(state)
    for k, rate in enumerate(beta.tolist()):
        if k in kept:
            kept[k][:] = state.numpy()
        torch.addmm(embedding[k], state, w1, out=hidden[0]).relu_()
        torch.addmm(embedding[k], hidden[0], w2, out=hidden[1]).relu_()
        state.addmm_(hidden[1], w3, beta=1.0 + 0.5 * rate * dt, alpha=share * rate * dt * weights.gain)
        if kind == "sde" and k + 1 < len(beta):
            state.add_(noise.normal_(generator=draw), alpha=(rate * dt) ** 0.5)


def _start(weights: ScoreWeights, count: int, start: ArrayLike | None, draw: torch.Generator) -> torch.Tensor:
    """Return the initial states as float32, drawn or given."""
    shape = (count, weights.w1.shape[0])
    if start is None:
        return torch.randn(shape, generator=draw)
    given = torch.from_numpy(np.array(start, dtype=np.float32))
    if tuple(given.shape) != shape or not torch.isfinite(given).all():
        raise ValueError(
            f"initial states of shape {tuple(given.shape)} were given; possible are finite {shape}"
        )
    return given


def _check(count: int, steps: int, kind: str, frames: int) -> None:
    """Refuse a request that no sampler can serve."""
    if count < 1 or steps < 1 or not 0 <= frames <= steps:
        raise ValueError(
            f"{count} samples in {steps} steps with {frames} frames were asked for; "
            "possible are count >= 1, steps >= 1 and 0 <= frames <= steps"
        )
    if kind not in ("ode", "sde"):
        raise ValueError(f"sampler {kind!r} was asked for; possible are 'ode' and 'sde'")
