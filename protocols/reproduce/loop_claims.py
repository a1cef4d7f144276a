"""Tell what goes on in the loop of the ring beside the same network in software: panels 3a, 3c and 3d."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.ledger.phrases import number
from protocols.ledger.sampled import Sampled, loops
from protocols.reproduce.claim import Claim, Found, Verdict
from protocols.reproduce.experiments import RING
from protocols.reproduce.state import Done
from rramlab.diffusion.network import ScoreWeights, forward, network_inputs
from rramlab.loop import LoopResult, LoopRun
from rramlab.runfile import RunFile

FloatArray = NDArray[np.float64]

PARTS = 5
"""Steps that software takes in a tick of the converters."""
UNSEEN = "not seen by this bench"


def waveforms(done: Done) -> Found:
    """Tell how far the waveforms of single samplings are from those of software."""
    sampled = Sampled.open(done.folder)
    run, result = sampled.batches[0]
    states = followed(sampled.score, run, run.start[: len(result.state)])
    inside = traced(sampled.score, run, _at_edges(run, result))
    seen = (*result.hidden, result.output)
    pairs = {"state": (result.state, states)} | dict(
        zip(("hidden 1", "hidden 2", "output"), zip(seen, inside[1:], strict=True), strict=True)
    )
    told = ", ".join(f"{name} {_apart(a, b, 1e3 * run.volts)}" for name, (a, b) in pairs.items())
    conditions = (
        f"{len(result.state)} runs of {run.coefficients.duration:g} s with waveforms; a network unit is "
        f"{1e3 * run.volts:g} mV; software: states from the same start by the same coefficients, the others "
        f"along the measured states, no amplifier that saturates"
    )
    return Found(f"rms distance to software (mV): {told}", conditions, Verdict.NOT_COMPARABLE)


def voltages(done: Done) -> Found:
    """Tell which voltages the layers are given."""
    sampled = Sampled.open(done.folder)
    run, result = sampled.batches[0]
    states = followed(sampled.score, run, run.start[: len(result.state)])
    here = _sizes((result.state, *result.hidden), run.volts)
    there = _sizes(traced(sampled.score, run, states)[:3], run.volts)
    conditions = (
        f"layers 1, 2, 3; {len(result.state)} runs with waveforms; software has no amplifier that saturates"
    )
    return Found(f"{here}; in software {there}", conditions, Verdict.NOT_COMPARABLE)


def field(done: Done) -> Found:
    """Tell how far the measured vector field is from that of software."""
    score, turns, shares, points = Sampled.open(done.folder).score, [], [], 0
    for run, result in loops(RunFile.open(done.folder), closed=False):
        c = run.coefficients
        wanted = c.drift * run.start + c.drive * score.gain * forward(score, run.start, c.embedding)
        found, points = result.slope(run), len(run.start)
        turns.append(float(np.median(_angle(found, wanted))))
        size, ideal = (np.linalg.norm(each, axis=1) for each in (found, wanted))
        shares.append(float(np.median(np.abs(size - ideal)[ideal > 0] / ideal[ideal > 0])))
    angles = ", ".join(f"{turn:.1f}°" for turn in turns)
    speeds = ", ".join(f"{100 * share:.1f} %" for share in shares)
    told = f"off the field of software by {angles} in direction, {speeds} in speed (medians)"
    conditions = (
        f"open loop, one tick from each of {points} points within ±1.5, at {len(turns)} moments of a run; "
        f"software has no amplifier that saturates"
    )
    return Found(told, conditions, Verdict.NOT_COMPARABLE)


def followed(score: ScoreWeights, run: LoopRun, start: FloatArray) -> FloatArray:
    """Return the states (runs, ticks + 1, 2) of the ODE from `start` (runs, 2), coefficients as in a run."""
    c, x = run.coefficients, start
    states, step = [x], c.tick / PARTS
    for drift, drive, embedding in zip(c.drift.tolist(), c.drive.tolist(), c.embedding, strict=True):
        for _ in range(PARTS):
            x = x + step * (drift * x + drive * score.gain * forward(score, x, embedding))
        states.append(x)
    return np.stack(states, axis=1)


def traced(score: ScoreWeights, run: LoopRun, states: FloatArray) -> tuple[FloatArray, ...]:
    """Return what enters the three layers and what leaves the last, along states (runs, ticks + 1, 2)."""
    played = run.coefficients.embedding
    inputs = network_inputs(score, states, np.concatenate([played, played[-1:]]))
    return (*inputs, score.gain * (inputs[2] @ score.w3))


def _at_edges(run: LoopRun, result: LoopResult) -> FloatArray:
    """Return the states of the runs with waveforms; ValueError where they were not seen once in each tick."""
    edges = len(run.coefficients.drift) + 1
    if result.state.shape[1] != edges:
        raise ValueError(f"{result.state.shape[1]} samples of the state, {edges} edges of ticks")
    return result.state


def _apart(seen: FloatArray, wanted: FloatArray, unit: float) -> str:
    """Return the rms distance in `unit`s, median of the runs and the worst of them."""
    if np.isnan(seen).all():
        return UNSEEN
    rms = unit * np.sqrt(np.mean((seen - wanted) ** 2, axis=(1, 2)))
    return f"{number(float(np.median(rms)))} (worst run {number(float(rms.max()))})"


def _sizes(layers: Sequence[FloatArray], volts: float) -> str:
    """Return rms and largest voltage of each layer that was seen."""
    seen = [each for each in layers if not np.isnan(each).all()]
    rms = ", ".join(f"{1e3 * volts * np.sqrt(np.mean(each**2)):.0f}" for each in seen)
    most = ", ".join(f"{1e3 * volts * np.abs(each).max():.0f}" for each in seen)
    hidden = ", ".join(str(i) for i, each in enumerate(layers, 1) if np.isnan(each).all())
    return f"rms {rms} mV, largest {most} mV" + (f", layers {hidden} {UNSEEN}" if hidden else "")


def _angle(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the angles (degrees) between pairs of vectors (n, 2)."""
    cross = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return np.asarray(np.degrees(np.abs(np.arctan2(cross, np.sum(one * other, axis=1)))))


WAVEFORMS = Claim(
    "3a",
    "waveforms of the network in one sampling",
    RING,
    "none: a picture was published, no number",
    waveforms,
)
VOLTAGES = Claim(
    "3c", "input voltages of the three layers", RING, "none: histograms were published, no number", voltages
)
FIELD = Claim("3d", "vector field of the loop", RING, "none: a picture was published, no number", field)
