"""Figures of a decoder on macros: feature maps on the way to a letter, errors of pixels, tiles."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import maps, style
from rramlab.tiling import Tiling

FloatArray = NDArray[np.float64]

LAYERS = {
    "fc2": "fc2, 16 maps",
    "up1": "up1, 8 maps",
    "image": "image",
}
ACROSS = 4
"""Feature maps side by side."""
MICRO = 1e6
MACROS_ACROSS = 5


def feature_maps(pair: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw the feature maps of one letter, decoded in two ways, below each other, and their difference.

    Each way has fc2 (16, 3, 3) and up1 (8, 6, 6), in units of their layer, and image (12, 12) in 0..1.
    """
    if len(pair) != 2:
        raise ValueError(f"{len(pair)} sets of feature maps were given; two can be compared")
    rows = {name: {layer: mosaic(each[layer]) for layer in LAYERS} for name, each in pair.items()}
    first, second = rows.values()
    rows["difference"] = {layer: first[layer] - second[layer] for layer in LAYERS}
    figure = style.blank(style.DOUBLE * 0.86, 128.0)
    grid = figure.subplots(3, len(LAYERS), width_ratios=(1.0, 1.6, 1.0))
    for i, (name, each) in enumerate(rows.items()):
        for axes, layer in zip(grid[i], LAYERS, strict=True):
            _tiled(figure, axes, each[layer], name, float(np.nanmax([first[layer], second[layer]])), layer)
            axes.set_title(LAYERS[layer] if i == 0 else "", fontproperties=style.font(), pad=4)
        grid[i][0].set_ylabel(name, fontproperties=style.font())
        grid[i][0].set_title("abc"[i], fontproperties=style.font(9, "bold"), loc="left", pad=4)
    return figure


def mosaic(values: ArrayLike) -> FloatArray:
    """Return maps (n, side, side), or one (side, side), as one picture with gaps of NaN between them."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim == 2:
        return found
    side, down = found.shape[1], -(-len(found) // ACROSS)
    picture = np.full((down * (side + 1) - 1, ACROSS * (side + 1) - 1), np.nan)
    for k, each in enumerate(found):
        top, left = (side + 1) * (k // ACROSS), (side + 1) * (k % ACROSS)
        picture[top : top + side, left : left + side] = each
    return picture


def pixel_errors(errors: Mapping[str, ArrayLike]) -> Figure:
    """Draw the error of the pixels (n, 12, 12; 1 from paper to ink) of each class: where, and how large."""
    if not errors:
        raise ValueError("no errors were given; 1 class of images (n, 12, 12) or more is possible")
    found = {name: np.asarray(each, dtype=np.float64) for name, each in errors.items()}
    where = {name: np.sqrt(np.mean(each**2, axis=0)) for name, each in found.items()}
    top = max(float(each.max()) for each in where.values())
    figure = style.blank(style.DOUBLE, 54.0)
    row = figure.subplots(1, len(found) + 1, width_ratios=[1.0] * len(found) + [1.5])
    for i, (axes, (name, each)) in enumerate(zip(row, where.items(), strict=False)):
        style.dress(axes, "", "", f"{name}, rms of each pixel", "a" if i == 0 else "")
        image = _bare(axes, each, (0.0, max(top, 1e-6)), maps.LEVELS)
    maps.colour_bar(figure, image, row[len(found) - 1], "rms error")
    _histogram(style.dress(row[-1], "Error of a pixel", "Share of pixels (%)", "", "b"), found)
    return figure


def tile_map(tiling: Tiling, conductance: ArrayLike) -> Figure:
    """Draw the conductances (S; a map of all macros) of the cells in use, macro by macro, tiles named."""
    plane = np.full(tiling.shape, np.nan)
    cells = tiling.cells()
    plane[cells.row, cells.col] = np.asarray(conductance, float)[cells.row, cells.col] * MICRO
    down, across = -(-tiling.macros // MACROS_ACROSS), min(tiling.macros, MACROS_ACROSS)
    figure = style.blank(style.DOUBLE, 48.0 * down)
    places = figure.subplots(down, across, squeeze=False).ravel()
    limits, side = maps.span(plane), tiling.shape[1]
    for number, axes in enumerate(places[: tiling.macros]):
        style.dress(axes, "Column", "Row" if number % across == 0 else "", _named(tiling, number))
        image = maps.draw_map(axes, plane[side * number : side * (number + 1)], limits)
    for axes in places[tiling.macros :]:
        axes.remove()
    maps.colour_bar(figure, image, places[tiling.macros - 1], "Conductance (µS)", thick=0.06)
    return figure


def _named(tiling: Tiling, macro: int) -> str:
    """Return which outputs of which layer stand in a macro."""
    here = [tile for tile in tiling.tiles if tile.place.macro == macro]
    told = [f"{tile.layer} {tile.piece.outputs[0]} to {tile.piece.outputs[1] - 1}" for tile in here]
    return f"Macro {macro}\n" + "\n".join(told)


def _histogram(axes: Axes, errors: Mapping[str, FloatArray]) -> None:
    half = maps.reach(np.concatenate([each.ravel() for each in errors.values()]), 1e-3, 99.0)
    bins = np.linspace(-half, half, 41)
    for colour, (name, each) in zip(style.CYCLE, errors.items(), strict=False):
        words = f"{name}: rms {np.sqrt(np.mean(each**2)):.3f}"
        style.outline(axes, each.ravel(), bins, colour, words)
    axes.set_xlim(-half, half)
    axes.xaxis.set_major_locator(style.few_ticks())
    style.legend(axes, loc="upper right")


def _tiled(figure: Figure, axes: Axes, picture: FloatArray, name: str, top: float, layer: str) -> None:
    """Draw one mosaic; a difference around 0, on a scale of its own."""
    style.thin(axes)
    if name == "difference":
        half = maps.reach(picture, 1e-6, 100.0)
        image = _bare(axes, picture, (-half, half), maps.ERRORS)
    else:
        image = _bare(axes, picture, (0.0, max(top, 1e-6)), "Greys" if layer == "image" else maps.LEVELS)
    maps.colour_bar(figure, image, axes, "", thick=0.04)


def _bare(axes: Axes, picture: FloatArray, limits: tuple[float, float], name: str) -> object:
    image = maps.draw_map(axes, picture, limits, name)
    axes.set(xticks=[], yticks=[])
    return image
