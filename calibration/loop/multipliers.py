"""Play what the multipliers of the loop are found by: a network that is shut, driven, and driven faintly.

The network is read by products before and after, as what its cells do meanwhile is in neither alone. Every
part measures network and runs anew.
"""

import numpy as np
from numpy.typing import NDArray

from calibration.loop.integrators import SWEEP, TICK
from calibration.loop.multipliers_network import (
    HIDDEN,
    MOST,
    STATES,
    TRIES,
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
BATCHES, RUNS, SHUT_RUNS = 5, 32, 12
FAINT_BATCHES, TURNS = 2, 4
"""Batches of weak drive, and embeddings that follow each other within a run."""
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
    turns = rng.uniform(-1.0, 1.0, (TURNS, HIDDEN))
    start = _unclamped(network, turns, rng)
    # What falls below a code is the same on the average over codes: then it is one with the amplifiers.
    moving = np.repeat(turns, TICKS // TURNS, axis=0) + rng.uniform(-JITTER, JITTER, (TICKS, HIDDEN))
    c = played(TICKS, HIDDEN, tick, drive=_scattered(level, TICKS, rng), embedding=moving)
    return carried_out(backend, wiring, start, c)


def _unclamped(network: Network, turns: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw start states that drive no hidden unit far, or as few and as little as can be."""
    tried = rng.uniform(-REACH, REACH, (TRIES * RUNS, STATES))
    units = network.hidden(tried[:, None], turns)
    largest = np.max([h.max(axis=(1, 2)) for h in units], axis=0)
    order = np.argsort(np.maximum(largest, MOST), kind="stable")
    return np.asarray(tried[order[:RUNS]])
