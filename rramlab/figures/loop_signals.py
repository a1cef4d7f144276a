"""Figure of the signals of closed-loop runs, class by class: integrators, and outputs of the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MILLI = 1e3
PAST = 0.05
"""Share of the run that is shown after its end."""
ACROSS = 3
"""Classes side by side."""
ROWS = (("Integrators (mV)", "x"), ("Outputs (mV)", "out"))
SUBSCRIPTS = str.maketrans("12", "₁₂")


@final
@dataclass(frozen=True, eq=False)
class Signals:
    """Hold signals (V) by name, `x1`, `x2` and maybe `out1`, `out2`, over `time` (s).

    `told`, over `told_time`, are the same signals as another source tells them, such as a board.
    """

    time: FloatArray
    volts: Mapping[str, FloatArray]
    told_time: FloatArray = field(default_factory=lambda: np.zeros(0))
    told: Mapping[str, FloatArray] = field(default_factory=dict)


def loop_signals(classes: Mapping[str, Signals], told: str = "") -> Figure:
    """Draw the signals of one run of each class; `told` names the other source, whose lines are dashed."""
    if not classes:
        raise ValueError("no signals were given; 1 class with x1 and x2 (V) over a time (s) is possible")
    across = min(len(classes), ACROSS)
    down = -(-len(classes) // across)
    rows = [(label, sign) for label, sign in ROWS if any(f"{sign}1" in s.volts for s in classes.values())]
    figure = style.blank(style.DOUBLE * max(0.45, across / ACROSS), down * (34.0 * len(rows)) + 8.0)
    grid = figure.subplots(down * len(rows), across, squeeze=False, sharex=True)
    for i, (name, signals) in enumerate(classes.items()):
        for k, (label, sign) in enumerate(rows):
            axes, column = grid[i // across * len(rows) + k, i % across], i % across
            below = "Time (s)" if k == len(rows) - 1 else ""
            style.dress(axes, below, label if column == 0 else "", f"class {name}" if k == 0 else "")
            axes.tick_params(labelbottom=bool(below))
            _signals(axes, signals, sign, told)
            if column == across - 1 or i == len(classes) - 1:
                style.legend(axes, beside=True)
    for i in range(len(classes), down * across):
        for k in range(len(rows)):
            grid[i // across * len(rows) + k, i % across].remove()
    return figure


def _signals(axes: Axes, signals: Signals, sign: str, told: str) -> None:
    """Draw both signals of a kind, first as captured, on top as told."""
    axes.axhline(0.0, color=style.PALE, linewidth=0.5, zorder=0)
    names = [f"{sign}{k}" for k in (1, 2) if f"{sign}{k}" in signals.volts]
    for colour, name in zip(style.CYCLE, names, strict=False):
        values = MILLI * signals.volts[name]
        axes.plot(signals.time, values, color=colour, linewidth=0.9, label=name.translate(SUBSCRIPTS))
    for number, name in enumerate(name for name in names if name in signals.told):
        label = told if number == 0 else ""
        values = MILLI * signals.told[name]
        axes.plot(signals.told_time, values, "--", color=style.INK, linewidth=0.5, label=label or None)
    if signals.told:  # an oscilloscope looks on for as long as its time base is
        axes.set_xlim(signals.time[0], signals.told_time[-1] + PAST * np.ptp(signals.told_time))
