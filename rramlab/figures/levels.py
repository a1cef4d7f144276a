"""Figures of levels: I-V of each, readings, distributions of neighbours, and what they tell over time."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import maps, style

FloatArray = NDArray[np.float64]

MICRO = 1e6
_NEIGHBOURS = 7


def level_curves(target: ArrayLike, voltage: ArrayLike, current: ArrayLike, fits: ArrayLike) -> Figure:
    """Draw I-V (curves, steps; V, A) coloured by target (S), and their fits.

    `fits` holds conductance (S), chi and its error (1/V^2), and departure from a straight line, per curve.
    """
    wanted = MICRO * np.asarray(target, dtype=np.float64)
    norm, colours = Normalize(wanted.min(), max(wanted.max(), wanted.min() + 1e-9)), colormaps[maps.LEVELS]
    figure = style.blank(style.DOUBLE, 60.0)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    style.dress(left, "BL voltage (V)", "Current (µA)", "", "a")
    style.dress(middle, "Conductance (µS)", "Nonlinearity χ (1/V²)", "", "b")
    style.dress(right, "Conductance (µS)", "Departure from a line (%)", "", "c")
    for level, volts, amperes in zip(wanted, np.asarray(voltage), np.asarray(current), strict=True):
        left.plot(volts, MICRO * amperes, color=colours(norm(level)), linewidth=0.5)
    maps.colour_bar(figure, ScalarMappable(norm, colours), left, "Target (µS)")
    g, chi, error, departure = np.asarray(fits, dtype=np.float64)
    look: dict[str, Any] = {"fmt": ".", "color": style.BLUE, "markersize": 3, "elinewidth": 0.5}
    middle.errorbar(MICRO * g, chi, error, **look)
    right.plot(MICRO * g, 100 * departure, ".", color=style.BLUE, markersize=3)
    middle.axhline(0.0, color=style.PALE, linewidth=0.5, zorder=0)
    right.set_ylim(0.0, None)
    return figure


def level_errors(
    target: ArrayLike, level: ArrayLike, readings: ArrayLike, mean: ArrayLike, sigma: ArrayLike
) -> Figure:
    """Draw readings (S), (n, reads), of cells at these levels (n): on the staircase, and minus target."""
    wanted, which = MICRO * np.asarray(target, dtype=np.float64), np.asarray(level)
    found = MICRO * np.asarray(readings, dtype=np.float64)
    figure = style.blank(style.DOUBLE, 62.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Level", "Reading (µS)", "", "a")
    style.dress(right, "Target (µS)", "Reading − target (µS)", "", "b")
    shown = style.thinned(found.size)
    x, y = np.broadcast_to(which[:, None], found.shape).ravel()[shown], found.ravel()[shown]
    left.plot(x, y, ".", color=style.BLUE, markersize=2, alpha=0.5)
    left.plot(np.arange(wanted.size), wanted, color=style.INK, linewidth=0.6, drawstyle="steps-mid")
    half = 0.5 * (wanted[1] - wanted[0])
    right.axhspan(-half, half, color=style.PALE, alpha=0.5, linewidth=0)
    right.plot(wanted[x], y - wanted[x], ".", color=style.BLUE, markersize=2, alpha=0.4)
    bias, spread = MICRO * np.asarray(mean) - wanted, MICRO * np.asarray(sigma)
    right.fill_between(wanted, bias - spread, bias + spread, color=style.VERMILION, alpha=0.25, linewidth=0)
    right.plot(wanted, bias, color=style.VERMILION, linewidth=0.9, label="mean ± σ")
    reach = max(maps.reach(y - wanted[x], half, 99.5), half)
    right.set_ylim(-1.15 * reach, 1.15 * reach)
    style.legend(right, loc="upper right")
    return figure


def distributions(
    target: ArrayLike, level: ArrayLike, readings: ArrayLike, mean: ArrayLike, sigma: ArrayLike
) -> Figure:
    """Draw the distributions of neighbouring levels at the low end, the middle and the high end."""
    wanted = MICRO * np.asarray(target, dtype=np.float64)
    figure = style.blank(style.DOUBLE, 55.0)
    panels = figure.subplots(1, 3)
    count = min(_NEIGHBOURS, wanted.size)
    firsts = (0, (wanted.size - count) // 2, wanted.size - count)
    for axes, first, letter in zip(panels, firsts, "abc", strict=True):
        style.dress(axes, "Reading (µS)", "Density (1/µS)" if letter == "a" else "", "", letter)
        for number in range(first, first + count):
            values = MICRO * np.asarray(readings)[np.asarray(level) == number].ravel()
            width = MICRO * float(np.asarray(sigma)[number])
            colour = style.CYCLE[number % len(style.CYCLE)]
            _draw_level(axes, values, MICRO * float(np.asarray(mean)[number]), width, colour)
            axes.axvline(wanted[number], color=style.PALE, linewidth=0.5, zorder=0)
        axes.set_ylim(0.0, None)
    return figure


def _draw_level(axes: Axes, values: FloatArray, mean: float, sigma: float, colour: str) -> None:
    if not sigma > 0:
        return
    if values.size >= 20:
        bins = np.linspace(mean - 4 * sigma, mean + 4 * sigma, 25)
        heights = np.histogram(values, bins)[0] / values.size / (bins[1] - bins[0])
        axes.stairs(heights, bins, fill=True, color=colour, alpha=0.3, linewidth=0)
    grid = np.linspace(mean - 4 * sigma, mean + 4 * sigma, 121)
    axes.plot(
        grid, np.exp(-0.5 * ((grid - mean) / sigma) ** 2) / sigma / np.sqrt(2 * np.pi), color=colour, lw=0.8
    )


def against_time(spread: ArrayLike, bits: ArrayLike, levels: int) -> Figure:
    """Draw what is known over time.

    `spread` holds time (s), sigma, that of a read and that of cells (S), shares of wrong levels and of
    overlap; `bits` effective bits and information, each with its error, and bits of averaged readings.
    """
    time, sigma, read, cell, wrong, overlap = np.asarray(spread, dtype=np.float64)
    effective, error, information, doubt, averaged = np.asarray(bits, dtype=np.float64)
    figure = style.blank(style.DOUBLE, 58.0)
    left, middle, right = figure.subplots(1, 3)
    style.dress(left, "Time after programming (s)", "σ of reading − target (µS)", "", "a")
    style.dress(middle, "Time after programming (s)", "Share (%)", "", "b")
    style.dress(right, "Time after programming (s)", "Bits", "", "c")
    look: dict[str, Any] = {"marker": "o", "markersize": 3, "linewidth": 0.9}
    named = (
        (sigma, style.INK, "all"),
        (cell, style.BLUE, "between cells"),
        (read, style.ORANGE, "of a reading"),
    )
    for values, colour, name in named:
        left.plot(time, MICRO * values, color=colour, label=name, **look)
    middle.plot(time, 100 * wrong, color=style.VERMILION, label="wrong level", **look)
    middle.plot(time, 100 * overlap, color=style.SKY, label="overlap", **look)
    right.errorbar(time, effective, error, color=style.BLUE, label="effective", **look)
    right.plot(time, averaged, color=style.BLUE, linestyle="--", label="effective, averaged", **look)
    right.errorbar(time, information, doubt, color=style.GREEN, label="information", **look)
    right.axhline(np.log2(levels), color=style.GREY, linewidth=0.6, linestyle=":", label="all levels")
    for axes in (left, middle, right):
        style.log_x(axes)
        style.legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1)
    for axes in (left, middle):
        axes.set_ylim(0.0, None)
    return figure
