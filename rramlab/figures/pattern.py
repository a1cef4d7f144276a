"""Figures of a programmed picture over time: maps, and how its errors spread."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rramlab.figures import maps, style

FloatArray = NDArray[np.float64]
Named = tuple[str, FloatArray]

MICRO = 1e6
_MOST_MAPS = 4


def pictures_over_time(
    target: FloatArray, found: Sequence[Named], alive: FloatArray, tolerance: float
) -> Figure:
    """Draw the target and the readings (S, maps) above their errors (S); of many, a few.

    Errors are drawn where `alive` is 1: a stuck cell would hide all others.
    """
    chosen = [found[i] for i in style.thinned(len(found), _MOST_MAPS)]
    wanted = maps.plane(target, MICRO)
    columns, width = 1 + max(len(chosen), 1), style.DOUBLE / (1 + max(len(chosen), 1))
    figure = style.blank(style.DOUBLE, 2 * maps.height(wanted.shape, width - 8.0) + 22.0)
    grid = figure.subplots(2, columns, squeeze=False)
    span = maps.span(wanted)
    image = maps.draw_map(style.dress(grid[0, 0], "", "Row", "Target", "a"), wanted, span)
    grid[1, 0].set_axis_off()
    planes = [maps.plane(values, MICRO) for _, values in chosen]
    errors = [np.where(alive == 1, plane - wanted, np.nan) for plane in planes]
    half = max([maps.reach(error, 2 * tolerance * MICRO, 98.0) for error in errors], default=1.0)
    for i, ((name, _), plane) in enumerate(zip(chosen, planes, strict=True), start=1):
        image = maps.draw_map(style.dress(grid[0, i], "", "", name.capitalize()), plane, span)
        axes = style.dress(grid[1, i], "Column", "Row" if i == 1 else "", "", "b" if i == 1 else "")
        below = maps.draw_map(axes, errors[i - 1], (-half, half), maps.ERRORS)
    maps.colour_bar(figure, image, grid[0, -1], "Conductance (µS)")
    if planes:
        maps.colour_bar(figure, below, grid[1, -1], "Error (µS)")
    return figure


def errors_over_time(errors: Sequence[Named], tolerance: float) -> Figure:
    """Draw histograms of errors (S) at several times, and their mean and sigma from time to time."""
    figure = style.blank(style.DOUBLE, 66.0)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    window = tolerance * MICRO
    shown = [(name, MICRO * values[np.isfinite(values)]) for name, values in errors]
    half = max([maps.reach(values, 2.5 * window, 99.0) for _, values in shown], default=1.0)
    style.dress(left, "Achieved − target (µS)", "Share of cells (%)", "", "a")
    left.axvspan(-window, window, color=style.PALE, alpha=0.5, linewidth=0)
    for i, (name, values) in enumerate(shown):
        colour = style.CYCLE[i % len(style.CYCLE)]
        style.outline(left, values, np.linspace(-half, half, 41), colour, name, filled=i == 0)
    left.set_xlim(-half, half)
    style.legend(left)
    _moments(style.dress(right, "", "Error (µS)", "", "b"), shown)
    return figure


def _moments(axes: Axes, shown: Sequence[Named]) -> None:
    """Draw mean and sigma of each time with standard uncertainties."""

    def around(values: FloatArray) -> FloatArray:
        return np.asarray(values - values.mean())

    place = np.arange(len(shown))
    sizes = np.array([max(values.size, 2) for _, values in shown])
    means = np.array([values.mean() if values.size else np.nan for _, values in shown])
    sigmas = np.array([values.std(ddof=1) if values.size > 1 else np.nan for _, values in shown])
    fourth = np.array([(around(values) ** 4).mean() if values.size else np.nan for _, values in shown])
    doubt = np.sqrt(np.maximum(fourth - sigmas**4, 0.0) / sizes) / np.maximum(2 * sigmas, 1e-12)
    look: dict[str, Any] = {"fmt": "o", "markersize": 3.5, "elinewidth": 0.8}
    axes.errorbar(place, sigmas, doubt, color=style.BLUE, label="σ", **look)
    axes.errorbar(place, means, sigmas / np.sqrt(sizes), color=style.VERMILION, label="mean", **look)
    axes.axhline(0.0, color=style.GREY, linewidth=0.5)
    axes.set_xticks(place, [name for name, _ in shown], rotation=30, ha="right")
    style.legend(axes)
