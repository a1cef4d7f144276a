"""Hold the numbers that the compiled loop works on; made by `pack`, read by the kernel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[Any]
"""Say an array in the precision of the run, float32 or float64."""
Small = NDArray[np.float32]
"""Say an array that is float32 in both: random numbers."""
Ints = NDArray[np.int64]
Words = NDArray[np.uint32]


class Problem(NamedTuple):
    """Hold a batch, every conductance divided by the unit of its layer.

    Cells are numbered layer by layer, column by column (reference last), input by input; columns likewise.
    Signals are numbered: state, hidden units of layer 1, of layer 2, output. The first axis of weight, gain,
    offset, load, drift and spread is 1 (shared by all runs) or the number of runs; it is 0 in drift and
    spread where there is no drift and no noise.
    """

    layout: Ints  # (3, 5): first cell, inputs, first column, outputs, first input signal of each layer
    floor: Reals  # (3,), V, lowest voltage of a layer's outputs
    ceiling: Reals  # (3,), V, highest
    output: Reals  # rail, gain of the output amplifier
    weight: Reals  # (., cells)
    drift: Reals  # (., cells), per tick
    spread: Reals  # (., cells), variance of one noise band
    gain: Reals  # (., columns), error of the amplifiers
    offset: Reals  # (., columns), V
    load: Reals  # (., inputs of all layers), S
    table: Reals  # (rows, 3 + hidden units): f, g2 (V/V), embedding (V), a zero for what has none
    rates: Reals  # (dimensions, 5): of f, of g2, of noise (1/s), of offsets (V/s), of the leak (1/s)
    timing: Reals  # tick, step (s)
    held: bool
    substeps: int
    scheme: Reals  # (3, stages): reach of the stage, weight of its slope, place of its coefficients (0, 1, 2)
    board: Reals  # (ticks, 1 + dimensions): deviation and constants of the noise channels, normalised
    half_scale: float  # codes of half the scale of a converter, 0 for an ideal one
    bands: Reals  # (bands, 2): memory and innovation of the middle bands
    white: Reals  # white deviation relative to a band, deviation of a frozen weight relative to a band
    column_noise: Reals  # (columns,), V, white, from the amplifiers
    telegraph_cells: Ints
    telegraph: Reals  # (fluctuators, 2): amplitude, chance to flip in a tick


class Batch(NamedTuple):
    """Hold what goes in and comes out, run by run."""

    start: Reals  # (runs, dimensions), V
    seeds: Words  # (runs, 4)
    slot: Ints  # (runs,) place in waves, or -1
    stride: int
    end: Reals  # (runs, dimensions), V
    waves: Reals  # (recorded runs, times, signals and slopes), V and V/s
    heat: Reals  # (runs, layers), J


class Work(NamedTuple):
    """Hold the state of one block of lanes; every array is (rows, LANES)."""

    weight: Reals
    drift: Reals
    spread: Reals
    gain: Reals
    offset: Reals
    load: Reals
    x: Reals
    signal: Reals
    slope: Reals
    total: Reals
    pre: Reals
    noise: Reals  # V, of each column, held for a tick
    injected: Reals  # normalised, of each noise channel
    heat: Reals
    memory: Small  # middle bands, one row per band and column
    middle: Small  # sum of the middle bands of each column
    fresh: Small  # normals of this tick
    level: Small  # telegraph states, +-1/2
    state: Words
    words: Words
