"""Figures of letters from the latent plane: sheets, points by class, paths with letters on the way."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]
Images = Mapping[str, FloatArray]

INK = "Greys"
MOST_POINTS = 1500
SHEETS = 3
"""Sheets side by side."""


def letter_sheets(images: Images, *, rows: int = 6, columns: int = 12) -> Figure:
    """Draw the first letters (n, side, side; 0 paper, 1 ink) of each class as a sheet of its own."""
    if not images:
        raise ValueError("no letters were given; 1 class of images (n, side, side) or more is possible")
    across = min(len(images), SHEETS)
    down = -(-len(images) // across)
    width = style.DOUBLE * min(1.0, 0.34 * across)
    figure = style.blank(width, down * (width / across * rows / columns + 8.0))
    places = figure.subplots(down, across, squeeze=False).ravel()
    for i, (axes, (name, letters)) in enumerate(zip(places, images.items(), strict=False)):
        _picture(axes, mosaic(letters, rows, columns))
        axes.set_title(name, fontproperties=style.font(), pad=4)
        axes.set_title("abcdefgh"[i % 8], fontproperties=style.font(9, "bold"), loc="left", pad=4)
    for axes in places[len(images) :]:
        axes.remove()
    return figure


def mosaic(images: ArrayLike, rows: int, columns: int, gap: int = 1) -> FloatArray:
    """Return one picture of images (n, side, side) row by row, paper where there are too few."""
    array = np.asarray(images, dtype=np.float64)
    if array.ndim != 3 or not array.size:
        raise ValueError(f"images of shape {array.shape} were given; possible is (n, side, side), n >= 1")
    height, width = array.shape[1] + gap, array.shape[2] + gap
    sheet = np.zeros((rows * height - gap, columns * width - gap))
    for k, image in enumerate(array[: rows * columns]):
        top, left = k // columns * height, k % columns * width
        sheet[top : top + array.shape[1], left : left + array.shape[2]] = image
    return sheet


def class_clouds(sets: Mapping[str, Mapping[str, ArrayLike]], *, extent: float = 1.2) -> Figure:
    """Draw sets of points (n, 2; network units) side by side, each class of a set in its own colour."""
    if not sets:
        raise ValueError("no points were given; possible is {'analog': {'H': points (n, 2)}, ...}")
    width = style.DOUBLE * min(len(sets), 4) / max(3, min(len(sets), 4))
    figure = style.blank(width, width / len(sets) + 12.0)
    row = figure.subplots(1, len(sets), squeeze=False, sharey=True)[0]
    for i, (axes, (name, groups)) in enumerate(zip(row, sets.items(), strict=True)):
        style.dress(
            axes, "x₁ (network units)", "x₂ (network units)" if i == 0 else "", name, "abcdefgh"[i % 8]
        )
        _clouds(axes, groups)
        style.square(axes, extent)
    style.legend(row[-1], beside=True)
    return figure


def _clouds(axes: Axes, groups: Mapping[str, ArrayLike]) -> None:
    look: dict[str, Any] = {"markersize": 2.0, "markeredgewidth": 0, "alpha": 0.6}
    for colour, (name, points) in zip(_colours(len(groups)), groups.items(), strict=True):
        array = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        shown = array[style.thinned(len(array), MOST_POINTS)] if len(array) else array
        axes.plot(shown[:, 0], shown[:, 1], ".", color=colour, **look)
        axes.plot([], [], ".", color=colour, markersize=6, markeredgewidth=0, label=name)


def letter_paths(
    time: ArrayLike, paths: Mapping[str, ArrayLike], letters: Images, *, extent: float = 1.6
) -> Figure:
    """Draw what became of the same starts under each class: paths in the plane, letters along the way.

    `paths` (starts, samples, 2; network units) are at `time` (samples,; s); `letters` (starts, shown, side,
    side) are decoded at `shown` even moments of it.
    """
    when = np.atleast_1d(np.asarray(time, dtype=np.float64))
    runs = {name: np.asarray(path, dtype=np.float64) for name, path in paths.items()}
    count = min((len(path) for path in runs.values()), default=0)
    if not count or any(path.shape[1:] != (when.size, 2) for path in runs.values()):
        raise ValueError(f"paths were given that are not (starts, {when.size} samples, 2) for each class")
    figure = style.blank(style.DOUBLE, (40.0 if len(runs) < 4 else 11.0 * len(runs)) * count + 6.0)
    for i, part in enumerate(np.ravel(np.array(figure.subfigures(count, 1, squeeze=False), dtype=object))):
        here = {name: path[i] for name, path in runs.items()}
        _one_start(part, when, here, {name: letters[name][i] for name in runs}, extent, i)
    return figure


def _one_start(
    figure: SubFigure,
    when: FloatArray,
    paths: Mapping[str, FloatArray],
    letters: Images,
    extent: float,
    number: int,
) -> None:
    """Draw one start: the plane to the left, one strip of letters for each class to the right."""
    ((left, right),) = figure.subfigures(1, 2, squeeze=False, width_ratios=(1.0, 3.2))
    axes = style.dress(
        left.subplots(), "x₁ (network units)", "x₂ (network units)", "", "abcdefgh"[number % 8]
    )
    for colour, (name, path) in zip(_colours(len(paths)), paths.items(), strict=True):
        axes.plot(path[:, 0], path[:, 1], color=colour, linewidth=0.9, label=name)
        axes.plot(path[-1, 0], path[-1, 1], "o", color=colour, markersize=3, markeredgewidth=0)
    first = next(iter(paths.values()))
    axes.plot(first[0, 0], first[0, 1], "o", color=style.INK, markersize=3, markeredgewidth=0)
    style.square(axes, max(extent, 1.1 * float(np.nanmax(np.abs(first[0])))))
    column = right.subplots(len(paths), 1, squeeze=False)[:, 0]
    for colour, strip, (name, images) in zip(_colours(len(paths)), column, letters.items(), strict=True):
        _picture(strip, mosaic(images, 1, len(images), gap=2))
        strip.set_ylabel(name, fontproperties=style.font(), color=colour, rotation=0, ha="right", va="center")
    _moments(column[-1], when, len(next(iter(letters.values()))), first.shape[0])


def _moments(axes: Axes, when: FloatArray, shown: int, samples: int) -> None:
    """Write the time below each letter of a strip."""
    side = (axes.get_xlim()[1] + 0.5 + 2.0) / shown
    moments = when[even_moments(samples, shown)]
    axes.set_xticks([side * (k + 0.5) - 1.5 for k in range(shown)], [f"{t:.2g} s" for t in moments])
    axes.tick_params(axis="x", length=0, labelsize=style.SMALL, labelfontfamily=list(style.family()))


def even_moments(samples: int, shown: int) -> NDArray[np.intp]:
    """Return the indices of `shown` even moments of a run, its ends among them."""
    return np.linspace(0, samples - 1, shown).round().astype(np.intp)


def _picture(axes: Axes, sheet: FloatArray) -> None:
    style.thin(axes)
    axes.imshow(sheet, cmap=INK, vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set(xticks=[], yticks=[])


def _colours(count: int) -> Sequence[str]:
    return [style.CYCLE[i % len(style.CYCLE)] for i in range(count)]
