"""Figures by which a distribution is judged."""

import numpy as np
from numpy.typing import NDArray

from sim_backend.fit.experiment import Figure

FloatArray = NDArray[np.float64]


def spread(values: FloatArray) -> float:
    """Return half the distance between the 16 % and the 84 % quantile: one sigma, whatever the tails."""
    low, high = np.quantile(values, [0.15866, 0.84134])
    return float(0.5 * (high - low))


def median(values: FloatArray) -> float:
    """Return the median."""
    return float(np.median(values))


def deviation(values: FloatArray) -> float:
    """Return the standard deviation, tails and all."""
    return float(np.std(values))


def beyond(bound: float) -> Figure:
    """Return the figure 'share of values farther from zero than `bound`'."""
    return lambda values: float(np.mean(np.abs(values) > bound))


def of_exponential(figure: Figure) -> Figure:
    """Return the figure of exp(values), for values that are logarithms."""
    return lambda values: figure(np.exp(values))
