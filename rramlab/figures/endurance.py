"""Figures of endurance: states and window over cycles, their distributions, failures over cycles."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MICRO = 1e6
MOST_CURVES = 6


def windows(cycle: ArrayLike, lrs: ArrayLike, hrs: ArrayLike, ratio: ArrayLike, least: float) -> Figure:
    """Draw both states (S) and their ratio over cycles; each holds 5 %, 50 % and 95 % quantiles, (3, n).

    `least` is the ratio below which a window is closed.
    """
    counts = np.asarray(cycle, float)
    figure = style.blank(style.DOUBLE * 0.85, 66.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Cycles", "Conductance (µS)", "", "a")
    _band(left, counts, np.asarray(lrs) * MICRO, style.VERMILION, "after SET (LRS)")
    _band(left, counts, np.asarray(hrs) * MICRO, style.BLUE, "after RESET (HRS)")
    style.dress(right, "Cycles", "Window, LRS/HRS", "", "b")
    _band(right, counts, np.asarray(ratio, float), style.GREEN, "window")
    right.axhline(least, color=style.GREY, linewidth=0.8, linestyle="--", label="closed below")
    for axes in (left, right):
        style.log_x(axes)
        style.plain_log(axes)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        style.legend(axes, loc="best")
    return figure


def cycle_spread(cycle: ArrayLike, lrs: ArrayLike, hrs: ArrayLike) -> Figure:
    """Draw the cumulative distribution over cells of both states (S), (readings, cells), at some cycles."""
    counts, planes = np.asarray(cycle), (np.asarray(hrs) * MICRO, np.asarray(lrs) * MICRO)
    full = np.isfinite(planes[1]).sum(axis=1) >= max(
        0.5 * np.isfinite(planes[1]).sum(axis=1).max(initial=0), 1
    )
    places = np.flatnonzero(full)
    shown = places[np.unique(np.linspace(0, places.size - 1, min(places.size, MOST_CURVES)).astype(int))]
    figure = style.blank(120.0, 66.0)
    axes = style.dress(figure.subplots(), "Conductance (µS)", "Share of cells (%)")
    colours = colormaps["viridis"](np.linspace(0.0, 0.9, max(shown.size, 1)))
    for i, colour in zip(shown, colours, strict=False):
        for plane, dashes, label in ((planes[0], "--", ""), (planes[1], "-", f"cycle {counts[i]:,}")):
            values = np.sort(style.finite(plane[i]))
            share = 100.0 * (np.arange(values.size) + 0.5) / max(values.size, 1)
            axes.plot(values, share, color=colour, linewidth=0.9, linestyle=dashes, label=label or None)
    style.log_x(axes)
    axes.set_ylim(0, 100)
    style.note(axes, "solid: after SET\ndashed: after RESET", x=0.02)
    style.legend(axes, beside=True)
    return figure


def failures(cycle: ArrayLike, failed: ArrayLike, low: ArrayLike, high: ArrayLike, cells: int) -> Figure:
    """Draw how many of the cells had failed after each cycle, with the interval of the share."""
    counts, hits = np.asarray(cycle, float), np.asarray(failed, float)
    figure = style.blank(style.SINGLE, 60.0)
    axes = style.dress(figure.subplots(), "Cycles", "Failed cells (%)")
    bounds = 100 * np.asarray(low), 100 * np.asarray(high)
    axes.fill_between(counts, *bounds, step="post", color=style.VERMILION, alpha=0.2, linewidth=0)
    axes.step(counts, 100 * hits / max(cells, 1), where="post", color=style.VERMILION, linewidth=1.0)
    style.log_x(axes)
    axes.set_ylim(0, None)
    style.note(axes, f"{int(hits[-1]) if hits.size else 0} of {cells} cells", x=0.02)
    return figure


def _band(axes: Axes, x: FloatArray, quantiles: FloatArray, colour: str, label: str) -> None:
    axes.fill_between(x, quantiles[0], quantiles[2], color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, quantiles[1], color=colour, linewidth=1.0, marker="o", markersize=2.0, label=label)
