"""Maps of arrays: cells as squares, cells not in use in grey, a colour bar with its unit, failures marked."""

from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import style
from rramlab.outcome import Outcome

FloatArray = NDArray[np.float64]
Limits = tuple[float, float]

LEVELS, ERRORS, WEIGHTS, COUNTS, DENSITY = "viridis", "RdBu_r", "PuOr_r", "cividis", "Blues"

# Shape and colour together, so that either alone tells the outcomes apart.
MARKS = {
    Outcome.PENDING: (".", style.INK, "pending"),
    Outcome.PULSES_SPENT: ("o", style.ORANGE, "pulses spent"),
    Outcome.ENERGY_SPENT: ("s", style.SKY, "energy spent"),
    Outcome.NO_RESPONSE: ("D", style.PURPLE, "no response"),
    Outcome.STUCK_LOW: ("v", style.GREEN, "stuck low"),
    Outcome.STUCK_HIGH: ("^", style.VERMILION, "stuck high"),
    Outcome.UNFORMED: ("X", style.INK, "unformed"),
    Outcome.UNKNOWN: ("P", style.GREY, "unknown"),
}


def plane(values: ArrayLike, scale: float = 1.0) -> FloatArray:
    """Return a map (rows, columns) in shown units, or refuse what is no map."""
    array = np.asarray(values, dtype=np.float64) * scale
    if array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"a map of shape {array.shape} was given; possible is (rows, columns), 1 cell or more"
        )
    return array


def height(shape: tuple[int, ...], width: float, least: float = 8.0) -> float:
    """Return the height (mm) of a map of this width (mm) with square cells, within what a page can take."""
    return float(np.clip(width * shape[0] / shape[1], least, 120.0))


def colours(name: str) -> Colormap:
    """Return a colour map that shows what is not a number in grey."""
    return colormaps[name].with_extremes(bad=style.PALE)


def pale_blues() -> Colormap:
    """Return the density colours without their dark end, on which black arrows would drown."""
    return ListedColormap(colormaps[DENSITY](np.linspace(0.0, 0.7, 256))).with_extremes(bad=style.PALE)


def draw_map(axes: Axes, values: FloatArray, limits: Limits, name: str = LEVELS) -> AxesImage:
    """Draw a map of cells, row 0 on top, each cell a square."""
    image = axes.imshow(np.ma.masked_invalid(values), cmap=colours(name), vmin=limits[0], vmax=limits[1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(style.few_ticks(whole=True))
    style.frame(axes)
    return image


def density(points: FloatArray, side: FloatArray) -> FloatArray:
    """Return the density (1/network unit^2) of points (n, 2) on a square grid (x1, x2) with these edges."""
    counts = np.histogram2d(points[:, 0], points[:, 1], bins=(side, side))[0]
    return np.asarray(counts / max(len(points), 1) / (side[1] - side[0]) ** 2)


def draw_density(axes: Axes, values: FloatArray, extent: float, norm: Normalize) -> AxesImage:
    """Draw a density (x1, x2) on the plane of +-extent (network units)."""
    corners = (-extent, extent, -extent, extent)
    image = axes.imshow(values.T, origin="lower", extent=corners, cmap=DENSITY, norm=norm)
    style.square(axes, extent)
    return image


def colour_bar(
    figure: Figure | SubFigure,
    image: Any,
    axes: Axes,
    label: str,
    *,
    thick: float = 0.05,
    long: float = 1.0,
    below: bool = False,
) -> None:
    """Draw a colour bar with its unit beside or below axes, `thick` and `long` in parts of their sides.

    It is pointed where values lie beyond the colours.
    """
    place = (
        (0.0, -0.27, 1.0, thick) if below else (1.03 + 0.6 * (thick - 0.05), 0.5 - 0.5 * long, thick, long)
    )
    direction = "horizontal" if below else "vertical"
    look: dict[str, Any] = {"orientation": direction, "extend": beyond(image), "extendfrac": 0.04}
    bar = figure.colorbar(image, cax=axes.inset_axes(place), ticks=style.few_ticks(5), **look)
    bar.set_label(label, fontproperties=style.font(), labelpad=3)
    style.thin(bar.ax)
    bar.outline.set_linewidth(0.5)


def beyond(image: Any) -> Literal["neither", "min", "max", "both"]:
    """Return at which ends values lie beyond the colours of an image."""
    values = style.finite(np.ma.filled(image.get_array(), np.nan))
    if values.size == 0:
        return "neither"
    slack = 1e-9 * max(image.norm.vmax - image.norm.vmin, 1e-30)
    low, high = values.min() < image.norm.vmin - slack, values.max() > image.norm.vmax + slack
    return "both" if low and high else "min" if low else "max" if high else "neither"


def span(values: ArrayLike) -> Limits:
    """Return the smallest and largest finite value, kept apart when they are one."""
    flat = style.finite(values)
    low, high = (float(flat.min()), float(flat.max())) if flat.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def reach(values: ArrayLike, least: float, share: float = 99.0) -> float:
    """Return the half-width of a scale around 0 that shows `share` percent of the values, or `least`."""
    flat = np.abs(style.finite(values))
    return max(float(np.percentile(flat, share)) if flat.size else 0.0, least)


def failed(outcome: ArrayLike | None, used: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the outcome of each cell that is in use and did not converge, CONVERGED elsewhere."""
    codes = np.full(used.shape, int(Outcome.CONVERGED), np.intp)
    if outcome is None:
        return codes
    given = np.nan_to_num(np.asarray(outcome, dtype=np.float64), nan=int(Outcome.CONVERGED)).astype(np.intp)
    if given.shape != used.shape:
        raise ValueError(
            f"outcomes of shape {given.shape} were given; possible is that of the map, {used.shape}"
        )
    return np.where(used, given, codes)


def mark_failures(axes: Axes, codes: NDArray[np.intp]) -> list[Line2D]:
    """Mark each failed cell with the sign of its outcome; return the legend of those that occur."""
    size = float(np.clip(110.0 / max(codes.shape), 0.7, 5.0))
    entries = []
    for outcome, (sign, colour, words) in MARKS.items():
        rows, cols = np.nonzero(codes == outcome)
        if rows.size:
            look: dict[str, Any] = {"marker": sign, "color": colour, "markeredgecolor": "white", "ls": "none"}
            axes.plot(cols, rows, markersize=size, markeredgewidth=0.1 * size, **look)
            entries.append(
                Line2D([], [], markersize=4.5, markeredgewidth=0.4, label=f"{words} ({rows.size})", **look)
            )
    return entries
