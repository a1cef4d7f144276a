"""Figure of a distribution on its way: slices in time with trajectories drawn through them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import maps, style

FloatArray = NDArray[np.float64]

_COLOURS = (style.VERMILION, style.ORANGE, style.GREEN, style.PURPLE, style.INK, style.SKY)


@final
@dataclass(frozen=True)
class View:
    """Look at planes of +-extent (network units) obliquely: time to the right, x1 into depth, x2 upwards."""

    extent: float
    duration: float
    length: float

    def project(self, t: ArrayLike, x1: ArrayLike, x2: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return where states (network units) at times (s) lie on paper."""
        depth, height = (np.asarray(x, dtype=np.float64) / self.extent for x in (x1, x2))
        along = np.asarray(t, dtype=np.float64) / self.duration * self.length
        return along + 0.45 * depth, height + 0.28 * depth


def time_slices(
    time: ArrayLike, trace: ArrayLike, *, slices: int = 5, trajectories: int = 6, extent: float | None = None
) -> Figure:
    """Draw the distribution of many runs at evenly spaced times (s), and a few trajectories through them.

    `trace` (samples, runs, 2) is the state of all runs at `time` (samples,), in network units.
    """
    when, states = _checked(time, trace)
    chosen = np.unique(np.linspace(0, when.size - 1, min(slices, when.size)).round().astype(int))
    wide = extent or 1.05 * maps.reach(states, 1e-9, 99.8)
    view = View(wide, float(when[-1] - when[0]) or 1.0, 1.55 * max(len(chosen) - 1, 1))
    densities = [_density(states[i], wide) for i in chosen]
    norm = PowerNorm(0.5, 0.0, max(float(each.max()) for each in densities) or 1.0)
    figure = style.blank(style.DOUBLE, 118.0)
    (top,), (bottom,) = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.5, 1.0))
    axes = _stage(top)
    for order, (t, density) in enumerate(zip(when[chosen], densities, strict=True)):
        _pane(axes, view, t - when[0], density, norm, 2.0 * (len(chosen) - order))
    _trajectories(axes, view, when - when[0], states[:, :trajectories], chosen)
    _name_axes(axes, view, when[chosen])
    _front_views(bottom, when[chosen], densities, wide, norm)
    return figure


def _checked(time: ArrayLike, trace: ArrayLike) -> tuple[FloatArray, FloatArray]:
    when, states = np.atleast_1d(np.asarray(time, dtype=np.float64)), np.asarray(trace, dtype=np.float64)
    if states.ndim != 3 or states.shape[::2] != (when.size, 2) or states.size == 0:
        raise ValueError(
            f"a trace of shape {states.shape} was given; possible is ({when.size} samples, runs, 2)"
        )
    return when, states


def _density(points: FloatArray, extent: float) -> FloatArray:
    """Return the density of the finite ones of some points on a grid (x1, x2) over +-extent."""
    return maps.density(points[np.isfinite(points).all(axis=1)], np.linspace(-extent, extent, 37))


def _stage(figure: SubFigure) -> Axes:
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_title("a", fontproperties=style.font(9, "bold"), loc="left")
    return axes


def _pane(axes: Axes, view: View, t: float, density: FloatArray, norm: Normalize, order: float) -> None:
    """Draw one slice as a pane in space that dims what lies behind it."""
    e = view.extent
    corners = np.stack(view.project(t, [-e, e, e, -e], [-e, -e, e, e]), axis=1)
    axes.add_patch(Polygon(corners, facecolor="white", alpha=0.88, edgecolor="none", zorder=order))
    side = np.linspace(-e, e, density.shape[0] + 1)
    borders = view.project(t, *np.meshgrid(side, side, indexing="ij"))
    shown = np.ma.masked_less_equal(density, 0.0)
    axes.pcolormesh(*borders, shown, cmap=maps.DENSITY, norm=norm, zorder=order + 0.1)
    look: dict[str, Any] = {"fill": False, "edgecolor": style.INK, "linewidth": 0.5, "clip_on": False}
    axes.add_patch(Polygon(corners, zorder=order + 0.2, **look))


def _trajectories(
    axes: Axes, view: View, t: FloatArray, states: FloatArray, chosen: NDArray[np.intp]
) -> None:
    """Draw each run piece by piece, so that every pane dims the piece behind it."""
    dots: dict[str, Any] = {
        "marker": "o",
        "markersize": 2.6,
        "markeredgecolor": "white",
        "markeredgewidth": 0.3,
    }
    for run in range(states.shape[1]):
        colour = _COLOURS[run % len(_COLOURS)]
        x, y = view.project(t, states[:, run, 0], states[:, run, 1])
        for order, (first, last) in enumerate(pairwise(chosen)):
            piece, depth = slice(first, last + 1), 2.0 * (len(chosen) - order) - 1.0
            axes.plot(x[piece], y[piece], color=colour, linewidth=0.8, zorder=depth)
        for order, i in enumerate(chosen):
            axes.plot(x[i], y[i], color=colour, zorder=2.0 * (len(chosen) - order) + 0.5, **dots)


def _name_axes(axes: Axes, view: View, when: FloatArray) -> None:
    """Write the time below each slice and the directions beside the first one."""
    e, font = view.extent, style.font(style.SMALL)
    for t in when:
        x, y = (float(each) for each in view.project(t - when[0], 0.0, -e))
        axes.text(x + 0.25, y - 0.32, f"t = {t:.3g} s", fontproperties=style.font(), ha="center", va="top")
    x, y = (float(each) for each in view.project(0.0, -e, 0.0))
    upwards: dict[str, Any] = {"rotation": 90, "ha": "right", "va": "center", "fontproperties": font}
    axes.text(x - 0.05, y, f"x₂ (±{e:.2g} network units)", **upwards)
    x, y = (float(each) for each in view.project(0.0, 0.0, -e))
    axes.text(x + 0.08, y - 0.02, "x₁", fontproperties=font, ha="left", va="top")
    axes.autoscale_view()


def _front_views(
    figure: SubFigure, when: FloatArray, densities: list[FloatArray], extent: float, norm: Normalize
) -> None:
    """Draw the same slices seen from the front, on one colour scale."""
    row = figure.subplots(1, len(densities), sharey=True, squeeze=False)[0]
    for i, (axes, density) in enumerate(zip(row, densities, strict=True)):
        left, letter = ("x₂ (network units)", "b") if i == 0 else ("", "")
        style.dress(axes, "x₁ (network units)", left, f"t = {when[i]:.3g} s", letter)
        image = maps.draw_density(axes, density, extent, norm)
    maps.colour_bar(figure, image, axes, "Density\n(1/network unit²)")
