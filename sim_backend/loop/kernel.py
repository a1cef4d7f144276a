"""Advance blocks of runs from tick to tick: draw the noise, take the steps, record what was asked for."""

from __future__ import annotations

import numpy as np

from sim_backend.loop.fused import fused
from sim_backend.loop.gaussian import LANES, board_normals, normals, uniforms
from sim_backend.loop.network import network
from sim_backend.loop.problem import Batch, Problem, Reals, Small, Work


@fused
def workspace(p: Problem) -> Work:
    """Return the empty state of a block."""
    d, n = len(p.axes), len(p.units)
    cells, columns, dtype = p.weight.shape[1], p.gain.shape[1], p.weight.dtype
    most = max(d, n) + 1
    even = columns + columns % 2
    return Work(
        np.zeros((cells, LANES), dtype),
        np.zeros((cells if p.drift.shape[0] else 0, LANES), dtype),
        np.zeros((cells if p.spread.shape[0] else 0, LANES), dtype),
        np.zeros((columns, LANES), dtype),
        np.zeros((columns, LANES), dtype),
        np.zeros((p.load.shape[1], LANES), dtype),
        np.zeros((d, LANES), dtype),
        np.zeros((d, LANES), dtype),
        np.zeros((d, LANES), dtype),
        np.zeros((d, LANES), dtype),
        np.zeros((most, LANES), dtype),
        np.zeros((n, LANES), dtype),
        np.zeros((n, LANES), dtype),
        np.zeros((d, LANES), dtype),
        np.zeros((columns, LANES), dtype),
        np.zeros((d, LANES), dtype),
        np.zeros((3, LANES), dtype),
        np.zeros((p.bands.shape[0] * columns, LANES), np.float32),
        np.zeros((columns, LANES), np.float32),
        np.zeros((even + 2, LANES), np.float32),
        np.zeros((p.telegraph_cells.size, LANES), np.float32),
        np.zeros((4, LANES), np.uint32),
        np.zeros((2, LANES), np.uint32),
    )


@fused
def spread_out(shared: Reals, run: int, k: int, out: Reals) -> None:
    """Copy the numbers of a run, or those that all runs share, into a lane."""
    if shared.shape[0] > 0:
        source = shared[run if shared.shape[0] > 1 else 0]
        for c in range(source.size):
            out[c, k] = source[c]


@fused
def load(p: Problem, b: Batch, block: int, w: Work) -> None:
    """Set the lanes of a block to the start of their runs; lanes past the last run repeat it."""
    last = b.start.shape[0] - 1
    for k in range(LANES):
        run = min(block * LANES + k, last)
        spread_out(p.weight, run, k, w.weight)
        spread_out(p.drift, run, k, w.drift)
        spread_out(p.spread, run, k, w.spread)
        spread_out(p.gain, run, k, w.gain)
        spread_out(p.offset, run, k, w.offset)
        spread_out(p.load, run, k, w.load)
        w.x[:, k] = b.start[run]
        w.state[:, k] = b.seeds[run]
    w.heat[:] = 0
    w.noise[:] = 0
    w.slope[:] = 0
    w.injected[:] = 0


@fused
def begin(p: Problem, w: Work) -> None:
    """Draw what belongs to the run: frozen weights, stationary bands, telegraph states; half a tick of drift."""
    columns = p.gain.shape[1]
    if p.spread.shape[0] > 0 and p.white[1] > 0:
        for c in range(0, w.weight.shape[0]):
            if c % 2 == 0:
                normals(w.state, w.words, w.fresh, 2)
            for k in range(LANES):
                w.weight[c, k] += p.white[1] * np.sqrt(w.spread[c, k]) * w.fresh[c % 2, k]
    for b in range(p.bands.shape[0]):
        normals(w.state, w.words, w.fresh, columns + columns % 2)
        w.memory[b * columns : (b + 1) * columns] = w.fresh[:columns]
    half = w.level.dtype.type(0.5)
    for q in range(w.level.shape[0]):
        uniforms(w.state, w.words, w.fresh, 0)
        cell = p.telegraph_cells[q]
        for k in range(LANES):
            w.level[q, k] = half if w.fresh[0, k] < half else -half
            w.weight[cell, k] += p.telegraph[q, 0] * w.level[q, k]
    for c in range(w.drift.shape[0]):
        for k in range(LANES):
            w.weight[c, k] += half * w.drift[c, k]


@fused
def age(p: Problem, w: Work, tick: int) -> None:
    """Move drifting and fluctuating cells on to this tick."""
    if tick == 0:
        return
    for c in range(w.drift.shape[0]):
        for k in range(LANES):
            w.weight[c, k] += w.drift[c, k]
    for q in range(w.level.shape[0]):
        uniforms(w.state, w.words, w.fresh, 0)
        cell = p.telegraph_cells[q]
        for k in range(LANES):
            before = w.level[q, k]
            after = -before if w.fresh[0, k] < p.telegraph[q, 1] else before
            w.level[q, k] = after
            w.weight[cell, k] += p.telegraph[q, 0] * (after - before)


@fused
def shake(p: Problem, w: Work, tick: int) -> None:
    """Draw the normals of the columns for this tick and move the middle bands on."""
    columns = p.gain.shape[1]
    rows = columns + columns % 2
    if tick > 0:
        for b in range(p.bands.shape[0]):
            normals(w.state, w.words, w.fresh, rows)
            remember(w.memory, w.fresh, b * columns, columns, np.float32(p.bands[b, 0]), np.float32(p.bands[b, 1]))
    w.middle[:] = 0
    for row in range(w.memory.shape[0]):
        for k in range(LANES):
            w.middle[row % columns, k] += w.memory[row, k]
    normals(w.state, w.words, w.fresh, rows)


@fused
def remember(memory: Small, fresh: Small, first: int, columns: int, keep: np.float32, new: np.float32) -> None:
    """Move one middle band on by a tick."""
    for j in range(columns):
        for k in range(LANES):
            memory[first + j, k] = keep * memory[first + j, k] + new * fresh[j, k]


@fused
def inject(p: Problem, w: Work, tick: int) -> None:
    """Set the noise channels for this tick: draw, add the constant, convert to a code."""
    spare = w.fresh.shape[0] - 1
    sigma = p.board[tick, 0]
    one = w.injected.dtype.type(1)
    half = w.injected.dtype.type(p.half_scale)
    for i in range(w.injected.shape[0]):
        if sigma > 0:
            board_normals(w.state, w.words, w.fresh, spare)
        for k in range(LANES):
            value = p.board[tick, 1 + i]
            if sigma > 0:
                value += sigma * w.fresh[spare, k]
            if half > 0:
                code = min(max(np.floor(half * (one + value)), half - half), half + half - one)
                value = code / half - one
            w.injected[i, k] = value


@fused
def rate(p: Problem, w: Work, x: Reals, row: int) -> None:
    """Write the slope of the state (V/s) for the network output that stands in the workspace."""
    f, g2 = p.table[row, 0], p.table[row, 1]
    for i in range(x.shape[0]):
        of_x = f * p.rates[i, 0] - p.rates[i, 4]
        of_y = g2 * p.rates[i, 1]
        of_n, constant = p.rates[i, 2], p.rates[i, 3]
        for k in range(LANES):
            slope = of_x * x[i, k] + of_y * w.output[i, k] + of_n * w.injected[i, k] + constant
            w.slope[i, k] = slope


@fused
def step(p: Problem, w: Work, tick: int, substep: int) -> None:
    """Take one Runge-Kutta step; the state saturates at the rails."""
    rail, length = p.limits[1], p.timing[1]
    w.total[:] = 0
    for s in range(p.scheme.shape[1]):
        row = tick if p.held else 2 * (tick * p.substeps + substep) + int(p.scheme[2, s])
        reach = p.scheme[0, s] * length
        share = p.scheme[1, s] * length
        for i in range(w.x.shape[0]):
            for k in range(LANES):
                w.stage[i, k] = w.x[i, k] + reach * w.slope[i, k]
        if s > 0 or substep > 0:
            network(p, w, w.stage, row, False)
            rate(p, w, w.stage, row)
        for i in range(w.x.shape[0]):
            for k in range(LANES):
                w.total[i, k] += share * w.slope[i, k]
    for i in range(w.x.shape[0]):
        for k in range(LANES):
            w.x[i, k] = min(max(w.x[i, k] + w.total[i, k], -rail), rail)


@fused
def heat(p: Problem, w: Work) -> None:
    """Add the dissipation of the cells in this tick, from the voltages at its beginning."""
    d, n = len(p.axes), len(p.units)
    for i in range(d + 2 * n):
        layer = 0 if i < d else (1 if i < d + n else 2)
        v = w.x[i] if layer == 0 else (w.hidden1[i - d] if layer == 1 else w.hidden2[i - d - n])
        for k in range(LANES):
            w.heat[layer, k] += p.timing[0] * w.load[i, k] * (v[k] * v[k])


@fused
def record(b: Batch, w: Work, block: int, sample: int) -> None:
    """Copy the signals of the recorded lanes: state, hidden neurons, output, slope."""
    last = b.start.shape[0]
    for k in range(LANES):
        run = block * LANES + k
        if run < last and b.slot[run] >= 0:
            wave = b.waves[b.slot[run], sample]
            place = 0
            for rows in (w.x, w.hidden1, w.hidden2, w.output, w.slope):
                for i in range(rows.shape[0]):
                    wave[place] = rows[i, k]
                    place += 1


@fused
def run_block(p: Problem, b: Batch, block: int, w: Work) -> None:
    """Solve the runs of one block from the first tick to the last."""
    ticks = p.board.shape[0]
    noisy = p.spread.shape[0] > 0 or p.column_noise.max() > 0
    load(p, b, block, w)
    begin(p, w)
    for tick in range(ticks):
        row = tick if p.held else 2 * tick * p.substeps
        age(p, w, tick)
        if noisy:
            shake(p, w, tick)
        inject(p, w, tick)
        network(p, w, w.x, row, noisy)
        rate(p, w, w.x, row)
        if b.heat.shape[0] > 0:
            heat(p, w)
        if b.waves.shape[0] > 0 and tick % b.stride == 0:
            record(b, w, block, tick // b.stride)
        for substep in range(p.substeps):
            step(p, w, tick, substep)
    if b.waves.shape[0] > 0:
        row = p.table.shape[0] - 1
        network(p, w, w.x, row, False)
        rate(p, w, w.x, row)
        record(b, w, block, b.waves.shape[1] - 1)


@fused
def run_blocks(p: Problem, b: Batch, first: int, last: int) -> None:
    """Solve blocks first to last - 1 and store their end states."""
    w = workspace(p)
    for block in range(first, last):
        run_block(p, b, block, w)
        for k in range(LANES):
            run = block * LANES + k
            if run < b.start.shape[0]:
                b.end[run] = w.x[:, k]
                if b.heat.shape[0] > 0:
                    b.heat[run] = w.heat[:, k]
