"""Find the factor on the drive with which end states of the loop agree best with digital solutions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import CalibrationError

FloatArray = NDArray[np.float64]

STRENGTHS = np.linspace(0.85, 1.15, 1201)
"""Strengths of the drive, of that of the network, that are looked at."""
TIGHT = 1.5
"""Deviations, in medians, beyond which a run counts by its distance and not by its square: a start near the
border between two ends of the flow says little about the strength."""
BOOTSTRAPS = 400


def agreed(
    factors: FloatArray, end: FloatArray, digital_factors: Sequence[float], digital: FloatArray
) -> float:
    """Return how strong the drive of the loop is, of that of the network (1: right).

    `end` (factors, runs, 2) are end states of the loop, `digital` those of the network for its own factors: a
    loop of strength q that is driven by f times as much ends where the network ends with f q.
    """
    course = curves(np.asarray(digital_factors), digital)
    scale = np.median(lengths(end - at(course, factors)))
    costs = [cost(lengths(end - at(course, factors * q)), scale) for q in STRENGTHS]
    best = int(np.argmin(costs))
    if not 0 < best < len(STRENGTHS) - 1:
        raise CalibrationError(
            f"the loop does not do what the network does at any strength from {STRENGTHS[0]:g} to "
            f"{STRENGTHS[-1]:g} of it; calibrate 'loop' anew, and look whether the network is well programmed"
        )
    left, middle, right = costs[best - 1 : best + 2]
    step = float(STRENGTHS[1] - STRENGTHS[0])
    return float(STRENGTHS[best] + 0.5 * step * (left - right) / max(left - 2.0 * middle + right, 1e-30))


def curves(factors: FloatArray, values: FloatArray) -> FloatArray:
    """Return the coefficients (4, runs, 2) of cubics through values (factors, runs, 2)."""
    powers = np.vander(factors - 1.0, 4, increasing=True)
    flat, *_ = np.linalg.lstsq(powers, values.reshape(len(factors), -1), rcond=None)
    return np.asarray(flat.reshape(4, *values.shape[1:]))


def at(course: FloatArray, factors: FloatArray) -> FloatArray:
    """Return the values (factors, runs, 2) of cubics at factors."""
    return np.asarray(np.einsum("fk,krd->frd", np.vander(factors - 1.0, 4, increasing=True), course))


def lengths(values: FloatArray) -> FloatArray:
    """Return the lengths of vectors (..., 2)."""
    return np.asarray(np.linalg.norm(values, axis=-1))


def cost(distances: FloatArray, scale: float) -> float:
    """Return the sum of squares of distances, of those far out linear (Huber)."""
    u = distances / (TIGHT * max(scale, 1e-12))
    return float(np.where(u < 1.0, u**2, 2.0 * u - 1.0).sum())


def distance(a: FloatArray, b: FloatArray) -> float:
    """Return the root mean square distance between points (..., 2)."""
    return float(np.sqrt(np.mean(lengths(a - b) ** 2)))


def noise_ratio(radii: FloatArray, factors: Sequence[float], digital: FloatArray) -> tuple[float, float]:
    """Return the drive over the noise, of what the network asks for, and its standard uncertainty.

    `radii` (runs) are distances from the origin at which the loop's stochastic runs ended, `digital`
    (factors, runs) those of the network: their mean and spread tell the ratio, the drive pulling together
    what the noise spreads. The uncertainty is from resampled runs.
    """
    rng = np.random.default_rng(0)
    drawn = np.array([figures(rng.choice(radii, len(radii))) for _ in range(BOOTSTRAPS)])
    weight = np.linalg.inv(np.cov(drawn.T))
    told = np.array([figures(one) for one in digital])
    course = np.polynomial.polynomial.polyfit(np.asarray(factors) - 1.0, told, 2)
    grid = np.linspace(min(factors), max(factors), 601)
    expected = np.vander(grid - 1.0, 3, increasing=True) @ course

    def nearest(seen: FloatArray) -> float:
        apart = expected - seen
        return float(grid[np.argmin(np.einsum("gi,ij,gj->g", apart, weight, apart))])

    return nearest(figures(radii)), float(np.std([nearest(one) for one in drawn]))


def figures(radii: FloatArray) -> FloatArray:
    """Return mean and spread of radii, the spread from the middle half: few runs end elsewhere."""
    low, high = np.quantile(radii, (0.16, 0.84))
    return np.array([np.mean(radii), 0.5 * (high - low)])
