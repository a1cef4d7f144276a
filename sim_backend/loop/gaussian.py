"""Draw random numbers in lanes: each lane has a generator of its own, and one instruction serves many lanes.

The generator is xoshiro128++ (Blackman and Vigna, ACM TOMS 47:36, 2021): 128 bits of state per lane, seeded
by the caller's numpy Generator. Normals come by the method of Box and Muller in float32 with polynomials for
the logarithm, the sine and the cosine (own least-squares fits on Chebyshev nodes, relative error
< 2e-7). The largest value is 6.66.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim_backend.loop.fused import fused

LANES = 64
"""Count the runs that are advanced together: four vector registers of the widest kind."""

Words = NDArray[np.uint32]
Lanes = NDArray[np.float32]


def seeds(rng: np.random.Generator, runs: int) -> Words:
    """Draw the generator state of each run (runs, 4); the first runs of a larger batch get the same state."""
    state = rng.integers(0, 2**32, size=(runs, 4), dtype=np.uint32)
    state[:, 0] |= np.uint32(1)  # the all-zero state is the one that never moves
    return state


@fused
def random_words(state: Words, words: Words) -> None:
    """Draw one 32-bit word in each lane: state (4, LANES) moves on, words (LANES,)."""
    for k in range(LANES):
        s0, s1, s2, s3 = state[0, k], state[1, k], state[2, k], state[3, k]
        x = np.uint32(s0 + s3)
        x = np.uint32(np.uint32(x << np.uint32(7)) | np.uint32(x >> np.uint32(25)))
        words[k] = np.uint32(x + s0)
        shifted = np.uint32(s1 << np.uint32(9))
        s2 = np.uint32(s2 ^ s0)
        s3 = np.uint32(s3 ^ s1)
        state[1, k] = np.uint32(s1 ^ s2)
        state[0, k] = np.uint32(s0 ^ s3)
        state[2, k] = np.uint32(s2 ^ shifted)
        state[3, k] = np.uint32(np.uint32(s3 << np.uint32(11)) | np.uint32(s3 >> np.uint32(21)))


@fused
def logarithm(x: np.float32) -> np.float32:
    """Return ln(x) of a positive normal float32."""
    # Split at sqrt(1/2), so that ln(1) is exactly 0.
    split = np.int32(np.float32(x).view(np.int32) - np.int32(0x3F3504F3))
    exponent = np.float32(np.int32(split >> np.int32(23)))
    f = np.int32(np.int32(split & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3)).view(np.float32)
    f = np.float32(f - np.float32(1.0))
    p = np.float32(-0.10134056748650865) * f + np.float32(0.1623418979805083)
    p = p * f + np.float32(-0.17247013304131562)
    p = p * f + np.float32(0.1989856504840143)
    p = p * f + np.float32(-0.24970071685051365)
    p = p * f + np.float32(0.33335114140341393)
    p = p * f + np.float32(-0.5000036309272988)
    p = p * f + np.float32(0.9999999425426717)
    return np.float32(p * f + exponent * np.float32(0.6931471805599453))


@fused
def sine(x: np.float32) -> np.float32:
    """Return sin(x) for |x| <= pi/4."""
    z = np.float32(x * x)
    p = np.float32(-0.00019503963123900615) * z + np.float32(0.00833203633042519)
    p = p * z + np.float32(-0.16666650686603193)
    return np.float32(x * (p * z + np.float32(0.9999999969220262)))


@fused
def cosine(x: np.float32) -> np.float32:
    """Return cos(x) for |x| <= pi/4."""
    z = np.float32(x * x)
    p = np.float32(-0.001358584388776005) * z + np.float32(0.04165502090544318)
    p = p * z + np.float32(-0.4999985655756855)
    return np.float32(p * z + np.float32(0.9999999723759496))


@fused
def normals(state: Words, words: Words, out: Lanes, rows: int) -> None:
    """Draw `rows` (even) standard normals in each lane into out (rows or more, LANES); words is (2, LANES).

    The second word gives an angle within a quarter turn, a swap and two signs: a point of the circle.
    """
    for row in range(0, rows, 2):
        random_words(state, words[0])
        random_words(state, words[1])
        for k in range(LANES):
            u = (np.float32(np.int32(words[0, k] >> np.uint32(1))) + np.float32(0.5)) * np.float32(2.0**-31)
            radius = np.sqrt(np.float32(-2.0) * logarithm(np.float32(u)))
            turn = np.int32(words[1, k])
            angle = np.float32(np.int32((turn & np.int32(0x1FFFFFFF)) - np.int32(0x10000000)))
            angle = np.float32(angle * np.float32(np.pi / 2**30))
            one = radius * cosine(angle)
            two = radius * sine(angle)
            one = -one if turn & np.int32(0x20000000) else one
            swap = turn & np.int32(0x40000000)
            out[row, k] = two if swap else one
            out[row + 1, k] = one if swap else two


@fused
def board_normals(state: Words, words: Words, out: Lanes, row: int) -> None:
    """Draw one number per lane as the controller board does: a sum of twelve 13-bit uniforms, less 6.

    Mean 12/16384, standard deviation 1, never outside (-6, 6]: the generator of the published firmware.
    """
    for k in range(LANES):
        out[row, k] = np.float32(12.0 / 8192.0 - 6.0)
    for _ in range(6):
        random_words(state, words[0])
        for k in range(LANES):
            low = np.int32(words[0, k] & np.uint32(8191))
            high = np.int32(np.uint32(words[0, k] >> np.uint32(16)) & np.uint32(8191))
            out[row, k] += np.float32(low + high) * np.float32(1.0 / 8192.0)


@fused
def uniforms(state: Words, words: Words, out: Lanes, row: int) -> None:
    """Draw one number of [0, 1) per lane into a row of out."""
    random_words(state, words[0])
    for k in range(LANES):
        out[row, k] = np.float32(np.int32(words[0, k] >> np.uint32(8))) * np.float32(2.0**-24)


@fused
def whole_block(state: Words, out: Lanes, kind: int) -> None:
    """Fill out (rows, LANES) with normals (kind 0, even rows), board normals (1) or uniforms (2)."""
    words = np.empty((2, LANES), np.uint32)
    if kind == 0:
        normals(state, words, out, out.shape[0])
    else:
        for row in range(out.shape[0]):
            if kind == 1:
                board_normals(state, words, out, row)
            else:
                uniforms(state, words, out, row)
