"""Figures of ageing cells: means and spreads over log time, their fits, and what they say of ten years."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MICRO = 1e6


@final
@dataclass(frozen=True, eq=False)
class StateCurve:
    """Hold one state over time (s): mean and sigma (S) with uncertainties, NaN in gaps, and its fits.

    `drift` (S) and `broadening` (S^2) are per decade, `mean_far` and `sigma_far` (S) the values at `far` (s),
    `interval` (S, S) is that of the mean there.
    """

    name: str
    time: FloatArray
    mean: FloatArray
    mean_doubt: FloatArray
    sigma: FloatArray
    sigma_doubt: FloatArray
    drift: float
    mean_far: float
    broadening: float
    sigma_far: float
    interval: tuple[float, float]
    far: float

    def mean_at(self, time: FloatArray) -> FloatArray:
        """Return the fitted mean (S) at times (s)."""
        return np.asarray(self.mean_far + self.drift * np.log10(time / self.far))

    def sigma_at(self, time: FloatArray) -> FloatArray:
        """Return the fitted sigma (S) at times (s)."""
        return np.sqrt(np.maximum(self.sigma_far**2 + self.broadening * np.log10(time / self.far), 0.0))


def retention_curves(curves: Sequence[StateCurve], gaps: FloatArray | None = None) -> Figure:
    """Draw the mean of each state, its change since the first read, and its sigma, over log time (s).

    `gaps` (s) are the times of reads that could not be taken.
    """
    figure = style.blank(style.DOUBLE, 70.0)
    left, middle, right = figure.subplots(1, 3)
    style.dress(left, "Time (s)", "Conductance (µS)", "", "a")
    style.dress(middle, "Time (s)", "Change of the mean (µS)", "", "b")
    style.dress(right, "Time (s)", "σ of the cells (µS)", "", "c")
    for i, curve in enumerate(curves):
        colour = style.CYCLE[i % len(style.CYCLE)]
        _band(left, curve, colour)
        _change(middle, curve, colour)
        _points(right, curve, curve.sigma, curve.sigma_doubt, curve.sigma_at, colour)
    for axes in (left, middle, right):
        _log_time(axes, gaps)
    style.legend(right, beside=True)
    return figure


def extrapolated(curves: Sequence[StateCurve], far: float) -> Figure:
    """Draw mean and sigma of each state on to a far time (s), with the interval of the mean there."""
    figure = style.blank(120.0, 75.0)
    axes = style.dress(figure.subplots(), "Time (s)", "Conductance (µS)")
    for i, curve in enumerate(curves):
        colour = style.CYCLE[i % len(style.CYCLE)]
        known = np.isfinite(curve.mean)
        axes.plot(
            curve.time[known], MICRO * curve.mean[known], ".", color=colour, markersize=3, label=curve.name
        )
        if np.isfinite(curve.mean_far) and known.any():
            _onwards(axes, curve, colour, far)
    _log_time(axes, None)
    axes.axvline(far, color=style.GREY, linewidth=0.6, linestyle=":")
    look: dict[str, Any] = {"fontproperties": style.font(style.SMALL), "ha": "center", "va": "bottom"}
    axes.annotate("10 years", (far, 1.0), xycoords=("data", "axes fraction"), **look)  # above all curves
    style.legend(axes, beside=True)
    return figure


def _band(axes: Axes, curve: StateCurve, colour: str) -> None:
    """Draw the mean and one sigma about it; the line breaks in gaps."""
    time, mean, sigma = curve.time, MICRO * curve.mean, MICRO * curve.sigma
    axes.fill_between(time, mean - sigma, mean + sigma, color=colour, alpha=0.25, linewidth=0)
    axes.plot(time, mean, color=colour, linewidth=0.9)


def _change(axes: Axes, curve: StateCurve, colour: str) -> None:
    known = np.flatnonzero(np.isfinite(curve.mean))
    if known.size:
        first = (
            curve.mean_at(curve.time[known[:1]])[0] if np.isfinite(curve.mean_far) else curve.mean[known[0]]
        )
        _points(axes, curve, curve.mean - first, None, lambda t: curve.mean_at(t) - first, colour)


def _points(
    axes: Axes,
    curve: StateCurve,
    values: FloatArray,
    doubt: FloatArray | None,
    law: Callable[[FloatArray], FloatArray],
    colour: str,
) -> None:
    """Draw values (S) with their uncertainties, and the fitted law."""
    known = np.isfinite(values)
    time, shown = curve.time[known], MICRO * values[known]
    if doubt is not None:
        bars = MICRO * doubt[known]
        axes.vlines(time, shown - bars, shown + bars, color=colour, linewidth=0.5, alpha=0.3)
    axes.plot(time, shown, ".", color=colour, markersize=2.5, label=curve.name)
    if np.isfinite(curve.mean_far) and time.size:
        axes.plot(time, MICRO * law(time), color=colour, linewidth=0.9)


def _onwards(axes: Axes, curve: StateCurve, colour: str, far: float) -> None:
    start = float(np.nanmin(curve.time))
    time = np.geomspace(start, far, 100)
    mean, sigma = MICRO * curve.mean_at(time), MICRO * curve.sigma_at(time)
    axes.fill_between(time, mean - sigma, mean + sigma, color=colour, alpha=0.2, linewidth=0)
    axes.plot(time, mean, color=colour, linewidth=0.8)
    low, high = (MICRO * edge for edge in curve.interval)
    axes.errorbar(
        [far], [mean[-1]], [[mean[-1] - low], [high - mean[-1]]], color=colour, capsize=1.5, linewidth=0.8
    )


def _log_time(axes: Axes, gaps: FloatArray | None) -> None:
    axes.set_xscale("log")
    for gap in () if gaps is None else gaps:
        axes.axvline(float(gap), color=style.PALE, linewidth=1.2, zorder=0)
