"""Advance blocks of runs from tick to tick: draw the noise, take the steps, record what was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim_backend.loop.draws import flip, freeze, inject, remember
from sim_backend.loop.fused import fused
from sim_backend.loop.gaussian import LANES, normals
from sim_backend.loop.network import network
from sim_backend.loop.problem import Batch, Ints, Problem, Reals, Small, Words, Work


@fused
def reals(rows: int, like: Reals) -> Reals:
    """Return zeros (rows, LANES) in the precision of another array."""
    return np.zeros((rows, LANES), like.dtype)


@fused
def small(rows: int) -> Small:
    """Return zeros (rows, LANES) in float32."""
    return np.zeros((rows, LANES), np.float32)


@fused
def words(rows: int) -> Words:
    """Return zero words (rows, LANES)."""
    return np.zeros((rows, LANES), np.uint32)


@fused
def workspace(p: Problem) -> Work:
    """Return the empty state of a block."""
    like, columns, d = p.weight, p.gain.shape[1], p.rates.shape[0]
    cells = p.weight.shape[1]
    signals = p.layout[2, 4] + p.layout[2, 1] + d
    return Work(
        weight=reals(cells, like),
        drift=reals(cells * min(p.drift.shape[0], 1), like),
        spread=reals(cells * min(p.spread.shape[0], 1), like),
        gain=reals(columns, like),
        offset=reals(columns, like),
        load=reals(p.load.shape[1], like),
        x=reals(d, like),
        signal=reals(signals, like),
        slope=reals(d, like),
        total=reals(d, like),
        pre=reals(columns, like),
        noise=reals(columns, like),
        injected=reals(d, like),
        heat=reals(3, like),
        memory=small(p.bands.shape[0] * columns),
        middle=small(columns),
        fresh=small(columns + columns % 2 + 1),
        level=small(p.telegraph_cells.size),
        state=words(4),
        words=words(2),
    )


@fused
def fill(shared: Any, block: int, last: int, out: Any) -> None:
    """Copy the numbers of each run, or those that all share, into its lane; past the last run repeat it."""
    if shared.shape[0] > 0:
        for k in range(LANES):
            run = min(block * LANES + k, last) if shared.shape[0] > 1 else 0
            for c in range(out.shape[0]):
                out[c, k] = shared[run, c]


@fused
def clear(out: Any) -> None:
    """Set all rows to zero."""
    for row in range(out.shape[0]):
        for k in range(LANES):
            out[row, k] = 0


@fused
def drain(rows: Reals, block: int, out: Reals) -> None:
    """Copy the lanes into the rows of their runs."""
    for k in range(LANES):
        run = block * LANES + k
        if run < out.shape[0]:
            for c in range(rows.shape[0]):
                out[run, c] = rows[c, k]


@fused
def add(rows: Reals, factor: Any, out: Reals) -> None:
    """Add `factor` times the rows to the first rows of out."""
    for c in range(rows.shape[0]):
        for k in range(LANES):
            out[c, k] += factor * rows[c, k]


@fused
def load(p: Problem, b: Batch, block: int, w: Work) -> None:
    """Set the lanes of a block to the start of their runs and draw what stays for the run."""
    last = b.start.shape[0] - 1
    fill(p.weight, block, last, w.weight)
    fill(p.drift, block, last, w.drift)
    fill(p.spread, block, last, w.spread)
    fill(p.gain, block, last, w.gain)
    fill(p.offset, block, last, w.offset)
    fill(p.load, block, last, w.load)
    fill(b.start, block, last, w.x)
    fill(b.seeds, block, last, w.state)
    clear(w.heat)
    clear(w.noise)
    clear(w.level)
    if p.white[1] > 0:
        freeze(w.weight, w.spread, p.white[1], w.state, w.words, w.fresh)
    add(w.drift, p.timing.dtype.type(-0.5), w.weight)  # each tick adds 1: its middle


@fused
def change(p: Problem, w: Work, tick: int) -> None:
    """Move on to this tick all that changes between ticks and is held within."""
    begin = tick == 0
    add(w.drift, p.timing.dtype.type(1), w.weight)
    flip(begin, p.telegraph_cells, p.telegraph, w.level, w.weight, w.state, w.words, w.fresh)
    if p.spread.shape[0] > 0 or p.column_noise[0] > 0:
        remember(p.bands, begin, w.memory, w.middle, w.state, w.words, w.fresh)
        columns = w.middle.shape[0]
        normals(w.state, w.words, w.fresh, columns + columns % 2)
    inject(p.board, tick, p.half_scale, w.injected, w.state, w.words, w.fresh)


@fused
def rate(rates: Reals, row: Reals, signal: Reals, injected: Reals, slope: Reals) -> None:
    """Write the slope of the state (V/s) for the state and the output that stand in the signals."""
    d = slope.shape[0]
    first = signal.shape[0] - d
    for i in range(d):
        of_x = row[0] * rates[i, 0] - rates[i, 4]
        of_y = row[1] * rates[i, 1]
        of_n, constant = rates[i, 2], rates[i, 3]
        for k in range(LANES):
            rest = of_n * injected[i, k] + constant
            slope[i, k] = of_x * signal[i, k] + of_y * signal[first + i, k] + rest


@fused
def reach(x: Reals, slope: Reals, length: Any, rail: Any, out: Reals) -> None:
    """Write x + length * slope, held between the rails, into the first rows of out."""
    for i in range(x.shape[0]):
        for k in range(LANES):
            out[i, k] = min(max(x[i, k] + length * slope[i, k], -rail), rail)


@fused
def warm(layout: Ints, load: Reals, signal: Reals, tick: Any, heat: Reals) -> None:
    """Add the dissipation of the cells in this tick, from the voltages at its beginning."""
    for layer in range(3):
        for i in range(layout[layer, 4], layout[layer, 4] + layout[layer, 1]):
            for k in range(LANES):
                heat[layer, k] += tick * load[i, k] * (signal[i, k] * signal[i, k])


@fused
def record(b: Batch, w: Work, block: int, sample: int) -> None:
    """Copy signals and slopes of the recorded lanes."""
    signals = w.signal.shape[0]
    for k in range(LANES):
        run = block * LANES + k
        slot = b.slot[run] if run < b.start.shape[0] else -1
        if slot >= 0:
            for c in range(signals):
                b.waves[slot, sample, c] = w.signal[c, k]
            for c in range(w.slope.shape[0]):
                b.waves[slot, sample, signals + c] = w.slope[c, k]


@fused
def advance(p: Problem, b: Batch, block: int, tick: int, noisy: bool, w: Work) -> None:
    """Take the steps of a tick; the one after the last tick only records."""
    last = tick == p.board.shape[0]
    rail, stages = p.output[0], p.scheme.shape[1]
    for stage in range(p.substeps * stages):
        s = stage % stages
        place = tick if p.held else 2 * (tick * p.substeps + stage // stages) + int(p.scheme[2, s])
        row = min(place, p.table.shape[0] - 1)
        reach(w.x, w.slope, p.scheme[0, s] * p.timing[1], rail, w.signal)
        network(p, w, row, noisy and stage == 0 and not last)
        rate(p.rates, p.table[row], w.signal, w.injected, w.slope)
        if stage == 0:
            if b.waves.shape[0] > 0 and (last or tick % b.stride == 0):
                record(b, w, block, b.waves.shape[1] - 1 if last else tick // b.stride)
            if last:
                return
            warm(p.layout, w.load, w.signal, p.timing[0], w.heat)
        if s == 0:
            clear(w.total)
        add(w.slope, p.scheme[1, s], w.total)
        if s == stages - 1:
            reach(w.x, w.total, p.timing[1], rail, w.x)


@fused
def run_blocks(p: Problem, b: Batch, first: int, last: int) -> None:
    """Solve the runs of blocks first to last - 1 and store their end states."""
    w = workspace(p)
    noisy = p.spread.shape[0] > 0 or p.column_noise[0] > 0
    for block in range(first, last):
        load(p, b, block, w)
        for tick in range(p.board.shape[0] + 1):
            if tick < p.board.shape[0]:
                change(p, w, tick)
            advance(p, b, block, tick, noisy, w)
        drain(w.x, block, b.end)
        drain(w.heat, block, b.heat)
