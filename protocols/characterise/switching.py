"""Find where a cell switches in a quasi-static I-V."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LEAST_VOLTAGE, LEAST_CONDUCTANCE = 0.1, 1e-9
"""Below this voltage (V) I/V is mostly noise; below this conductance (S) it is all noise."""
# Of the parabola through five points in a row: slope per step, and value, in the middle (Savitzky 1964).
_SLOPE = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) / 10.0
_VALUE = np.array([-3.0, 12.0, 17.0, 12.0, -3.0]) / 35.0


def outgoing(voltage: FloatArray) -> slice:
    """Return the part of a sweep from 0 V to its largest voltage, either way."""
    return slice(0, int(np.nanargmax(np.abs(voltage))) + 1)


def returning(voltage: FloatArray) -> slice:
    """Return the part of a sweep from its largest voltage back to 0 V."""
    last = np.flatnonzero(np.abs(voltage) >= np.nanmax(np.abs(voltage)) * (1 - 1e-9))[-1]
    return slice(int(last), len(voltage))


def steepest_rise(voltage: FloatArray, current: FloatArray) -> float:
    """Return the voltage (V) at which ln(I/V) rises most per step of an outgoing branch; NaN if nowhere.

    The slope is that of a parabola through five points; its maximum is interpolated by a parabola through
    three. I/V instead of I, so that the rise of an ohmic current at small voltages does not count.
    """
    used = np.abs(voltage) >= LEAST_VOLTAGE
    v, conductance = voltage[used], current[used] / voltage[used]
    rise = _running(np.log(np.maximum(conductance, LEAST_CONDUCTANCE)), _SLOPE)
    return _at_maximum(rise, v[2:-2]) if rise.size and rise.max() > 0 else float("nan")


def current_maximum(voltage: FloatArray, current: FloatArray) -> tuple[float, float]:
    """Return the voltage (V) and the current (A) at the largest current of an outgoing branch.

    NaN where the largest lies at the end, so that nothing was RESET. The branch is smoothed by a parabola
    through five points, the maximum interpolated by one through three.
    """
    size = _running(np.abs(current), _VALUE)
    if size.size < 3 or not 0 < int(size.argmax()) < size.size - 1:
        return float("nan"), float("nan")
    sign = float(np.sign(current[int(np.abs(current).argmax())]))
    return _at_maximum(size, voltage[2:-2]), sign * float(size.max())


def chord(voltage: FloatArray, current: FloatArray, at: float) -> float:
    """Return the conductance I/V (S) of a branch at a voltage (V), interpolated; NaN beyond the branch."""
    order = np.argsort(voltage)
    if not voltage.size or not voltage[order[0]] <= at <= voltage[order[-1]]:
        return float("nan")
    return float(np.interp(at, voltage[order], current[order])) / at


def _running(values: FloatArray, kernel: FloatArray) -> FloatArray:
    if values.size < kernel.size:
        return np.zeros(0)
    return np.asarray(np.correlate(values, kernel, mode="valid"))


def _at_maximum(values: FloatArray, places: FloatArray) -> float:
    """Return the place of the largest value, by a parabola through it and its neighbours."""
    k = int(values.argmax())
    if not 0 < k < values.size - 1:
        return float(places[k])
    left, top, right = values[k - 1 : k + 2]
    bend = left - 2.0 * top + right
    shift = 0.0 if bend == 0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))
    return float(np.interp(k + shift, np.arange(places.size), places))
