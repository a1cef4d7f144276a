"""Figures of disturb: how stressed cells change beside cells left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MICRO = 1e6


@final
@dataclass(frozen=True, eq=False)
class Stressed:
    """Hold one comparison: name, centre of the state (S), stress (looks), readings (looks, cells) in S."""

    name: str
    centre: float
    stress: FloatArray
    stressed: FloatArray
    null: FloatArray


def stress_curves(curves: Sequence[Stressed], axis: str) -> Figure:
    """Draw the mean change of each state against the stress, one panel per state."""
    centres = list(dict.fromkeys(curve.centre for curve in curves))
    columns = min(len(centres), 4)
    rows = -(-len(centres) // columns)
    figure = style.blank(style.DOUBLE if columns > 1 else style.SINGLE, 50.0 * rows + 6.0)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for i, axes in enumerate(grid.ravel()):
        if i >= len(centres):
            axes.set_axis_off()
            continue
        y = "Change of the mean (µS)" if i % columns == 0 else ""
        style.dress(axes, axis, y, f"{MICRO * centres[i]:.0f} µS", "abcdefghijklmnop"[i % 16])
        _panel(axes, [curve for curve in curves if curve.centre == centres[i]])
    style.legend(grid[0, columns - 1], beside=True)
    return figure


def _panel(axes: Axes, curves: Sequence[Stressed]) -> None:
    axes.axhline(0.0, color=style.PALE, linewidth=0.6)
    _curve(axes, curves[0].stress, curves[0].null, style.GREY, "left alone")
    for i, curve in enumerate(curves):
        _curve(axes, curve.stress, curve.stressed, style.CYCLE[i % len(style.CYCLE)], curve.name)
    first = float(curves[0].stress[1]) if curves[0].stress.size > 1 else 1.0
    axes.set_xscale("symlog", linthresh=first)
    axes.set_xlim(-0.2 * first, None)


def _curve(axes: Axes, stress: FloatArray, readings: FloatArray, colour: str, name: str) -> None:
    """Draw the mean change since the first look; bars are standard uncertainties."""
    change = MICRO * (readings - readings[0])
    change = change[:, np.isfinite(change).all(axis=0)]
    doubt = change.std(axis=1, ddof=1) / np.sqrt(max(change.shape[1], 1)) if change.shape[1] > 1 else None
    look: dict[str, Any] = {"fmt": "o-", "markersize": 2.5, "elinewidth": 0.7, "linewidth": 0.8}
    axes.errorbar(stress, change.mean(axis=1), doubt, color=colour, label=name, **look)
