"""Find what the loop makes of the network's output: gain of the drive, what the last amplifiers add.

The network is read by products, its output is computed, and the slopes of short runs are compared with it:

    dx/ds = drive_gain (drive - cut) y(x) + drive drive_offset + offset - leak x

With all hidden units shut, y is zero and the second term stands alone. Amplifiers of hidden units have
offsets as well: they are found beside, with a prior. Each part measures network and runs anew; the scatter
of the parts is the uncertainty, as the read noise of the cells is another one each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.integrators import SWEEP, TICK
from calibration.least_squares import Problem
from calibration.least_squares_fit import fit
from calibration.loop_runs import REACH, VOLTS, Batch, Wiring, batches_of, carried_out, named, played, spread
from calibration.multipliers_network import (
    HIDDEN,
    LAYERS,
    MOST,
    STATES,
    TRIES,
    Amplifiers,
    Network,
    chosen,
    columns_of,
    products,
)
from rramlab.backend import Backend
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

FULL, FAINT = 0.9, 0.05
"""Middles of the drives (1/s)."""
TICKS, FAINT_TICK, SHUT_TICKS = 20, 4.0 * TICK, 100
BATCHES, RUNS, SHUT_RUNS = 14, 12, 12
FAINT_BATCHES = 4
SHUT = -3.9
"""Embedding (network units) that shuts every hidden unit: within what its channels hold."""
JITTER = 0.05
"""By how much an embedding moves about (network units): many codes of its channel."""
AMPLIFIERS = 0.1
"""Prior of what the amplifier of a hidden unit adds (network units)."""
LOSSES = 1e-3
"""Prior of the part of a reference that its amplifier loses."""
ROUNDS = 3
_STEP = 1e-4
FINEST = 1e-6
"""To what a state is seen at best (network units): single precision."""


@final
@dataclass(frozen=True, eq=False)
class Multipliers:
    """Hold what one part found: drive_gain (2), drive_offset (2; V), cut (1/s); and the fit of the slopes.

    `meant` and `slope` (runs, 2; network units per s and unit drive) are the mean output by which the state
    should have moved and the mean slope that was left for it, `noise` the residual of a slope.
    """

    values: FloatArray
    meant: FloatArray
    slope: FloatArray
    rest: FloatArray
    left_out: int


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
    embedding = rng.uniform(-1.0, 1.0, HIDDEN)
    start = _unclamped(network, embedding, rng)
    # What falls below a code is the same on the average over codes: then it is one with the amplifiers.
    moving = embedding + rng.uniform(-JITTER, JITTER, (TICKS, HIDDEN))
    c = played(TICKS, HIDDEN, tick, drive=_scattered(level, TICKS, rng), embedding=moving)
    return carried_out(backend, wiring, start, c)


def _unclamped(network: Network, embedding: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw start states that no hidden unit is driven far by; those nearest zero where there are too few."""
    tried = rng.uniform(-REACH, REACH, (TRIES * RUNS, STATES))
    largest = np.max([h.max(axis=1) for h in network.hidden(tried, embedding)], axis=0)
    order = np.argsort(np.maximum(largest, MOST), kind="stable")
    return tried[order[:RUNS]]


def found(columns: Columns, offset: FloatArray, leak: FloatArray) -> Multipliers:
    """Return what a part says, for the offset (V/s) and leak (1/s) of the integrators."""
    wiring = Wiring.of(columns)
    network = Network.of(wiring, columns["products"])
    drive_offset = _of_shut(batches_of(columns, "shut")[0], offset, leak)
    runs = [*batches_of(columns, "full"), *batches_of(columns, "faint")]
    constant = offset / VOLTS, leak, drive_offset / VOLTS

    def moved(unknowns: FloatArray) -> FloatArray:
        return np.concatenate([predicted(batch, network, unknowns, *constant) for batch in runs])

    data = np.concatenate([batch.end for batch in runs])
    weight = np.concatenate(
        [np.full(len(batch.end), batch.drive.sum() * float(batch.tick)) for batch in runs]
    )
    unknowns, rest, left_out = solved(moved, data, weight)
    meant = (moved(np.r_[1.0, 1.0, unknowns[2:]]) - moved(np.r_[0.0, 0.0, unknowns[2:]])) / weight[:, None]
    values = np.r_[unknowns[:2], drive_offset, unknowns[2]]
    return Multipliers(
        values, meant, meant * unknowns[:2] + rest / weight[:, None], rest / weight[:, None], left_out
    )


def _of_shut(batch: Batch, offset: FloatArray, leak: FloatArray) -> FloatArray:
    """Return what the last amplifiers add (V), from runs whose hidden units were shut."""
    state, step = 0.5 * VOLTS * (batch.begin + batch.end), VOLTS * (batch.end - batch.begin)
    slope = (step / batch.seconds - offset + leak * state).mean(axis=0)
    return np.asarray(slope / batch.drive.mean())


def solved(
    moved: Callable[[FloatArray], FloatArray], data: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Return drive_gain (2), cut and the amplifiers' offsets (2 x hidden); residuals, and runs left out."""
    unknowns = np.r_[1.0, 1.0, np.zeros(1 + LAYERS + 2 * HIDDEN)]
    prior = np.r_[np.inf, np.inf, np.inf, np.full(LAYERS, LOSSES), np.full(2 * HIDDEN, AMPLIFIERS)]
    cell = np.repeat(np.arange(len(data)), STATES)
    shape = np.repeat(weight, STATES)
    here = moved(unknowns)
    slopes = [(moved(unknowns + step) - here).ravel() / _STEP for step in _STEP * np.eye(len(unknowns))]
    design = np.stack(slopes, axis=1)
    for _ in range(ROUNDS):
        rest = (data - here).ravel()
        values, size = rest + design @ unknowns, max(float(np.median(np.abs(rest / shape))), 1e-6)
        shapes = shape, np.abs(design[:, :STATES]).sum(axis=1)
        problem = Problem(design, values, np.full(rest.size, FINEST), cell, shapes, prior=prior)
        done = fit(problem, np.array([size, 0.01]))
        unknowns = done.solution.unknowns
        here = moved(unknowns)
    return unknowns, data - here, len(done.left_out)


def predicted(
    batch: Batch,
    network: Network,
    unknowns: FloatArray,
    offset: FloatArray,
    leak: FloatArray,
    added: FloatArray,
) -> FloatArray:
    """Return where the law of the loop takes the runs of a batch (network units), by Heun's steps."""
    gain, cut = unknowns[:2], unknowns[2]
    nuisance = Amplifiers(unknowns[3 + LAYERS :].reshape(2, HIDDEN), unknowns[3 : 3 + LAYERS])
    x, tick = batch.begin, float(batch.tick)
    for drive, embedding in zip(batch.drive, batch.embedding, strict=True):

        def slope(x: FloatArray, drive: float = drive, embedding: FloatArray = embedding) -> FloatArray:
            y = network.output(x, embedding, nuisance)
            return np.asarray(gain * (drive - cut) * y + drive * added + offset - leak * x)

        first = slope(x)
        x = x + 0.5 * tick * (first + slope(x + tick * first))
    return x
