"""Simulated benches for tests: with the imperfections taken away one by one, and networks placed by hand."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramlab.diffusion.network import ScoreWeights
from rramlab.limits import Limits
from rramlab.network_mapping import NetworkMapping
from rramlab.recorder import Recorder
from sim_backend.backend import SimBackend
from sim_backend.options import LoopOptions, Options

FloatArray = NDArray[np.float64]

STILL = """
base = "taox180"
[relaxation]
variance_per_decade = 0.0
quiet_variance = 0.0
drift = 0.0
drift_low = 0.0
[yields]
unformable = 0.0
stuck_lrs = 0.0
reduced = 0.0
[telegraph]
fraction = 0.0
strong_fraction = 0.0
"""
"""A device that neither relaxes nor fails; `noise` and others are added per test."""

IDEAL = LoopOptions(
    clamp=1e6,
    rail=1e6,
    opamp_gain=1e9,
    rc_error=0.0,
    leak=0.0,
    offset=0.0,
    multiplier_gain=0.0,
    multiplier_offset=0.0,
    dac_bits=0,
    read_noise=False,
)
"""The loop without imperfections."""


def still(folder: Path, more: str = "") -> str:
    """Return the path of a preset file of a device that keeps what it is given."""
    file = folder / "still.toml"
    file.write_text(STILL + more)
    return str(file)


def bench(
    preset: str = "taox180",
    loop: LoopOptions = IDEAL,
    limits: Limits | None = None,
    recorder: Recorder | None = None,
    seed: int = 0,
    **options: Any,
) -> SimBackend:
    """Return a simulated bench with an ideal loop unless told otherwise."""
    return SimBackend(Options(preset=preset, loop=loop, **options), limits, recorder, seed)


def network(seed: int = 1, hidden: int = 14) -> ScoreWeights:
    """Return a network of a size that stirs all hidden units and pulls the state inwards."""
    rng = np.random.default_rng(seed)
    w1, w2 = rng.normal(0, 0.6, (2, hidden)), rng.normal(0, 0.25, (hidden, hidden))
    return ScoreWeights(w1, w2, rng.normal(0, 0.12, (hidden, 2)), rng.normal(0, 0.5, hidden // 2), gain=5.0)


def load(backend: SimBackend, wanted: FloatArray, volts: float) -> None:
    """Put the cells to path conductances (S, shape of the bench, NaN leaves one) as seen at `volts` (V)."""
    population, cells = backend.array.population, np.arange(wanted.size)
    goal = wanted.ravel()
    where = np.isfinite(goal)
    filament = np.where(where, goal, 5e-6)
    for _ in range(60):
        population.load(filament, np.random.default_rng(0), backend.now(), where)
        found = population.conductance(cells, volts, 3.3, backend.now())
        filament = np.where(where, filament * goal / found, filament)
    assert np.abs(found / goal - 1)[where].max() < 1e-6


def place(
    backend: SimBackend, weights: ScoreWeights, volts: float, copies: tuple[int, int, int] = (1, 1, 1)
) -> NetworkMapping:
    """Put a network exactly into the macros and return where it is."""
    mapping = NetworkMapping.fit(weights, copies=copies)
    plane = np.full(backend.shape, np.nan)
    for targets in (mapping.reference_targets(), mapping.weight_targets(weights)):
        plane[targets.cells.row, targets.cells.col] = targets.conductances
    load(backend, plane, volts)
    return mapping
