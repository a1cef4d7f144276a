"""Compare what went on in the loop with the same network in software: waveforms, voltages, vector field."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.ledger.sampled import loops
from rramlab.diffusion.network import ScoreWeights, forward, network_inputs
from rramlab.diffusion.store import from_record
from rramlab.loop import LoopResult, LoopRun
from rramlab.runfile import RunFile

FloatArray = NDArray[np.float64]
Facts = dict[str, Any]

PARTS = 10
"""Steps that software takes in a tick of the converters."""
SIGNALS = ("state", "hidden 1", "hidden 2", "output")


def loop_facts(file: RunFile) -> Facts:
    """Return what a run of an ODE shows beside software, by "waveforms", "voltages" and "field".

    Empty if it closed no loop whose waveforms were seen once in each tick.
    """
    closed = next(loops(file), None)
    if closed is None or closed[1].state.shape[1] != len(closed[0].coefficients.drift) + 1:
        return {}
    kept = file.kept["score"]
    score = from_record(kept.columns, dict(kept.facts))
    return {
        "waveforms": waveforms(score, *closed),
        "voltages": voltages(score, *closed),
        "field": field(score, loops(file, closed=False)),
    }


def waveforms(score: ScoreWeights, run: LoopRun, result: LoopResult) -> Facts:
    """Return the rms distance (V) of each signal to software, median of the runs and the worst of them.

    The states of software begin at the same start; the other signals are those along the measured states.
    What a bench does not see is None.
    """
    states = followed(score, run, run.start[: len(result.state)])
    wanted = (states, *traced(score, run, result.state)[1:])
    seen = (result.state, *result.hidden, result.output)
    apart = {name: _apart(run.volts * (a - b)) for name, a, b in zip(SIGNALS, seen, wanted, strict=True)}
    return {"runs": len(states), "seconds": run.coefficients.duration, "volts": run.volts, "apart_V": apart}


def voltages(score: ScoreWeights, run: LoopRun, result: LoopResult) -> Facts:
    """Return rms and largest voltage (V) at the inputs of each layer, measured and in software."""
    states = followed(score, run, run.start[: len(result.state)])
    pair = {"measured": (result.state, *result.hidden), "software": traced(score, run, states)[:3]}
    sizes = {which: _sizes(layers, run.volts) for which, layers in pair.items()}
    return {"runs": len(states)} | sizes


def field(score: ScoreWeights, moments: Iterable[tuple[LoopRun, LoopResult]]) -> Facts:
    """Return by how much measured slopes are off those of software: medians of the points at each moment."""
    turns, shares, points = [], [], 0
    for run, result in moments:
        c = run.coefficients
        wanted = c.drift * run.start + c.drive * score.gain * forward(score, run.start, c.embedding)
        found, points = result.slope(run), len(run.start)
        turns.append(float(np.median(_angle(found, wanted))))
        size, ideal = (np.linalg.norm(each, axis=1) for each in (found, wanted))
        shares.append(float(np.median(np.abs(size - ideal)[ideal > 0] / ideal[ideal > 0])))
    return {"points": points, "turn_degrees": turns, "speed_share": shares}


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


def _apart(volts: FloatArray) -> dict[str, float] | None:
    if np.isnan(volts).all():
        return None
    rms = np.sqrt(np.mean(volts**2, axis=(1, 2)))
    return {"median": float(np.median(rms)), "worst": float(rms.max())}


def _sizes(layers: Sequence[FloatArray], volts: float) -> list[dict[str, float] | None]:
    return [
        None
        if np.isnan(each).all()
        else {
            "rms_V": volts * float(np.sqrt(np.mean(each**2))),
            "largest_V": volts * float(np.abs(each).max()),
        }
        for each in layers
    ]


def _angle(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the angles (degrees) between pairs of vectors (n, 2)."""
    cross = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return np.asarray(np.degrees(np.abs(np.arctan2(cross, np.sum(one * other, axis=1)))))
