"""Figures of a noise study: curves with error bars over macros, heat maps, tolerances, passes and waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MAP = "viridis"
KIND_COLOURS = {"ODE": style.BLUE, "SDE": style.VERMILION}
LINES = ("-", "--", ":")


@final
@dataclass(frozen=True, eq=False)
class Line:
    """Hold one curve: name, sampler ("ODE" or "SDE"), number of its line style, values (levels, macros)."""

    name: str
    kind: str
    dash: int
    values: FloatArray


@final
@dataclass(frozen=True)
class Bar:
    """Hold one tolerance with its interval; infinite is beyond what was tried."""

    name: str
    kind: str
    level: float
    low: float
    high: float


def noise_curves(
    levels: FloatArray, panels: Mapping[str, Sequence[Line]], x: str, threshold: float | None = None
) -> Figure:
    """Draw a panel for each measure: means over macros with standard errors, each macro as a faint dot.

    `threshold` is drawn as a level in the first panel.
    """
    figure = style.blank(style.DOUBLE if len(panels) > 1 else 110.0, 68.0)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for i, (axes, (name, lines)) in enumerate(zip(row, panels.items(), strict=True)):
        style.dress(axes, x, name, "", "abcdefgh"[i % 8] if len(panels) > 1 else "")
        for line in lines:
            _curve(axes, levels, line)
        axes.yaxis.set_major_locator(style.few_ticks(5))
    if threshold is not None:
        row[0].axhline(threshold, color=style.GREY, linewidth=0.6, linestyle=":")
    style.legend(row[-1], beside=True)
    return figure


def _curve(axes: Axes, levels: FloatArray, line: Line) -> None:
    mean, error = _mean(line.values)
    colour, dash = KIND_COLOURS.get(line.kind, style.INK), LINES[line.dash % len(LINES)]
    every = np.repeat(levels, line.values.shape[1])
    axes.plot(every, line.values.ravel(), ".", color=colour, markersize=2.4, markeredgewidth=0, alpha=0.4)
    look: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 1.0, "elinewidth": 0.6}
    axes.errorbar(levels, mean, error, capsize=1.5, capthick=0.6, label=line.name, **look)


def _mean(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard error over macros (levels, macros); one macro alone has no error."""
    count = values.shape[1]
    spread = values.std(axis=1, ddof=1) if count > 1 else np.zeros(len(values))
    return values.mean(axis=1), spread / count**0.5


def noise_maps(
    maps: Mapping[str, FloatArray], write: Sequence[str], read: Sequence[str], x: str, y: str, label: str
) -> Figure:
    """Draw a heat map (write levels, read levels) for each name, on one scale, with its numbers."""
    columns = min(len(maps), 2)
    rows = -(-len(maps) // columns)
    figure = style.blank(style.DOUBLE, 10.0 + rows * (16.0 + 7.0 * len(read)))
    grid = figure.subplots(rows, columns, squeeze=False)
    least = min(float(values.min()) for values in maps.values())
    norm = Normalize(max(least, 0.0), 1.0)
    for i, (axes, (name, values)) in enumerate(zip(grid.ravel(), maps.items(), strict=False)):
        style.dress(axes, x, y if i % columns == 0 else "", name, "abcdefgh"[i % 8])
        image = axes.imshow(values.T, cmap=MAP, norm=norm, aspect="auto", origin="lower")
        axes.set_xticks(range(len(write)), list(write))
        axes.set_yticks(range(len(read)), list(read))
        axes.tick_params(length=0)
        style.frame(axes)
        _numbers(axes, values, norm)
    bar = figure.colorbar(image, ax=grid, fraction=0.025, pad=0.02)
    bar.set_label(label, fontproperties=style.font())
    bar.ax.tick_params(labelsize=style.SMALL, width=0.5, length=2)
    return figure


def _numbers(axes: Axes, values: FloatArray, norm: Normalize) -> None:
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if norm(float(value)) < 0.6 else style.INK
        text: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
        axes.text(i, j, f"{value:.2f}", fontproperties=style.font(style.SMALL), **text)


def tolerance_bars(panels: Mapping[str, Sequence[Bar]], most: Mapping[str, float]) -> Figure:
    """Draw tolerances with their intervals, a panel for each unit; an arrow where none was reached.

    `most` is the largest level that was tried, by panel.
    """
    figure = style.blank(style.DOUBLE if len(panels) > 1 else 100.0, 62.0)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for i, (axes, (label, bars)) in enumerate(zip(row, panels.items(), strict=True)):
        style.dress(axes, "", label, "", "abcdefgh"[i % 8] if len(panels) > 1 else "")
        for place, bar in enumerate(bars):
            _bar(axes, place, bar, most[label])
        axes.set_xticks(range(len(bars)), [bar.name for bar in bars])
        axes.tick_params(axis="x", length=0)
        axes.set_ylim(bottom=0.0)
        axes.margins(x=0.08)
    return figure


def _bar(axes: Axes, place: int, bar: Bar, most: float) -> None:
    height = bar.level if isfinite(bar.level) else most
    axes.bar([place], [height], width=0.6, color=KIND_COLOURS.get(bar.kind, style.INK), alpha=0.85)
    low, high = (edge if isfinite(edge) else most for edge in (bar.low, bar.high))
    if isfinite(bar.level):
        spread = [[max(height - low, 0.0)], [max(high - height, 0.0)]]
        axes.errorbar([place], [height], spread, color=style.INK, capsize=2, linewidth=0.8)
    words = f"{bar.level:.2f}" if isfinite(bar.level) else f"> {most:g}"
    above: dict[str, Any] = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center"}
    axes.annotate(words, (place, max(height, high)), fontproperties=style.font(style.SMALL), **above)


def programming_life(
    waits: Sequence[str], passes: Sequence[int], panels: Mapping[str, FloatArray], y: str
) -> Figure:
    """Draw a panel for each name: a measure (passes, waits, macros) over the waits, one line for each passes.

    Panels share their scale, so that they compare.
    """
    figure = style.blank(style.DOUBLE, 62.0)
    row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for i, (axes, (name, values)) in enumerate(zip(row, panels.items(), strict=True)):
        style.dress(axes, "Wait", y if i == 0 else "", name)
        for k, count in enumerate(passes):
            mean, error = _mean(values[k])
            places = np.arange(len(waits)) + 0.08 * (k - 0.5 * (len(passes) - 1))
            label = f"{count} pass" if count == 1 else f"{count} passes"
            look: dict[str, Any] = {"color": style.CYCLE[k % len(style.CYCLE)], "linewidth": 0.9}
            axes.errorbar(places, mean, error, marker=".", markersize=4, capsize=1.5, label=label, **look)
        axes.set_xticks(range(len(waits)), list(waits))
    row[0].set_ylim(bottom=0.0)
    row[0].yaxis.set_major_locator(style.few_ticks(5))
    style.legend(row[-1], beside=True)
    return figure
