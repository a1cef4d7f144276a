"""Figures of the pulse response: conductance over gate, SL voltage and width, and its spread."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MICRO = 1e6
MOST_CURVES = 7
_COLOURS = {"gate": style.VERMILION, "ladder": style.BLUE, "width": style.GREEN}
_AXES = {"gate": "Gate (V)", "ladder": "SL voltage (V)", "width": "Width (µs)"}
_WORDS = {"gate": "SET over gate", "ladder": "RESET over SL voltage", "width": "SET over width"}


Levels = Any
"""What has `level` (V or s); per level `median`, its `error`, `low` and `high`, the 16 % and 84 % quantile,
`spread` and `spread_error` (S), `cycle` and `cell`, standard deviations of ln(G)."""


def medians(curves: Mapping[str, Levels]) -> Figure:
    """Draw median and middle 68 % of the conductance over gate, SL voltage and width."""
    figure = style.blank(style.DOUBLE, 58.0)
    many = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, letter, (name, curve) in zip(many, "abc", curves.items(), strict=False):
        colour, x = _COLOURS[name], _x(name, curve)
        style.dress(axes, _AXES[name], "Conductance (µS)", _WORDS[name], letter)
        axes.fill_between(x, MICRO * curve.low, MICRO * curve.high, color=colour, alpha=0.2, linewidth=0)
        look = {"color": colour, "linewidth": 1.0, "marker": "o", "markersize": 2.5, "capsize": 1.5}
        axes.errorbar(x, MICRO * curve.median, MICRO * curve.error, label="median", elinewidth=0.6, **look)
        axes.set_ylim(0, None)
        _scaled(axes, name)
    return figure


def spreads(curves: Mapping[str, Levels]) -> Figure:
    """Draw the spread of the conductance (S), and its parts: from cycle to cycle, from cell to cell."""
    figure = style.blank(style.DOUBLE, 100.0)
    many = figure.subplots(2, len(curves), squeeze=False)
    for k, (name, curve) in enumerate(curves.items()):
        x, (top, bottom) = _x(name, curve), many[:, k]
        style.dress(top, _AXES[name], "Spread (µS)", _WORDS[name], "abc"[k])
        look = {"color": _COLOURS[name], "linewidth": 1.0, "marker": "o", "markersize": 2.5, "capsize": 1.5}
        top.errorbar(x, MICRO * curve.spread, MICRO * curve.spread_error, elinewidth=0.6, **look)
        style.dress(bottom, _AXES[name], "σ of ln G", "", "def"[k])
        for values, dashes, words in (
            (curve.cell, "-", "cell to cell"),
            (curve.cycle, "--", "cycle to cycle"),
        ):
            bottom.plot(x, values, dashes, color=_COLOURS[name], marker="o", markersize=2.5, label=words)
        style.legend(bottom, loc="best")
        for axes in (top, bottom):
            axes.set_ylim(0, None)
            _scaled(axes, name)
    return figure


def distributions(levels: ArrayLike, readings: ArrayLike, erased: ArrayLike) -> Figure:
    """Draw cumulative distributions of the conductance (S) per gate (V), (levels, readings), and erased."""
    volts, table = np.asarray(levels, float), np.asarray(readings, float)
    figure = style.blank(120.0, 66.0)
    axes = style.dress(figure.subplots(), "Conductance (µS)", "Share of readings (%)")
    _cumulate(axes, np.asarray(erased, float), style.INK, "erased")
    shown = np.unique(np.linspace(0, len(volts) - 1, min(len(volts), MOST_CURVES)).astype(int))
    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(shown)))
    for k, colour in zip(shown, colours, strict=True):
        _cumulate(axes, table[k], colour, f"gate {volts[k]:g} V")
    style.log_x(axes)
    axes.set_ylim(0, 100)
    style.legend(axes, beside=True)
    return figure


def _cumulate(axes: Axes, values: FloatArray, colour: object, label: str) -> None:
    found = np.sort(style.finite(values))
    found = found[found > 0]
    if found.size:
        share = 100.0 * (np.arange(found.size) + 0.5) / found.size
        axes.plot(MICRO * found, share, color=colour, linewidth=0.9, label=label)


def _x(name: str, curve: Levels) -> FloatArray:
    return np.asarray(curve.level * (MICRO if name == "width" else 1.0))


def _scaled(axes: Axes, name: str) -> None:
    if name == "width":
        style.log_x(axes)
        axes.xaxis.set_major_locator(LogLocator())
