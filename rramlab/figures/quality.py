"""Figures of quality: samples beside the digital ones and the data, training curve, bars of the distances."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import maps, style

FloatArray = NDArray[np.float64]

MEASURES = {
    "sliced_wasserstein": "Sliced Wasserstein\n(network units)",
    "kl": "KL, 40 × 40 bins\n(nat)",
    "kl_published": "KL, 50 × 50 bins\n(nat)",
    "histogram": "Histogram L2\n(dimensionless)",
}
_COLOURS = (style.BLUE, style.VERMILION, style.GREY, style.GREEN, style.ORANGE)


def samples_beside(samples: Mapping[str, ArrayLike], *, extent: float = 1.3, bins: int = 52) -> Figure:
    """Draw sets of points (n, 2), by name, side by side: 2-D histograms on one scale, and scatter below.

    Points are in network units; those that are not finite are left out.
    """
    sets = {name: _points(points) for name, points in samples.items()}
    if not sets:
        raise ValueError("no samples were given; 1 set of points (n, 2) or more is possible")
    figure = style.blank(max(style.DOUBLE * len(sets) / 3, 70.0) if len(sets) < 3 else style.DOUBLE, 118.0)
    grid = figure.subplots(2, len(sets), squeeze=False, sharex=True, sharey=True)
    side = np.linspace(-extent, extent, bins + 1)
    densities = [maps.density(points, side) for points in sets.values()]
    norm = Normalize(0.0, max(float(np.percentile(each, 99.7)) for each in densities) or 1.0)
    for i, (name, points) in enumerate(sets.items()):
        left = "x₂ (network units)" if i == 0 else ""
        upper = style.dress(grid[0, i], "", left, name, "abcdefgh"[i % 8])
        image = maps.draw_density(upper, densities[i], extent, norm)
        lower = style.dress(grid[1, i], "x₁ (network units)", left)
        _cloud(lower, points, _COLOURS[i % len(_COLOURS)])
        style.square(lower, extent)
    maps.colour_bar(figure, image, grid[0, -1], "Density\n(1/network unit²)")
    return figure


def _points(points: ArrayLike) -> FloatArray:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"points of shape {array.shape} were given; possible is (n, 2)")
    return array[np.isfinite(array).all(axis=1)]


def _cloud(axes: Axes, points: FloatArray, colour: str) -> None:
    shown = points[style.thinned(len(points), 4000)] if len(points) else points
    axes.plot(shown[:, 0], shown[:, 1], ".", color=colour, markersize=1.8, markeredgewidth=0, alpha=0.6)
    share = f"{len(shown):,} of " if len(shown) < len(points) else ""
    style.note(axes, f"{share}{len(points):,} points")


def training_curve(step: ArrayLike, loss: ArrayLike, rate: ArrayLike | None = None) -> Figure:
    """Draw the loss (dimensionless) against the optimiser step, its running mean, and the learning rate."""
    steps, losses = (np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in (step, loss))
    ratios = [2] if rate is None else [2, 1]
    figure = style.blank(120.0, 62.0 if rate is None else 86.0)
    column = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    _losses(style.dress(column[0], "", "Loss (dimensionless)"), steps, losses)
    if rate is not None:
        style.dress(column[1], "", "Learning rate\n(dimensionless)")
        column[1].plot(steps, np.asarray(rate), color=style.VERMILION, linewidth=0.9, marker=_dot(steps))
    column[-1].set_xlabel("Optimiser step", fontproperties=style.font())
    return figure


def _losses(axes: Axes, steps: FloatArray, losses: FloatArray) -> None:
    raw: dict[str, Any] = {
        "color": style.SKY,
        "linewidth": 0.5,
        "alpha": 0.7,
        "marker": _dot(steps),
        "label": "as recorded",
    }
    axes.plot(steps, losses, **raw)
    wide = len(losses) // 40
    if wide > 1:
        means = (_running(each, wide) for each in (steps, losses))
        axes.plot(*means, color=style.BLUE, linewidth=1.1, label=f"mean of {wide}")
    _frame(axes, losses)
    style.legend(axes, loc="upper right")


def _dot(values: FloatArray) -> str:
    """Return the marker without which a lone point would not be seen."""
    return "." if values.size == 1 else ""


def _running(values: FloatArray, wide: int) -> FloatArray:
    """Return the means of groups of `wide` neighbours, what is not finite left out by weight."""
    good = np.isfinite(values).astype(float)
    sums, counts = (
        np.convolve(each, np.ones(wide), mode="valid") for each in (np.nan_to_num(values) * good, good)
    )
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _frame(axes: Axes, losses: FloatArray) -> None:
    """Show all but the first bursts: 99.5 % of the values with some room."""
    flat = style.finite(losses)
    if flat.size > 20:
        low, high = float(flat.min()), float(np.percentile(flat, 99.5))
        room = 0.06 * (high - low) or 0.5
        axes.set_ylim(low - room, high + room)


def quality_bars(qualities: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw one panel of bars for each measure, one bar for each of the named things compared.

    `qualities` maps a name ("analog", "digital", "floor") to its measures, as `asdict(Quality)` gives them;
    a measure may be a list (one value for each macro): the bar is the mean, the values are dots.
    """
    measures = list(dict.fromkeys(name for each in qualities.values() for name in each))
    if not measures:
        raise ValueError("no measure was given; possible is {'analog': {'kl': 1.0}, 'digital': ...}")
    figure = style.blank(style.DOUBLE * min(len(measures), 4) / 4 + 6.0, 58.0)
    row = figure.subplots(1, len(measures), squeeze=False)[0]
    for i, (axes, measure) in enumerate(zip(row, measures, strict=True)):
        style.dress(axes, "", MEASURES.get(measure, measure), "", "abcdefgh"[i % 8])
        values = {name: style.finite(each[measure]) for name, each in qualities.items() if measure in each}
        _bars(axes, values)
    return figure


def _bars(axes: Axes, values: Mapping[str, FloatArray]) -> None:
    """Draw the mean of each list as a bar with its number, single values as dots when there are several."""
    means = [float(each.mean()) if each.size else 0.0 for each in values.values()]
    colours = [_COLOURS[i % len(_COLOURS)] for i in range(len(means))]
    axes.bar(range(len(means)), means, width=0.62, color=colours)
    for i, each in enumerate(values.values()):
        if each.size > 1:
            places = i + np.linspace(-0.15, 0.15, each.size)
            axes.plot(places, each, ".", color=style.INK, markersize=2.5, markeredgewidth=0)
        words = f"{means[i]:.3g}" if each.size else "none"
        above: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "ha": "center"}
        axes.annotate(words, (i, each.max(initial=0.0)), fontproperties=style.font(style.SMALL), **above)
    axes.set_xticks(range(len(means)), list(values))
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_locator(style.few_ticks(5))
    axes.margins(y=0.12)
    axes.set_ylim(bottom=min(0.0, *means, 0.0))
