"""Play what the multipliers of the loop are found by: a network that is shut, driven, and driven faintly.

The network is read by products before and after, as what its cells do meanwhile is in neither alone. Every
part measures network and runs anew.
"""

import numpy as np
from numpy.typing import NDArray

from calibration.loop.integrators import SWEEP, TICK
from calibration.loop.multipliers_network import (
    HIDDEN,
    STATES,
    Network,
    chosen,
    columns_of,
    products,
)
from calibration.loop.runs import REACH, Batch, Wiring, carried_out, named, played, spread
from rramlab.backend import Backend
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

FULL, FAINT = 0.9, 0.05
"""Middles of the drives (1/s)."""
TICKS, FAINT_TICK, SHUT_TICKS = 20, 4.0 * TICK, 100
BATCHES, FAINT_BATCHES, RUNS, SHUT_RUNS = 10, 4, 16, 12
TRIED, STARTS, BEST = 60, 256, 15
"""Embeddings that are tried for a batch, start states, and how many of the embeddings may be taken."""
ENOUGH = 1.0
"""Output (network units, rms) beyond which a network is not the better for being measured."""
OPEN = (0.1, 0.6), (0.0, 1.5)
"""Share of hidden units that an embedding leaves open, and its size there (network units)."""
SHUT = -3.9
"""Embedding (network units) that shuts every hidden unit: within what its channels hold."""
JITTER = 0.05
"""By how much an embedding moves about (network units): many codes of its channel."""


def measure(backend: Backend, rng: np.random.Generator) -> Columns:
    """Return a network as products show it, and what its output did to the state."""
    matrices = products(backend)
    wiring = chosen(matrices)
    network = Network.of(wiring, matrices)
    shut = [_shut(backend, wiring, rng)]
    full = [_driven(backend, wiring, network, FULL, TICK, rng) for _ in range(BATCHES)]
    faint = [_driven(backend, wiring, network, FAINT, FAINT_TICK, rng) for _ in range(FAINT_BATCHES)]
    # Measured again: what the cells did meanwhile is in neither alone.
    after = products(backend)
    runs = named(shut, "shut") | named(full, "full") | named(faint, "faint")
    return runs | columns_of(0.5 * (matrices + after), wiring)


def _scattered(level: float, ticks: int, rng: np.random.Generator) -> FloatArray:
    """Draw drives about a level, over many codes: what falls below a code is the same on the average."""
    return np.asarray(level * (1.0 + rng.uniform(-SWEEP, SWEEP, ticks)))


def _shut(backend: Backend, wiring: Wiring, rng: np.random.Generator) -> Batch:
    c = played(SHUT_TICKS, HIDDEN, TICK, drive=_scattered(FULL, SHUT_TICKS, rng), embedding=SHUT)
    return carried_out(backend, wiring, spread(rng, SHUT_RUNS, 0.2 * REACH), c)


def _driven(
    backend: Backend, wiring: Wiring, network: Network, level: float, tick: float, rng: np.random.Generator
) -> Batch:
    start, embedding = _clear(network, level * tick * TICKS, rng)
    # What falls below a code is the same on the average over codes: then it is one with the amplifiers.
    moving = embedding + rng.uniform(-JITTER, JITTER, (TICKS, HIDDEN))
    c = played(TICKS, HIDDEN, tick, drive=_scattered(level, TICKS, rng), embedding=moving)
    return carried_out(backend, wiring, start, c)


def _clear(network: Network, driven: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw start states (runs, 2) and an embedding for which the network moves them while it is linear.

    Hidden units are well open or well shut, where a run begins and where it ends that is `driven` so much: a
    network whose cells are noisy then does, on the average, what it does with the mean of its cells.
    """
    x = rng.uniform(-REACH, REACH, (STARTS, 1, STATES))
    share, size = rng.uniform(*OPEN[0], (TRIED, 1)), rng.uniform(*OPEN[1], (TRIED, HIDDEN))
    tried = np.where(rng.random((TRIED, HIDDEN)) < share, size, SHUT)
    output = network.output(x, tried)
    beyond = network.beyond(x, tried) + network.beyond(x + driven * output, tried)
    clear = (beyond == 0.0)[..., None]
    size = np.minimum(np.sqrt(np.mean(output**2, axis=0, where=clear | (clear.sum(axis=0) == 0))), ENOUGH)
    told = np.where(clear.sum(axis=0) >= RUNS, size, 0.0).min(axis=1)
    # Not always the largest: what many cells make together is surer than what the strongest path makes.
    one = int(rng.choice(np.argsort(-told, kind="stable")[:BEST]))
    return x[np.argsort(beyond[:, one], kind="stable")[:RUNS], 0], tried[one]
