"""Conduct through the filament of a cell: mildly nonlinear, with a temperature coefficient."""

import math

from sim_backend.compiled import compiled
from sim_backend.constants import Constants, FloatArray


@compiled(inline=True)
def nonlinearity(conductance: float, factor: float, c: Constants) -> float:
    """Return chi (1/V^2) of I = G V (1 + chi min(V^2, Vnl^2)), with chi falling as exp(-G/Gchi).

    Fitted to 1023 HfOx cells, 0 to 0.35 V, of the public NI-RRAM-Python data.
    """
    return c.chi * factor * math.exp(-conductance / c.g_chi)


@compiled(inline=True)
def thermal_factor(conductance: float, c: Constants) -> float:
    """Return G(T)/G(298 K) for a filament of `conductance` (S)."""
    if c.t_delta == 0.0:
        return 1.0
    return 1.0 + c.t_delta * interpolate(conductance, c.tc_conductance, c.tc_per_kelvin)


@compiled()
def interpolate(x: float, xs: FloatArray, ys: FloatArray) -> float:
    """Return y at x, linear between the points, constant beyond them."""
    if x <= xs[0]:
        return float(ys[0])
    for k in range(1, len(xs)):
        if x <= xs[k]:
            share = (x - xs[k - 1]) / (xs[k] - xs[k - 1])
            return float(ys[k - 1] + (ys[k] - ys[k - 1]) * share)
    return float(ys[len(ys) - 1])
