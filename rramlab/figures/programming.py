"""Figures of programming: target and achieved maps, errors, pulses per cell, and the weights."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import maps, style
from rramlab.outcome import Outcome

FloatArray = NDArray[np.float64]

MICRO = 1e6
_DEAD = (Outcome.NO_RESPONSE, Outcome.STUCK_LOW, Outcome.STUCK_HIGH, Outcome.UNFORMED)


def conductance_maps(
    target: ArrayLike, achieved: ArrayLike, outcome: ArrayLike | None = None, tolerance: float = 1e-6
) -> Figure:
    """Draw target, achieved and error map (rows, columns) of conductances in S, failed cells marked.

    NaN means a cell that is not in use. `outcome` holds `Outcome` codes; the error scale shows at least
    +-`tolerance` (S) and 99 % of the cells.
    """
    wanted, found = maps.plane(target, MICRO), maps.plane(achieved, MICRO)
    error = found - wanted
    height = maps.height(wanted.shape, 47.0)
    codes = maps.failed(outcome, np.isfinite(wanted))
    figure = style.blank(style.DOUBLE, height + (25.0 if (codes != Outcome.CONVERGED).any() else 15.0))
    left, middle, right = figure.subplots(1, 3)
    for axes, title, letter in ((left, "Target", "a"), (middle, "Achieved", "b"), (right, "Error", "c")):
        style.dress(axes, "Column", "Row" if axes is left else "", title, letter)
    maps.draw_map(left, wanted, maps.span(wanted))
    image = maps.draw_map(middle, found, maps.span(wanted))
    maps.colour_bar(figure, image, middle, "Conductance (µS)")
    half = maps.reach(error, tolerance * MICRO)
    image = maps.draw_map(right, error, (-half, half), maps.ERRORS)
    maps.colour_bar(figure, image, right, "Achieved − target (µS)")
    _name_failures(figure, right, codes)
    return figure


def conductance_errors(
    target: ArrayLike,
    programmed: ArrayLike,
    waited: ArrayLike | None = None,
    *,
    tolerance: float = 1e-6,
    wait: float = 60.0,
    outcome: ArrayLike | None = None,
) -> Figure:
    """Draw histograms of the error (S) right after programming and `wait` seconds later.

    The legend tells sigma and the share within +-`tolerance` (S). Cells that cannot be programmed (stuck,
    unformed, without response) are left out when `outcome` names them, and counted in a remark.
    """
    wanted = maps.plane(target, MICRO)
    dead = np.isin(maps.failed(outcome, np.isfinite(wanted)), _DEAD)
    errors = [
        np.where(dead, np.nan, maps.plane(g, MICRO) - wanted) for g in (programmed, waited) if g is not None
    ]
    names = ("right after programming", f"{wait:,.4g} s later")
    window = tolerance * MICRO
    half = max(maps.reach(each, 3.0 * window, 99.5) for each in errors)
    figure = style.blank(120.0, 66.0)
    axes = style.dress(figure.subplots(), "Achieved − target (µS)", "Share of cells (%)")
    axes.axvspan(-window, window, color=style.PALE, alpha=0.5, linewidth=0)
    for error, name, colour in zip(errors, names, (style.BLUE, style.VERMILION), strict=False):
        style.outline(axes, error, np.linspace(-half, half, 61), colour, f"{name}\n{_summary(error, window)}")
    axes.set_xlim(-half, half)
    axes.set_ylim(0.0, axes.get_ylim()[1] * 1.05)
    style.legend(axes, beside=True)
    _remark(axes, int(dead.sum()), errors, half)
    return figure


def pulses_per_cell(pulses: ArrayLike) -> Figure:
    """Draw how many pulses each cell took, (rows, columns), NaN for cells not in use."""
    counts = maps.plane(pulses)
    flat = style.finite(counts)
    height = maps.height(counts.shape, 54.0)
    figure = style.blank(style.DOUBLE * 0.78, max(50.0, height) + 22.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Column", "Row", "", "a")
    top = float(np.percentile(flat, 97.0)) if flat.size else 1.0
    image = maps.draw_map(left, counts, (0.0, max(top, 1.0)), maps.COUNTS)
    maps.colour_bar(figure, image, left, "Pulses per cell")
    _tally(style.dress(right, "Pulses per cell", "Number of cells", "", "b"), flat)
    right.set_box_aspect(float(np.clip(counts.shape[0] / counts.shape[1], 0.75, 1.2)))
    return figure


def _tally(axes: Axes, flat: FloatArray) -> None:
    """Draw a histogram of whole numbers with a logarithmic height, and its figures."""
    last = int(flat.max(initial=1.0))
    bins = np.arange(0, last + 2, 1 + last // 120) - 0.5
    axes.stairs(np.histogram(flat, bins)[0], bins, fill=True, color=style.BLUE, baseline=0.5)
    style.plain_log(axes)
    axes.set_ylim(0.5, None)
    if flat.size:
        median, late = np.percentile(flat, (50, 99))
        numbers = f"mean {flat.mean():.3g}\nmedian {median:.3g}\n99th percentile {late:.3g}"
        style.note(axes, f"{numbers}\nmost {flat.max():.0f}")


def weight_agreement(
    target: Sequence[ArrayLike], programmed: Sequence[ArrayLike], names: Sequence[str] | None = None
) -> Figure:
    """Draw programmed against target weights (network units) of each layer: histograms, point by point."""
    pairs = _layers(target, programmed)
    figure = style.blank(style.DOUBLE * min(len(pairs), 3) / 3, 118.0)
    grid = figure.subplots(2, len(pairs), squeeze=False)
    for i, ((upper, lower), (wanted, found)) in enumerate(zip(grid.T, pairs, strict=True)):
        left = i == 0
        share, title = "Share of weights (%)" if left else "", _name(names, i)
        style.dress(upper, "Weight (network units)", share, title, "a" if left else "")
        _overlay(upper, wanted, found)
        programmed = "Programmed weight (network units)" if left else ""
        style.dress(lower, "Target weight (network units)", programmed, "", "b" if left else "")
        _against(lower, wanted, found)
    figure.align_ylabels(grid[:, 0].tolist())
    return figure


def weight_maps(
    target: Sequence[ArrayLike], programmed: Sequence[ArrayLike], names: Sequence[str] | None = None
) -> Figure:
    """Draw target, programmed and error map of the weights (network units) of each layer."""
    pairs = _layers(target, programmed)
    heights = [min(maps.height(wanted.shape, 46.0, 18.0), 46.0) for wanted, _ in pairs]
    figure = style.blank(style.DOUBLE, sum(heights) + 16.0 * len(pairs))
    grid = figure.subplots(len(pairs), 3, squeeze=False, height_ratios=heights)
    for i, (row, (wanted, found)) in enumerate(zip(grid, pairs, strict=True)):
        for axes, what in zip(row, ("target", "programmed", "error"), strict=True):
            output, source = "Output" if i == len(pairs) - 1 else "", "Input" if what == "target" else ""
            style.dress(axes, output, source, f"{_name(names, i)}, {what}")
        _weight_row(figure, list(row), wanted, found)
    return figure


def _weight_row(figure: Figure, row: list[Axes], wanted: FloatArray, found: FloatArray) -> None:
    """Draw the three maps of one layer, target and programmed on one scale."""
    half, near = maps.reach(wanted, 1e-9, 100.0), maps.reach(found - wanted, 1e-9, 100.0)
    slender = wanted.shape[0] / wanted.shape[1]
    bar = {"thick": 0.05 * max(1.0, slender), "long": max(1.0, 0.4 / slender)}
    maps.draw_map(row[0], wanted, (-half, half), maps.WEIGHTS)
    image = maps.draw_map(row[1], found, (-half, half), maps.WEIGHTS)
    maps.colour_bar(figure, image, row[1], "Weight\n(network units)", **bar)
    image = maps.draw_map(row[2], found - wanted, (-near, near), maps.ERRORS)
    maps.colour_bar(figure, image, row[2], "Error\n(network units)", **bar)


def _name(names: Sequence[str] | None, i: int) -> str:
    return names[i] if names else f"Layer {i + 1}"


def _layers(
    target: Sequence[ArrayLike], programmed: Sequence[ArrayLike]
) -> list[tuple[FloatArray, FloatArray]]:
    pairs = [(maps.plane(a), maps.plane(b)) for a, b in zip(target, programmed, strict=True)]
    if not pairs or any(a.shape != b.shape for a, b in pairs):
        raise ValueError(
            "weights need one programmed map for each target map, of the same shape, 1 layer or more"
        )
    return pairs


def _name_failures(figure: Figure, axes: Axes, codes: NDArray[np.intp]) -> None:
    """Mark failed cells on a map and name the marks below the figure."""
    entries = maps.mark_failures(axes, codes)
    if entries:
        figure.legend(
            handles=entries, loc="outside lower right", ncols=4, prop=style.font(style.SMALL), frameon=False
        )


def _summary(error: FloatArray, window: float) -> str:
    flat = style.finite(error)
    if flat.size == 0:
        return "no cell"
    share = 100.0 * np.mean(np.abs(flat) <= window * (1.0 + 1e-9))
    return f"σ = {flat.std():.3g} µS, {share:.3g} % within ±{window:.3g} µS"


def _remark(axes: Axes, dead: int, errors: list[FloatArray], half: float) -> None:
    """Tell below the legend what the histogram does not show."""
    outside = max(int(np.count_nonzero(np.abs(style.finite(each)) > half)) for each in errors)
    lines = [f"{dead} dead or stuck cells left out"] * (dead > 0) + [f"{outside} cells beyond the axis"] * (
        outside > 0
    )
    axes.text(
        1.04,
        0.72,
        "\n".join(lines),
        transform=axes.transAxes,
        fontproperties=style.font(style.SMALL),
        va="top",
    )


def _overlay(axes: Axes, wanted: FloatArray, found: FloatArray) -> None:
    bins = style.edges(wanted, found, bins=int(np.clip(1.6 * np.sqrt(wanted.size), 6, 40)))
    style.outline(axes, wanted, bins, style.GREY, "target")
    style.outline(axes, found, bins, style.BLUE, "programmed", filled=False)
    style.legend(axes)


def _against(axes: Axes, wanted: FloatArray, found: FloatArray) -> None:
    low, high = maps.span(np.concatenate([style.finite(wanted), style.finite(found)]))
    axes.plot([low, high], [low, high], color=style.GREY, linewidth=0.6)
    chosen = style.thinned(wanted.size)
    axes.plot(
        wanted.ravel()[chosen], found.ravel()[chosen], ".", color=style.BLUE, markersize=4, markeredgewidth=0
    )
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(style.few_ticks(6))
    error = style.finite(found - wanted)
    style.note(axes, f"rms error {np.sqrt(np.mean(error**2)):.2g}" if error.size else "no weight", 0.04)
