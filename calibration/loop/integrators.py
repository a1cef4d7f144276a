"""Find what the integrators of the loop do by themselves: offset, leak, and the gains of drift and noise.

Without drive the law of the loop (rramlab/corrections/loop.py) is linear in the state:

    rest:    end = start e^-z + offset T (1 - e^-z)/z,   z = leak T
    ramps:   end(+b) - end(-b) = noise_gain (b - -b) T (1 - e^-z)/z
    growth:  d end / d start = exp(drift_gain (sum of drift - ticks cut) tick - leak T)

What a converter cuts off below a code is the same on the average over a drift that sweeps many codes: `cut`
(1/s). Each stage takes its uncertainty from the scatter between runs that played something else.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.loop.runs import (
    REACH,
    VOLTS,
    Batch,
    Wiring,
    batches_of,
    carried_out,
    line,
    named,
    played,
    spread,
    widened,
)
from rramlab.backend import Backend
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

REST_SECONDS, REST_TICK, REST_RUNS = 6.0, 0.05, 24
RAMP_SECONDS, TICK = 2.0, 5e-3
RAMPS, RAMP_PAIRS = (1.1, 2.6), 10
"""Slopes of the ramps (network units per s), between these: they end inside the limit of a row voltage."""
NAMES = ("offset", "leak", "noise_gain", "drift_gain", "cut")
"""What is found of each integrator, in this order."""
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.45)
"""Middles of the drifts (1/s), as sampling uses them; each sweeps over +-SWEEP of itself."""
SWEEP = 0.1
GROWTH_SECONDS, GROWTH_RUNS, GROWTH_ROUNDS = 1.5, 4, 2


@final
@dataclass(frozen=True, eq=False)
class Integrators:
    """Hold what was found: NAMES along the last axis of `values` (2, 5) and `covariance` (2, 5, 2, 5).

    Offsets are in V/s, leak and cut in 1/s. `fits` holds by stage what was fitted: x, y and residual
    (points, 2).
    """

    values: FloatArray
    covariance: FloatArray
    fits: dict[str, tuple[FloatArray, FloatArray, FloatArray]]


def measure(backend: Backend, wiring: Wiring, rng: np.random.Generator) -> Columns:
    """Return what the integrators did at rest, on ramps, and when a drift made the state grow."""
    n = wiring.hidden
    quiet = played(round(REST_SECONDS / REST_TICK), n, REST_TICK)
    # No pairs of opposite states: what rounding does to one would be done to the other.
    rest = [carried_out(backend, wiring, rng.uniform(-REACH, REACH, (REST_RUNS, 2)), quiet)]
    ramps = [_ramp(backend, wiring, bias) for bias in slopes(rng)]
    levels = rng.uniform(0.9, 1.1, GROWTH_ROUNDS * len(LEVELS)) * np.tile(LEVELS, GROWTH_ROUNDS)
    growth = [_growth(backend, wiring, float(level), rng) for level in levels]
    return named(rest, "rest") | named(ramps, "ramp") | named(growth, "growth")


def slopes(rng: np.random.Generator) -> list[FloatArray]:
    """Draw the slopes of the ramps in both dimensions, in pairs of both signs.

    No two fall between codes in the same way.
    """
    drawn = rng.uniform(*RAMPS, (RAMP_PAIRS, 2))
    return [sign * pair for pair in drawn for sign in (1.0, -1.0)]


def _ramp(backend: Backend, wiring: Wiring, bias: FloatArray) -> Batch:
    ticks = round(RAMP_SECONDS / TICK)
    start = -0.5 * RAMP_SECONDS * bias[None]
    return carried_out(backend, wiring, start, played(ticks, wiring.hidden, TICK, bias=bias))


def _growth(backend: Backend, wiring: Wiring, level: float, rng: np.random.Generator) -> Batch:
    ticks = round(GROWTH_SECONDS / TICK)
    drift = level * (1.0 + np.linspace(-SWEEP, SWEEP, ticks))
    start = spread(rng, GROWTH_RUNS, REACH * float(np.exp(-level * GROWTH_SECONDS)))
    return carried_out(backend, wiring, start, played(ticks, wiring.hidden, TICK, drift=drift))


def found(columns: Columns) -> Integrators:
    """Return what the runs say, stage by stage, one dimension after the other."""
    rest, ramps, growth = (batches_of(columns, kind) for kind in ("rest", "ramp", "growth"))
    values, covariance = np.zeros((2, 5)), np.zeros((2, 5, 2, 5))
    seen: dict[str, list[Points]] = {"rest": [], "ramp": []}
    for i in range(2):
        values[i, :2], covariance[i, :2, i, :2], points = _at_rest(rest[0], i)
        seen["rest"].append(points)
        values[i, 2], covariance[i, 2, i, 2], points = _on_ramps(ramps, i, float(values[i, 1]))
        seen["ramp"].append(points)
    values[:, 3:], covariance[:, 3:, :, 3:], grown = _growing(growth, values[:, 1])
    fits = {name: _together(both) for name, both in seen.items()} | {"growth": grown}
    return Integrators(values, covariance, fits)


Points = tuple[FloatArray, FloatArray, FloatArray]


def _at_rest(batch: Batch, i: int) -> tuple[FloatArray, FloatArray, Points]:
    """Return offset (V/s) and leak (1/s) with their covariance: end against begin is a line."""
    begin, end, seconds = VOLTS * batch.begin[:, i], VOLTS * batch.end[:, i], batch.seconds
    (moved, kept), covariance, rest = line(begin, end)
    leak = float(-np.log(kept) / seconds)
    whole = seconds * _fading(leak * seconds)
    change = np.array([[1.0 / whole, 0.5 * moved / (whole * kept)], [0.0, -1.0 / (kept * seconds)]])
    points = 0.5 * (begin + end), (end - begin) / seconds, rest / seconds
    return np.array([moved / whole, leak]), change @ covariance @ change.T, points


def _on_ramps(batches: list[Batch], i: int, leak: float) -> tuple[float, float, Points]:
    """Return the gain of the noise channel with its variance: what a bias moved over what it should have."""
    moved = np.array([float(b.end[0, i] - b.begin[0, i] * np.exp(-leak * b.seconds)) for b in batches])
    meant = np.array([float(b.bias[:, i].sum() * b.tick * _fading(leak * b.seconds)) for b in batches])
    # Both signs: what moves the state without a bias drops out.
    x, y = meant[::2] - meant[1::2], moved[::2] - moved[1::2]
    gain = float(x @ y / (x @ x))
    rest = y - gain * x
    dof = len(x) - 1
    return gain, float(rest @ rest / dof / (x @ x)) * widened(dof), (x, y, rest)


def _growing(batches: list[Batch], leak: FloatArray) -> tuple[FloatArray, FloatArray, Points]:
    """Return gain of the drift and what is cut off it (1/s): growth of differences against the drift.

    One converter plays it for both dimensions: what is left is theirs in common, and so is the covariance.
    """
    drift = np.array([float(b.drift.mean()) for b in batches])
    grown = np.array([[_growth_of(b, i) + leak[i] for i in range(2)] for b in batches])
    fits = [line(drift, grown[:, i]) for i in range(2)]
    rest = np.stack([one[2] for one in fits], axis=1)
    (below, gain), design = np.stack([one[0] for one in fits], axis=1), np.vander(drift, 2, increasing=True)
    dof = len(drift) - 2
    shape = np.linalg.inv(design.T @ design) / dof * widened(dof)
    change = np.array([[[0.0, 1.0], [-1.0 / g, b / g**2]] for b, g in zip(below, gain, strict=True)])
    covariance = np.einsum("iak,kl,jbl,ij->iajb", change, shape, change, rest.T @ rest)
    found = np.stack([gain, -below / gain], axis=1)
    return found, covariance, (np.stack([drift, drift], axis=1), grown, rest)


def _growth_of(batch: Batch, i: int) -> float:
    """Return the rate (1/s) at which differences between states grew."""
    return float(np.log(line(batch.begin[:, i], batch.end[:, i])[0][1]) / batch.seconds)


def _fading(z: float) -> float:
    """Return the share of a constant input that a leak leaves after z time constants."""
    return float(-np.expm1(-z) / z) if abs(z) > 1e-9 else 1.0


def _together(both: list[Points]) -> Points:
    x, y, rest = (np.stack(parts, axis=1) for parts in zip(*both, strict=True))
    return x, y, rest
