"""Sum over the inputs of a layer in lanes.

A loop whose length the compiler knows stays in registers and runs three times as fast; the sizes of the
published network, 2 and 14 inputs, are therefore compiled apart.
"""

from __future__ import annotations

from collections.abc import Callable

from sim_backend.loop.fused import fused
from sim_backend.loop.gaussian import LANES
from sim_backend.loop.problem import Reals

Sum = Callable[[Reals, int, int, Reals, int, Reals], None]


def sum_of(inputs: int) -> Sum:
    """Return the compiled sum_i V_i w_ij over this number of inputs."""

    @fused
    def linear(weight: Reals, cell: int, columns: int, v: Reals, at: int, out: Reals) -> None:
        for j in range(columns):
            first = cell + j * inputs
            for k in range(LANES):
                charge = weight[first, k] * v[at, k]
                for i in range(1, inputs):
                    charge += weight[first + i, k] * v[at + i, k]
                out[j, k] = charge

    return linear


def square_of(inputs: int) -> Sum:
    """Return the compiled sum_i V_i^2 w_ij over this number of inputs."""

    @fused
    def quadratic(weight: Reals, cell: int, columns: int, v: Reals, at: int, out: Reals) -> None:
        for j in range(columns):
            first = cell + j * inputs
            for k in range(LANES):
                power = weight[first, k] * (v[at, k] * v[at, k])
                for i in range(1, inputs):
                    power += weight[first + i, k] * (v[at + i, k] * v[at + i, k])
                out[j, k] = power

    return quadratic


sum_of_2, sum_of_14 = sum_of(2), sum_of(14)
square_of_2, square_of_14 = square_of(2), square_of(14)


@fused
def project(weight: Reals, cell: int, inputs: int, columns: int, v: Reals, at: int, out: Reals) -> None:
    """Write sum_i V_i w_ij of each column into the rows of out; the inputs stand in v from row `at` on."""
    if inputs == 2:
        sum_of_2(weight, cell, columns, v, at, out)
    elif inputs == 14:
        sum_of_14(weight, cell, columns, v, at, out)
    else:
        for j in range(columns):
            for k in range(LANES):
                out[j, k] = 0
            for i in range(inputs):
                for k in range(LANES):
                    out[j, k] += weight[cell + j * inputs + i, k] * v[at + i, k]


@fused
def power(spread: Reals, cell: int, inputs: int, columns: int, v: Reals, at: int, out: Reals) -> None:
    """Write sum_i V_i^2 s_ij^2 of each column into the rows of out."""
    if inputs == 2:
        square_of_2(spread, cell, columns, v, at, out)
    elif inputs == 14:
        square_of_14(spread, cell, columns, v, at, out)
    else:
        for j in range(columns):
            for k in range(LANES):
                out[j, k] = 0
            for i in range(inputs):
                for k in range(LANES):
                    out[j, k] += spread[cell + j * inputs + i, k] * (v[at + i, k] * v[at + i, k])
