"""Figure of a training on letters: letters and what comes back, their latents, and the decoder's plane."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import style
from rramlab.figures.letters import mosaic

FloatArray = NDArray[np.float64]
Groups = Mapping[str, FloatArray]

MOST_POINTS = 1500
COLUMNS = 24
PLANES = 84.0
"""Height of the two planes with their labels (mm)."""


def letter_training(
    letters: Groups, rebuilt: Groups, latents: Groups, plane: ArrayLike, *, extent: float, source: str
) -> Figure:
    """Draw letters (n, side, side) of each class above what came back, the latents, and a decoded grid.

    `latents` (m, 2) are in network units; `plane` (k k, side, side) are the letters at an even grid over
    +-extent, row after row from the top. `source` says what letters these are.
    """
    if not letters or list(letters) != list(rebuilt):
        raise ValueError("letters and what came back were given for different classes, or for none")
    pairs = [mosaic(each[name], 1, COLUMNS) for name in letters for each in (letters, rebuilt)]
    sheet = np.concatenate(pairs)
    height = (style.DOUBLE - 8.0) * len(sheet) / sheet.shape[1]
    figure = style.blank(style.DOUBLE, height + PLANES)
    ((top,), (bottom,)) = figure.subfigures(2, 1, squeeze=False, height_ratios=(height + 6.0, PLANES - 6.0))
    axes = _picture(top.subplots(), sheet, f"Letters ({source}), each above what comes back", "a")
    side = len(pairs[0])
    axes.set_yticks([side * (2 * i + 1) - 0.5 for i in range(len(letters))], list(letters))
    axes.tick_params(axis="y", length=0)
    plain, decoded = bottom.subplots(1, 2)
    _latents(plain, latents, extent, source)
    count = round(len(np.asarray(plane)) ** 0.5)
    _picture(decoded, mosaic(plane, count, count, gap=0), "The plane, decoded", "c")
    _grid_ticks(decoded, extent)
    return figure


def _latents(axes: Axes, latents: Groups, extent: float, source: str) -> None:
    style.dress(axes, "x₁ (network units)", "x₂ (network units)", f"Latents ({source})", "b")
    for i, (name, points) in enumerate(latents.items()):
        shown = points[style.thinned(len(points), MOST_POINTS)] if len(points) else points
        colour = style.CYCLE[i % len(style.CYCLE)]
        axes.plot(shown[:, 0], shown[:, 1], ".", color=colour, markersize=1.8, markeredgewidth=0, alpha=0.6)
        axes.plot([], [], ".", color=colour, markersize=6, markeredgewidth=0, label=name)
    style.square(axes, extent)
    style.legend(axes, beside=True)


def _picture(axes: Axes, sheet: FloatArray, title: str, letter: str) -> Axes:
    style.dress(axes, "", "", title, letter)
    axes.imshow(sheet, cmap="Greys", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    style.frame(axes)
    return axes


def _grid_ticks(axes: Axes, extent: float) -> None:
    """Write network units along a picture of the plane."""
    low, high = axes.get_xlim()
    places = [low, 0.5 * (low + high), high]
    axes.set_xticks(places, [f"−{extent:g}", "0", f"{extent:g}"])
    axes.set_yticks(places, [f"{extent:g}", "0", f"−{extent:g}"])
    axes.set_xlabel("x₁ (network units)", fontproperties=style.font(), labelpad=2)
    axes.set_ylabel("x₂ (network units)", fontproperties=style.font(), labelpad=2)
