"""Look of the figures: sizes, colours, fonts, and the axes, legends and histograms that all of them share."""

from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray
from PIL import Image

FloatArray = NDArray[np.float64]

DPI = 160
# Column widths of a journal page (mm).
SINGLE, DOUBLE = 89.0, 183.0
SIZE, SMALL = 7.0, 6.5

# Okabe and Ito's colours, told apart by colour-blind readers too.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, INK, GREY = "#CC79A7", "#56B4E9", "#222222", "#8A8A8A"
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INK, GREY)
PALE = "#D9D9D9"

FEW_DECADES = 300.0
"""A log axis whose ends are less than this apart has numbers at 1, 2 and 5."""

_FAMILIES = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")


@cache
def family() -> tuple[str, ...]:
    """Return the sans-serif families of this machine, best first; DejaVu Sans comes with matplotlib."""
    present = set(fontManager.get_font_names())
    return tuple(name for name in _FAMILIES if name in present)


def font(size: float = SIZE, weight: str = "normal") -> FontProperties:
    """Return the font of a text of this size (pt)."""
    return FontProperties(family=list(family()), size=size, weight=weight)


def blank(width: float, height: float) -> Figure:
    """Return an empty figure of this size (mm) that keeps its labels apart."""
    layout = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04)
    figure = Figure(figsize=(width / 25.4, height / 25.4), dpi=DPI, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, x: str = "", y: str = "", title: str = "", letter: str = "") -> Axes:
    """Give axes thin lines, small ticks, labels with units, a title and a panel letter."""
    thin(axes)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(x, fontproperties=font(), labelpad=2)
    axes.set_ylabel(y, fontproperties=font(), labelpad=2)
    axes.set_title(title, fontproperties=font(), pad=4, y=1.0)
    axes.set_title(letter, fontproperties=font(9, "bold"), loc="left", pad=4, y=1.0)
    return axes


def thin(axes: Axes) -> None:
    """Give axes thin frames and small ticks."""
    axes.set_facecolor("white")
    names = list(family())
    axes.tick_params(
        which="both", width=0.5, length=2.5, pad=2, labelsize=SMALL, labelfontfamily=names, color=INK
    )
    axes.tick_params(which="minor", length=1.5)
    for spine in axes.spines.values():
        spine.set_linewidth(0.5)


def square(axes: Axes, extent: float) -> None:
    """Show the plane from -extent to extent (network units) in both directions, as a square with a frame."""
    axes.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
    frame(axes)


def frame(axes: Axes) -> None:
    """Close the frame around axes."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)


def legend(axes: Axes, beside: bool = False, **where: Any) -> None:
    """Draw a small legend without a frame, when there is something to name; `beside` puts it to the right."""
    handles, labels = axes.get_legend_handles_labels()
    place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.05)} if beside else where
    if handles:
        axes.legend(
            handles, labels, prop=font(SMALL), frameon=False, handlelength=1.4, labelspacing=0.3, **place
        )


def note(axes: Axes, text: str, x: float = 0.98, y: float = 0.96) -> None:
    """Write a small remark into axes, at a place in fractions of the axes."""
    side = "right" if x > 0.5 else "left"
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
    look: dict[str, Any] = {"fontproperties": font(SMALL), "color": INK, "ha": side, "va": "top"}
    axes.text(x, y, text, transform=axes.transAxes, bbox=behind, **look)


def finite(values: Any, scale: float = 1.0) -> FloatArray:
    """Return the finite values, flat, multiplied by `scale`."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    return np.asarray(flat[np.isfinite(flat)] * scale)


def edges(*sets: FloatArray, bins: int = 40) -> FloatArray:
    """Return common edges of bins over all finite values, over +-0.5 around a lone one."""
    values = np.concatenate([finite(each) for each in sets]) if sets else np.zeros(0)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def outline(
    axes: Axes, values: Any, bins: FloatArray, colour: str, label: str = "", filled: bool = True
) -> FloatArray:
    """Draw a histogram in percent of all values, those beyond the bins included; return the heights."""
    flat = finite(values)
    heights = 100.0 * np.histogram(flat, bins)[0] / max(flat.size, 1)
    if filled:
        axes.stairs(heights, bins, fill=True, color=colour, alpha=0.25, linewidth=0)
    axes.stairs(heights, bins, color=colour, linewidth=0.9, label=label or None)
    return np.asarray(heights)


def few_ticks(most: int = 4, whole: bool = False) -> MaxNLocator:
    """Return what places a few ticks at round numbers."""
    return MaxNLocator(most, steps=[1, 2, 5, 10], integer=whole, min_n_ticks=1)


def plain_log(axes: Axes) -> None:
    """Scale the y axis logarithmically, with plain numbers at the ticks."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def log_x(axes: Axes) -> None:
    """Scale the x axis logarithmically; its numbers do not overlap, however few decades there are."""
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_xlim()
    if high < FEW_DECADES * low:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def thinned(count: int, most: int = 20_000) -> NDArray[np.intp]:
    """Return evenly spread indices of at most `most` of `count` points, so that a cloud draws fast."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.intp))


def png(figure: Figure, border: int = 12) -> bytes:
    """Return a figure as the bytes of a PNG file, cut to what is drawn and a white border (pixels)."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    ink = pixels.min(axis=2) < 255
    window = tuple(_extent(ink.any(axis=axis), border) for axis in (1, 0))
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[window])).save(stream, "PNG", dpi=(figure.dpi, figure.dpi))
    return stream.getvalue()


def _extent(inked: NDArray[np.bool_], border: int) -> slice:
    """Return the part of a side that holds ink, and a border around it."""
    places = np.flatnonzero(inked)
    if places.size == 0:
        return slice(None)
    return slice(max(int(places[0]) - border, 0), int(places[-1]) + border + 1)
