"""Figures of quasi-static sweeps: hysteresis, switching voltages, states."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MICRO = 1e6
_MOST_LINES = 150
_SETS, _RESETS = style.VERMILION, style.BLUE


def hysteresis(up: ArrayLike, down: ArrayLike, compliance: float) -> Figure:
    """Draw sweeps up and down, (voltage V and current A, cells, cycles, steps), linear and logarithmic."""
    figure = style.blank(style.DOUBLE, 68.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "BL − SL voltage (V)", "Current (µA)", "", "a")
    style.dress(right, "BL − SL voltage (V)", "|Current| (µA)", "", "b")
    for sweep, colour, name in ((up, _SETS, "SET"), (down, _RESETS, "RESET")):
        volts, amperes = _curves(sweep)
        _draw_curves(left, volts, MICRO * amperes, colour, name)
        # At 0 V there is no current, and no logarithm of it.
        seen = np.where((volts != 0) & (amperes != 0), MICRO * np.abs(amperes), np.nan)
        _draw_curves(right, volts, seen, colour, name)
    left.axhline(
        MICRO * compliance, color=style.GREY, linewidth=0.5, linestyle=":", zorder=0, label="compliance"
    )
    style.legend(left, loc="upper left")
    style.plain_log(right)
    for axes in (left, right):
        axes.axvline(0.0, color=style.PALE, linewidth=0.5, zorder=0)
    return figure


def _curves(sweep: ArrayLike) -> FloatArray:
    """Return voltage and current (2, curves, steps) of all cells and cycles that were swept."""
    both = np.asarray(sweep, dtype=np.float64)
    flat = both.reshape(2, -1, both.shape[-1])
    return np.asarray(flat[:, np.isfinite(flat[0, :, 0])])


def _draw_curves(axes: Axes, volts: FloatArray, current: FloatArray, colour: str, name: str) -> None:
    if not len(volts):
        return
    chosen = style.thinned(len(volts), _MOST_LINES)
    thin: dict[str, Any] = {"color": colour, "linewidth": 0.4, "alpha": max(0.08, min(0.6, 8 / len(volts)))}
    axes.plot(volts[chosen].T, current[chosen].T, **thin)
    middle = np.median(volts, axis=0), np.median(current, axis=0)
    axes.plot(*middle, color=colour, linewidth=1.2, label=name)


def switching_voltages(v_set: ArrayLike, v_reset: ArrayLike, skip: int = 0) -> Figure:
    """Draw SET and RESET voltages (V), (cells, cycles): cumulative after `skip` cycles, and their course."""
    figure = style.blank(style.DOUBLE, 62.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Switching voltage, without sign (V)", "Cumulative share (%)", "", "a")
    style.dress(right, "Cycle", "Switching voltage, without sign (V)", "", "b")
    for values, colour, name in ((v_set, _SETS, "SET"), (v_reset, _RESETS, "RESET")):
        volts = np.abs(np.atleast_2d(np.asarray(values, dtype=np.float64)))
        _cumulate(left, volts[:, skip:], colour, name, "V")
        _course(right, volts, colour)
    _legend_below(left)
    right.xaxis.set_major_locator(style.few_ticks(6, whole=True))
    return figure


def _cumulate(axes: Axes, values: ArrayLike, colour: str, name: str, unit: str) -> None:
    found = np.sort(style.finite(values))
    if found.size:
        share = 100.0 * (np.arange(found.size) + 0.5) / found.size
        sigma = f", σ {found.std(ddof=1):.3g} {unit}" if found.size > 1 else ""
        label = f"{name}: median {np.median(found):.3g} {unit}{sigma}"
        axes.plot(found, share, ".", color=colour, markersize=3, label=label)


def _course(axes: Axes, volts: FloatArray, colour: str) -> None:
    cycle = np.broadcast_to(np.arange(1, volts.shape[1] + 1), volts.shape)
    shown = style.thinned(volts.size)
    axes.plot(cycle.ravel()[shown], volts.ravel()[shown], ".", color=colour, markersize=2.5, alpha=0.5)
    good = np.isfinite(volts).any(axis=0)
    if good.any():
        axes.plot(cycle[0][good], np.nanmedian(volts[:, good], axis=0), color=colour, linewidth=0.9)


def states(high: ArrayLike, low: ArrayLike, chi_high: ArrayLike, chi_low: ArrayLike) -> Figure:
    """Draw the conductance (S) of both states, and their nonlinearity (1/V^2) against it."""
    figure = style.blank(style.DOUBLE, 62.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Conductance (µS)", "Cumulative share (%)", "", "a")
    style.dress(right, "Conductance (µS)", "Nonlinearity χ (1/V²)", "", "b")
    for g, chi, colour, name in (
        (high, chi_high, _SETS, "after SET"),
        (low, chi_low, _RESETS, "after RESET"),
    ):
        micro = MICRO * np.asarray(g, dtype=np.float64)
        _cumulate(left, micro, colour, name, "µS")
        right.plot(micro.ravel(), np.asarray(chi).ravel(), ".", color=colour, markersize=3, label=name)
    for axes in (left, right):
        style.log_x(axes)
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    right.axhline(0.0, color=style.PALE, linewidth=0.5, zorder=0)
    _legend_below(left)
    return figure


def _legend_below(axes: Axes) -> None:
    """Draw the legend below the axes, where no curve runs."""
    style.legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=1)
