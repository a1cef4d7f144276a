"""Compensation of programming errors: the last layer fitted anew to the layers before it as they came out."""

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion.network import ScoreWeights, network_inputs, score, time_embedding

FloatArray = NDArray[np.float64]

STATES, STEPS = 400, 50
RIDGE = 3e-4


def compensated(weights: ScoreWeights, written: ScoreWeights, clamp: float | None = None) -> ScoreWeights:
    """Return `weights` with a last layer that makes up for the errors of the first two layers of `written`.

    Layers 1 and 2 are those of `written` (measured in the macro), so the result is what the network should
    now be: program its last layer, and compare with it. The last layer solves a least-squares problem over
    states that digital sampling passes, weighted by beta(t), with a ridge that keeps it near the old one;
    `clamp` (in units of the state) bounds hidden activations of both as the amplifiers do.
    """
    states, times = _path(weights)
    share = np.sqrt(weights.sampling_schedule.beta(times) / len(times) / states.shape[1])[:, None, None]
    embedding = time_embedding(weights, times)[:, None, :]
    wanted = network_inputs(weights, states, embedding, clamp)[2] @ weights.w3
    hidden = network_inputs(written, states, embedding, clamp)[2]
    size = len(weights.w3)
    seen = (hidden * share).reshape(-1, size)
    missing = ((wanted - hidden @ weights.w3) * share).reshape(-1, weights.w3.shape[1])
    change = np.linalg.solve(seen.T @ seen + RIDGE * np.eye(size), seen.T @ missing)
    return weights.with_layers(written.w1, written.w2, weights.w3 + change)


def _path(weights: ScoreWeights) -> tuple[FloatArray, FloatArray]:
    """Return states (STEPS, STATES, n) on Euler paths of the ODE from fixed starts, and their times."""
    times = np.linspace(1.0, 1e-4, STEPS)
    state = np.random.default_rng(0).normal(size=(STATES, weights.w1.shape[0]))
    states = np.empty((STEPS, *state.shape))
    for k, (time, rate) in enumerate(zip(times, weights.sampling_schedule.beta(times) / STEPS, strict=True)):
        states[k] = state
        state = state + 0.5 * rate * (state + score(weights, state, time))
    return states, times
