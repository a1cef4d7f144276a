"""Figure of what a calibration does to readings."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from calibration.page.conductance import Reading
from rramlab.figures import style

MICRO = 1e6


def before_and_after(readings: Sequence[Reading], shown: Reading) -> Figure:
    """Draw the error of readings against conductance, and of one conductance cell by cell."""
    figure = style.blank(style.DOUBLE, 66.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Conductance (µS)", "Error of a reading (µS)", "", "a")
    _bands(left, readings)
    style.dress(right, f"Of a reading of {MICRO * shown.conductance:g} µS (µS)", "Cells (%)", "", "b")
    _cells(right, shown)
    return figure


def _bands(axes: Axes, readings: Sequence[Reading]) -> None:
    x = [MICRO * one.conductance for one in readings]
    low, high = (np.array([MICRO * one.middle[side] for one in readings]) for side in (0, 1))
    sure = np.array([2.0 * MICRO * float(np.median(one.uncertainty)) for one in readings])
    axes.fill_between(x, low, high, color=style.VERMILION, alpha=0.3, linewidth=0, label="as reported")
    axes.fill_between(x, -sure, sure, color=style.BLUE, alpha=0.8, linewidth=0, label="corrected")
    axes.axhline(0.0, color=style.INK, linewidth=0.5)
    style.legend(axes, loc="upper left")


def _cells(axes: Axes, shown: Reading) -> None:
    """Draw how far off the reports are beside how uncertain they are once corrected, cell by cell."""
    sure = MICRO * shown.uncertainty
    least = 0.3 * float(sure.min())
    off = np.maximum(MICRO * np.abs(shown.error), least)  # closer than that is close enough
    bins = np.geomspace(0.9 * least, 1.25 * max(off.max(), sure.max()), 40)
    style.outline(axes, off, bins, style.VERMILION, "as reported: how far off")
    style.outline(axes, sure, bins, style.BLUE, "corrected: standard uncertainty")
    style.log_x(axes)
    axes.set_ylim(0.0, 1.35 * axes.get_ylim()[1])  # room for the legend
    style.legend(axes, loc="upper right")
