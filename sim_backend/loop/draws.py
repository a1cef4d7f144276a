"""Draw what is random in a block of runs: at the beginning, and from tick to tick."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim_backend.loop.fused import fused
from sim_backend.loop.gaussian import LANES, board_normals, normals, uniforms
from sim_backend.loop.problem import Ints, Reals, Small, Words


@fused
def freeze(weight: Reals, spread: Reals, deviation: Any, state: Words, words: Words, fresh: Small) -> None:
    """Give each weight the deviation of the slow bands, which stays for the run."""
    rows = fresh.shape[0] - 1
    for cell in range(spread.shape[0]):
        if cell % rows == 0:
            normals(state, words, fresh, rows)
        for k in range(LANES):
            weight[cell, k] += deviation * np.sqrt(spread[cell, k]) * fresh[cell % rows, k]


@fused
def remember(
    bands: Reals, begin: bool, memory: Small, middle: Small, state: Words, words: Words, fresh: Small
) -> None:
    """Move the middle bands on by a tick, or draw their stationary beginning, and add them up per column."""
    columns = middle.shape[0]
    for j in range(columns):
        for k in range(LANES):
            middle[j, k] = 0
    for b in range(bands.shape[0]):
        normals(state, words, fresh, columns + columns % 2)
        keep = np.float32(0) if begin else np.float32(bands[b, 0])
        new = np.float32(1) if begin else np.float32(bands[b, 1])
        for j in range(columns):
            row = b * columns + j
            for k in range(LANES):
                value = keep * memory[row, k] + new * fresh[j, k]
                memory[row, k] = value
                middle[j, k] += value


@fused
def flip(
    begin: bool,
    cells: Ints,
    rows: Reals,
    level: Small,
    weight: Reals,
    state: Words,
    words: Words,
    fresh: Small,
) -> None:
    """Move the telegraph states on by a tick, or draw them, and the weights with them."""
    half = np.float32(0.5)
    spare = fresh.shape[0] - 1
    for q in range(cells.size):
        uniforms(state, words, fresh, spare)
        chance = half if begin else np.float32(rows[q, 1])
        amplitude, cell = rows[q, 0], cells[q]
        for k in range(LANES):
            before = level[q, k]
            same = half if begin else before
            after = -same if fresh[spare, k] < chance else same
            level[q, k] = after
            weight[cell, k] += amplitude * (after - before)


@fused
def inject(
    board: Reals, tick: int, half: float, out: Reals, state: Words, words: Words, fresh: Small
) -> None:
    """Set the noise channels for this tick: draw, add the constant, convert to a code."""
    spare = fresh.shape[0] - 1
    sigma = board[tick, 0]
    scale = board.dtype.type(half)
    one = board.dtype.type(1)
    for i in range(out.shape[0]):
        if sigma > 0:
            board_normals(state, words, fresh, spare)
        constant = board[tick, 1 + i]
        for k in range(LANES):
            out[i, k] = constant + sigma * fresh[spare, k] if sigma > 0 else constant
        if half > 0:
            for k in range(LANES):
                code = np.floor(scale * (one + out[i, k]))
                out[i, k] = min(max(code, scale - scale), scale + scale - one) / scale - one
