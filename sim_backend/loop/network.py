"""Evaluate the three layers in lanes: projections, shared reference, neurons, output amplifier."""

from __future__ import annotations

import numpy as np

from sim_backend.loop.fused import fused
from sim_backend.loop.gaussian import LANES
from sim_backend.loop.problem import Problem, Reals, Work
from sim_backend.loop.projection import power, project


@fused
def disturb(p: Problem, w: Work, cell: int, inputs: int, column: int, columns: int, v: Reals) -> None:
    """Draw the noise voltage of each column of a layer for this tick, for inputs v."""
    if p.spread.shape[0] > 0:
        power(w.spread, cell, inputs, columns, v, w.pre)
    else:
        w.pre[:columns] = 0
    own = p.white[0] * p.white[0]
    for j in range(columns):
        amplifier = p.column_noise[column + j] * p.column_noise[column + j]
        for k in range(LANES):
            variance = w.pre[j, k]
            fast = np.sqrt(own * variance + amplifier) * w.fresh[column + j, k]
            w.noise[column + j, k] = fast + np.sqrt(variance) * w.middle[column + j, k]


@fused
def settle_reference(p: Problem, w: Work, column: int, outputs: int) -> None:
    """Replace the last projection by the voltage of the reference amplifier."""
    rail = p.limits[1]
    j = column + outputs
    for k in range(LANES):
        volts = w.gain[j, k] * (w.pre[outputs, k] + w.noise[j, k] + w.offset[j, k])
        w.pre[outputs, k] = min(max(volts, -rail), rail)


@fused
def hidden(p: Problem, w: Work, column: int, outputs: int, row: int, out: Reals) -> None:
    """Write the clamped neurons of a layer whose projections stand in w.pre; `row` of the table is embedded."""
    settle_reference(p, w, column, outputs)
    zero = out.dtype.type(0)
    clamp = p.limits[0]
    for j in range(outputs):
        embedding = p.table[row, 2 + j]
        for k in range(LANES):
            volts = w.pre[j, k] - w.pre[outputs, k] + w.noise[column + j, k] + w.offset[column + j, k]
            volts = w.gain[column + j, k] * (volts + embedding)
            out[j, k] = min(max(volts, zero), clamp)


@fused
def amplify(p: Problem, w: Work, column: int, outputs: int) -> None:
    """Write the output of the network behind its amplifier."""
    settle_reference(p, w, column, outputs)
    rail = p.limits[1]
    for j in range(outputs):
        for k in range(LANES):
            volts = w.pre[j, k] - w.pre[outputs, k] + w.noise[column + j, k] + w.offset[column + j, k]
            volts = min(max(w.gain[column + j, k] * volts, -rail), rail)
            w.output[j, k] = min(max(p.limits[2] * volts, -rail), rail)


@fused
def network(p: Problem, w: Work, x: Reals, row: int, fresh: bool) -> None:
    """Write hidden neurons and output (V) for inputs x (V); fresh: draw the noise of the columns anew."""
    d, n = len(p.axes), len(p.units)
    second = d * (n + 1)
    third = second + n * (n + 1)
    if fresh:
        disturb(p, w, 0, d, 0, n + 1, x)
    project(w.weight, 0, d, n + 1, x, w.pre)
    hidden(p, w, 0, n, row, w.hidden1)
    if fresh:
        disturb(p, w, second, n, n + 1, n + 1, w.hidden1)
    project(w.weight, second, n, n + 1, w.hidden1, w.pre)
    hidden(p, w, n + 1, n, row, w.hidden2)
    if fresh:
        disturb(p, w, third, n, 2 * n + 2, d + 1, w.hidden2)
    project(w.weight, third, n, d + 1, w.hidden2, w.pre)
    amplify(p, w, 2 * n + 2, d)
