"""Figure of a rig: the condition of each cell, and what it reads."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from rramlab.figures import maps, style

MICRO = 1e6
_COLOURS = (style.PALE, style.INK, style.VERMILION, style.PURPLE, style.ORANGE, "white")


def condition_map(conductance: ArrayLike, condition: ArrayLike, names: Mapping[int, str]) -> Figure:
    """Draw codes of conditions and conductances (S), both (rows, columns); `names` holds words per code."""
    found, codes = maps.plane(conductance, MICRO), maps.plane(condition)
    shape = found.shape
    width = float(np.clip(100.0 * shape[1] / shape[0], 22.0, 54.0))
    figure = style.blank(2 * width + 46.0, max(40.0, maps.height(shape, width)) + 26.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Column", "Row", "Condition", "a")
    _draw_codes(left, codes, names)
    style.dress(right, "Column", "", "Reading", "b")
    known = style.finite(found)
    top = float(np.percentile(known, 99.0)) if known.size else 1.0
    image = maps.draw_map(right, found, (0.0, max(top, 1e-3)))
    maps.colour_bar(figure, image, right, "Conductance (µS)")
    return figure


def _draw_codes(axes: Axes, codes: np.ndarray, names: Mapping[int, str]) -> None:
    norm = BoundaryNorm(np.arange(len(_COLOURS) + 1) - 0.5, len(_COLOURS))
    axes.imshow(codes, cmap=ListedColormap(list(_COLOURS)), norm=norm)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(style.few_ticks(whole=True))
    style.frame(axes)
    present = [code for code in names if (codes == code).any()]
    patches = [
        Patch(color=_COLOURS[code], label=f"{names[code]} ({int((codes == code).sum())})") for code in present
    ]
    axes.legend(
        handles=patches, prop=style.font(style.SMALL), frameon=False, loc="upper center",
        bbox_to_anchor=(0.5, -0.08), ncols=1 if codes.shape[0] > 2 * codes.shape[1] else 2, handlelength=1.0,
    )  # fmt: skip
