"""Choose among the scales and depths that an oscilloscope has."""

from bisect import bisect_left

from rramlab.errors import InputError


def stepped(value: float, steps: tuple[int, ...]) -> float:
    """Return the smallest number of the form step 10^n, n whole, that is not below a value."""
    exponent = -15
    while steps[-1] * 10.0**exponent < value * (1 - 1e-9):
        exponent += 1
    mantissa = steps[bisect_left(steps, value / 10.0**exponent * (1 - 1e-9))]
    return float(f"{mantissa}e{exponent}")


def deep_enough(points: int, depths: tuple[int, ...]) -> int:
    """Return the smallest depth that holds so many points."""
    if points > depths[-1]:
        raise InputError(f"{points} points were asked for; this instrument keeps up to {depths[-1]}")
    return depths[bisect_left(depths, points)]
