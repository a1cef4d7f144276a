"""Evaluate the three layers in lanes: projections, shared reference, neurons, output amplifier."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim_backend.loop.fused import fused
from sim_backend.loop.gaussian import LANES
from sim_backend.loop.problem import Problem, Reals, Small, Work
from sim_backend.loop.projection import power, project


@fused
def disturb(
    pre: Reals,
    own: Any,
    amplifier: Reals,
    fresh: Small,
    middle: Small,
    noise: Reals,
    column: int,
    columns: int,
) -> None:
    """Write the noise voltage of each column of a layer for this tick; pre holds sum_i V_i^2 s_ij^2."""
    for j in range(columns):
        white = amplifier[column + j] * amplifier[column + j]
        for k in range(LANES):
            variance = pre[j, k]
            fast = np.sqrt(own * own * variance + white) * fresh[column + j, k]
            noise[column + j, k] = fast + np.sqrt(variance) * middle[column + j, k]


@fused
def neurons(
    pre: Reals, noise: Reals, offset: Reals, gain: Reals, column: int, outputs: int, rail: Any
) -> None:
    """Turn the projections of a layer into undivided voltages: less the reference, with noise and offset."""
    last = column + outputs
    for k in range(LANES):
        volts = gain[last, k] * (pre[outputs, k] + noise[last, k] + offset[last, k])
        pre[outputs, k] = min(max(volts, -rail), rail)
    for j in range(outputs):
        for k in range(LANES):
            pre[j, k] += noise[column + j, k] + offset[column + j, k] - pre[outputs, k]


@fused
def limit(
    pre: Reals, row: Reals, embedded: bool, gain: Reals, column: int, low: Any, high: Any, out: Reals, at: int
) -> None:
    """Write the outputs of a layer: embedding added (or the zero at the end of the row), clamped."""
    for j in range(out.shape[0] - at if not embedded else row.size - 3):
        embedding = row[2 + j] if embedded else row[row.size - 1]
        for k in range(LANES):
            volts = gain[column + j, k] * (pre[j, k] + embedding)
            out[at + j, k] = min(max(volts, low), high)


@fused
def amplify(signal: Reals, first: int, gain: Any, rail: Any) -> None:
    """Amplify the output of the last layer."""
    for j in range(first, signal.shape[0]):
        for k in range(LANES):
            signal[j, k] = min(max(gain * signal[j, k], -rail), rail)


@fused
def network(p: Problem, w: Work, row: int, fresh: bool) -> None:
    """Write hidden units and output (V) behind the state in w.signal; fresh: take new noise of columns."""
    for layer in range(3):
        cell, inputs, column = p.layout[layer, 0], p.layout[layer, 1], p.layout[layer, 2]
        outputs, at = p.layout[layer, 3], p.layout[layer, 4]
        if fresh:
            if p.spread.shape[0] > 0:
                power(w.spread, cell, inputs, outputs + 1, w.signal, at, w.pre)
            else:
                w.pre[:] = 0
            own, columns = p.white[0], outputs + 1
            disturb(w.pre, own, p.column_noise, w.fresh, w.middle, w.noise, column, columns)
        project(w.weight, cell, inputs, outputs + 1, w.signal, at, w.pre)
        neurons(w.pre, w.noise, w.offset, w.gain, column, outputs, p.output[0])
        low, high = p.floor[layer], p.ceiling[layer]
        limit(w.pre, p.table[row], layer < 2, w.gain, column, low, high, w.signal, at + inputs)
    amplify(w.signal, p.layout[2, 4] + p.layout[2, 1], p.output[1], p.output[0])
