"""Sample the network digitally without a library between the steps: one compiled loop over samples."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from protocols.ledger.digital import Euler

Single = NDArray[np.float32]


def compiled_sample(euler: Euler, start: ArrayLike, seed: int = 0) -> Single:
    """Return the end states (n, d) of Euler steps in machine code from these start states (n, d)."""
    x = np.array(start, dtype=np.float32)
    _machine_code()(x, *euler.layers, euler.embedding, euler.keep, euler.push, _kicks(euler, x.shape, seed))
    return x


def _kicks(euler: Euler, shape: tuple[int, ...], seed: int) -> Single:
    """Return what the noise adds in each step (steps, n, d), without steps where there is none."""
    if not euler.spread.any():
        return np.empty((0, *shape), np.float32)
    drawn = np.random.default_rng(seed).standard_normal((len(euler.spread), *shape), dtype=np.float32)
    return np.asarray(euler.spread[:, None, None] * drawn)


@cache
def _machine_code() -> Any:
    """Return the loop, compiled; fast arithmetic, as the libraries have it."""
    from numba import njit

    return njit(fastmath=True, cache=True)(advance)


def advance(
    x: Single,
    first: Single,
    second: Single,
    third: Single,
    embedding: Single,
    keep: Single,
    push: Single,
    kicks: Single,
) -> None:
    """Take all steps of each sample (n, d) in place, one sample after the other."""
    inputs, width = first.shape
    one, two = np.empty(width, np.float32), np.empty(width, np.float32)
    for i in range(x.shape[0]):
        for k in range(keep.shape[0]):
            one[:] = embedding[k]
            for a in range(inputs):
                for b in range(width):
                    one[b] += x[i, a] * first[a, b]
            two[:] = embedding[k]
            # Without a branch: what a processor guesses right of repeated samples, it does not of fresh ones.
            for a in range(width):
                active = max(one[a], np.float32(0.0))
                for b in range(width):
                    two[b] += active * second[a, b]
            for a in range(inputs):
                out = np.float32(0.0)
                for b in range(width):
                    out += max(two[b], np.float32(0.0)) * third[b, a]
                x[i, a] = keep[k] * x[i, a] + push[k] * out
                if kicks.shape[0] > 0:
                    x[i, a] += kicks[k, i, a]
