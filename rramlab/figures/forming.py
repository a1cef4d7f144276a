"""Figures of forming: yield map, forming voltages, conductance before and after."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import maps, style

FloatArray = NDArray[np.float64]

MICRO = 1e6
# By the code of an outcome: open, formed, already formed, unformed, stuck, partly formed and so on.
_COLOURS = ("#8A8A8A", "#009E73", "#56B4E9", "#222222", "#D55E00", "#E69F00", "#CC79A7", "#0072B2")


def forming_map(outcome: ArrayLike, voltage: ArrayLike, names: Mapping[int, str]) -> Figure:
    """Draw outcomes by code (named by `names`) and forming voltages (V), both (rows, columns), NaN unused.

    Where nothing was formed there are no voltages to draw.
    """
    codes, volts = maps.plane(outcome), maps.plane(voltage)
    figure = style.blank(style.DOUBLE, maps.height(codes.shape, 58.0, 20.0) + 30.0)
    if not np.isfinite(volts).any():
        only = figure.subplots()
        style.dress(only, "Column", "Row", "Outcome")
        _draw_outcomes(only, codes, names)
        return figure
    left, right = figure.subplots(1, 2)
    style.dress(left, "Column", "Row", "Outcome", "a")
    style.dress(right, "Column", "", "Forming voltage", "b")
    _draw_outcomes(left, codes, names)
    image = maps.draw_map(right, volts, maps.span(volts))
    maps.colour_bar(figure, image, right, "BL voltage (V)")
    return figure


def _draw_outcomes(axes: Axes, codes: FloatArray, names: Mapping[int, str]) -> None:
    colours = ListedColormap(_COLOURS[: max(names) + 1]).with_extremes(bad=style.PALE)
    axes.imshow(np.ma.masked_invalid(codes), cmap=colours, vmin=-0.5, vmax=max(names) + 0.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(style.few_ticks(whole=True))
    style.frame(axes)
    present = np.unique(style.finite(codes)).astype(int).tolist()
    handles = [
        Patch(color=_COLOURS[code], label=f"{names[code]} ({int((codes == code).sum())})") for code in present
    ]
    look: dict[str, Any] = {"prop": style.font(style.SMALL), "frameon": False, "handlelength": 0.9}
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, **look)


def forming_voltages(voltage: ArrayLike, step: float) -> Figure:
    """Draw the forming voltages (V), one or more, found by a ramp of this step (V): histogram and share."""
    found = np.sort(style.finite(voltage)) - 0.5 * step
    figure = style.blank(style.DOUBLE * 0.85, 58.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Forming voltage (V)", "Share of formed cells (%)", "", "a")
    style.dress(right, "Forming voltage (V)", "Cumulative share (%)", "", "b")
    width = step or 0.05
    count = round((found[-1] - found[0]) / width) + 1
    bins = found[0] + width * (np.arange(count + 1) - 0.5)
    style.outline(left, found, bins, style.BLUE)
    # Of a step all is known at its end: by this voltage so many have formed.
    steps, counts = np.unique(found + 0.5 * step, return_counts=True)
    right.plot(steps, 100 * np.cumsum(counts) / found.size, "o", color=style.BLUE, markersize=3)
    if found.size > 2 and np.ptp(found) > 0:
        _draw_normal(left, right, found, width)
    return figure


def _draw_normal(left: Axes, right: Axes, found: FloatArray, width: float) -> None:
    """Draw the normal distribution of the same mean and sigma into both panels."""
    mean, sigma = float(found.mean()), float(found.std(ddof=1))
    volts = np.linspace(mean - 4 * sigma, mean + 4 * sigma, 201)
    density = np.exp(-0.5 * ((volts - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    left.plot(volts, 100 * width * density, color=style.VERMILION, linewidth=0.9)
    share = np.cumsum(density) * (volts[1] - volts[0])
    right.plot(volts, 100 * share, color=style.VERMILION, linewidth=0.9)
    style.note(left, f"mean {mean:.3f} V\nσ {sigma:.3f} V\n{found.size} cells")


def conductances(before: ArrayLike, formed: ArrayLike, after: ArrayLike) -> Figure:
    """Draw histograms of the conductance (S) of formed cells: fresh, formed, after the RESET."""
    figure = style.blank(style.DOUBLE * 0.85, 58.0)
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    style.dress(left, "Fresh conductance (µS)", "Share of formed cells (%)", "", "a")
    style.dress(right, "Conductance (µS)", "", "", "b")
    fresh = style.finite(before, MICRO)
    style.outline(left, fresh, style.edges(fresh, bins=24), style.GREY)
    sets = style.finite(formed, MICRO), style.finite(after, MICRO)
    bins = style.edges(*sets, bins=50)
    looks = (style.VERMILION, "formed"), (style.BLUE, "after RESET")
    for values, (colour, name) in zip(sets, looks, strict=True):
        middle = f", median {np.median(values):.3g} µS" if values.size else ""
        style.outline(right, values, bins, colour, name + middle)
    style.legend(right, loc="upper right")
    return figure
