"""Choose the vectors whose products tell gain, offset and curvature of the columns apart from their lines."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEVELS = (1.0, -1.0, 0.5, -0.5)
"""Voltages of a product, of the largest: each cell is read at just these as well."""
REST, HALVES, MIXED = 8, 8, 8
"""Products of nothing, of a random half of the rows and of its complement, of both signs at once."""
PAIRS = 4
"""How often all of them are played forwards and backwards in one call."""
_SEED = 20
"""The halves are the same for all benches of a size: any will do."""


def patterns(rows: int) -> FloatArray:
    """Return row voltages, of the largest (vectors x rows): each is 0 or one of the levels.

    Nothing; each row alone, which tells all about lines of an array that is nearly linear; growing blocks
    from either end and random halves with their complements, whose large currents tell gain and curvature
    of the converters; both signs at once.
    """
    rng = np.random.default_rng([_SEED, rows])
    sets = np.concatenate([np.eye(rows, dtype=bool), _blocks(rows), _halves(rows, rng)])
    plain = np.concatenate([level * sets for level in LEVELS])
    signs = np.where(rng.random((MIXED, rows)) < 0.5, -1.0, 1.0)
    mixed = [scale * signs for scale in (1.0, 0.5)]
    return np.concatenate([np.zeros((REST, rows)), plain, *mixed])


def alone(vectors: int, rows: int) -> NDArray[np.int64]:
    """Return which of so many vectors drive one row alone (levels x rows)."""
    sets = (vectors - REST - 2 * MIXED) // len(LEVELS)
    return np.asarray(REST + sets * np.arange(len(LEVELS))[:, None] + np.arange(rows), dtype=np.int64)


def played(wanted: FloatArray) -> FloatArray:
    """Return the vectors in the order in which they are played: all, all again backwards, and so on.

    What drifts cancels in the mean of each pair, and their difference is the noise of a single product.
    """
    return np.concatenate([wanted, wanted[::-1]] * PAIRS)


def folded(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean of all playings of each vector and the variance of that mean (..., vectors, n)."""
    pairs = values.reshape(*values.shape[:-2], PAIRS, 2, -1, values.shape[-1])
    there, back = pairs[..., 0, :, :], pairs[..., 1, ::-1, :]
    mean = 0.5 * (there + back).mean(axis=-3)
    return mean, np.mean((there - back) ** 2, axis=-3) / (4.0 * PAIRS)


def _blocks(rows: int) -> BoolArray:
    sizes = [int(n) for n in 2 ** np.arange(1, rows.bit_length()) if n < rows]
    near = [np.arange(rows) < n for n in sizes]
    far = [np.arange(rows) >= rows - n for n in sizes]
    return np.array([*near, *far, np.ones(rows, dtype=bool)])


def _halves(rows: int, rng: np.random.Generator) -> BoolArray:
    picked = [rng.permutation(rows) < rows // 2 for _ in range(HALVES // 2)]
    return np.array([*picked, *(~half for half in picked)])
