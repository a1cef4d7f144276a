"""Draw predictions beside measurements."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rramlab.figures import style
from sim_backend.fit.compare import Point
from sim_backend.fit.pulses import Pulses
from sim_backend.fit.relaxation import MANY, Relaxing
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]

_MICRO = 1e6
_MOST_PANELS = 9
_BESIDE = 0.3
"""How far predictions are drawn beside what was measured, in steps."""


def against(fitted: Sequence[Point], held: Sequence[Point], goals: dict[str, float], scale: float) -> Figure:
    """Draw predicted against measured figures, one panel per figure, with bands for the goals (relative)."""
    names = list(goals)
    figure = style.blank(style.DOUBLE, 74.0)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name, letter in zip(panels, names, "abcd", strict=False):
        unit = "µS" if scale != 1.0 else "ratio"
        style.dress(axes, f"Measured {name} ({unit})", f"Predicted {name} ({unit})", "", letter)
        _cloud(axes, fitted, name, scale, style.GREY, "fitted")
        _cloud(axes, held, name, scale, style.VERMILION, "held back")
        _diagonal(axes, goals[name])
        style.legend(axes, loc="upper left")
    return figure


def responses(experiment: Pulses, preset: Preset, rng: np.random.Generator) -> Figure:
    """Draw the median and the middle 68 % of the conductance after a pulse over the gate, drive by drive."""
    t, simulated = experiment.table, experiment.simulate(preset, rng, 2)
    widths = np.unique(t["width"])
    shown = widths[np.unique(np.linspace(0, len(widths) - 1, min(len(widths), _MOST_PANELS)).astype(int))]
    figure = style.blank(style.DOUBLE, 62.0 * -(-len(shown) // 3))
    panels = figure.subplots(-(-len(shown) // 3), min(len(shown), 3), squeeze=False, sharey=True)
    for axes, width in zip(panels.ravel(), shown, strict=False):
        rows = t["width"] == width
        fate = "held back" if np.all(experiment.held[rows]) else "fitted"
        style.dress(axes, "Gate (V)", "G after (µS)", f"{width * 1e9:g} ns, {fate}")
        _drives(axes, experiment, simulated, rows)
    for axes in panels.ravel()[len(shown) :]:
        axes.set_visible(False)
    style.legend(panels.ravel()[0], ncols=2, loc="center right")
    return figure


def sequence(experiment: Pulses, preset: Preset, rng: np.random.Generator) -> Figure:
    """Draw the conductance after each step of a run of pulses, all repeats together."""
    t, simulated = experiment.table, experiment.simulate(preset, rng, 2)
    figure = style.blank(style.DOUBLE, 74.0)
    axes = style.dress(figure.subplots(), "Step of a repeat", "G after (µS)")
    reset = t["v_sl"] > t["v_bl"]
    for colour, mine, name in ((style.VERMILION, ~reset, "SET"), (style.BLUE, reset, "RESET")):
        steps = np.unique(t["part"][mine & (t["part"] >= 0)])
        parts = [np.flatnonzero(mine & (t["part"] == step)) for step in steps]
        low, middle, high = _MICRO * np.array([_middle(t["after"][p]) for p in parts]).T
        axes.errorbar(
            steps + 1, middle, (middle - low, high - middle), fmt="o", color=colour, markersize=3,
            elinewidth=0.8, label=f"{name}, measured",
        )  # fmt: skip
        said = _MICRO * np.array([_middle(simulated[:, p]) for p in parts]).T
        for row, look in zip(said, ("_", "x", "_"), strict=True):
            where = steps + 1 + _BESIDE
            axes.plot(
                where,
                row,
                look,
                color=colour,
                markersize=4,
                label=f"{name}, predicted" if look == "x" else None,
            )
    style.plain_log(axes)
    style.legend(axes, beside=True)
    return figure


def relaxing(fitted: Sequence[Point], held: Sequence[Point], experiment: Relaxing) -> Figure:
    """Draw the spread and tails over time, band by band: dots measured, lines predicted.

    Of few cells the tails are those of one or two: the spread without them stands in their place.
    """
    figure = style.blank(style.DOUBLE, 84.0)
    panels = figure.subplots(1, 2)
    captions = [("sigma", "Standard deviation of the change (µS)", _MICRO)]
    if min(p.count for p in [*fitted, *held]) < MANY:
        captions = [("spread", "Spread of the change, middle 68 % (µS)", _MICRO), *captions]
    else:
        tail = next(name for name in experiment.figures() if name.startswith("share"))
        captions.append((tail, f"{tail} (%)", 100.0))
    for axes, (name, label, scale), letter in zip(panels, captions, "ab", strict=True):
        style.dress(axes, "Time since programming (s)", label.replace(" uS", " µS"), "", letter)
        _bands(axes, [*fitted, *held], name, scale, experiment)
        axes.set_xscale("log")
        axes.set_ylim(0, None)
        first_held = experiment.nominal[experiment.held]
        if len(first_held):
            axes.axvspan(first_held.min() / 2.0, first_held.max() * 2.0, color=style.PALE, alpha=0.5, lw=0)
    style.legend(panels[0], beside=False, loc="upper left")
    return figure


def _cloud(axes: Axes, points: Sequence[Point], name: str, scale: float, colour: str, label: str) -> None:
    mine = [p for p in points if p.figure == name]
    if not mine:
        return
    x, y = ([getattr(p, side) * scale for p in mine] for side in ("measured", "predicted"))
    error = [p.error * scale for p in mine]
    look: dict[str, Any] = {"fmt": "o", "markersize": 2.2, "elinewidth": 0.4, "color": colour, "alpha": 0.8}
    axes.errorbar(x, y, xerr=error, label=label, **look)


def _diagonal(axes: Axes, goal: float) -> None:
    low, high = (f(*axes.get_xlim(), *axes.get_ylim()) for f in (min, max))
    line = np.array([max(low, 0.0), high])
    axes.fill_between(line, line * (1.0 - goal), line * (1.0 + goal), color=style.PALE, alpha=0.5, lw=0)
    axes.plot(line, line, color=style.INK, linewidth=0.6)
    axes.set(xlim=(line[0], line[1]), ylim=(line[0], line[1]))
    style.note(axes, f"grey: ±{goal:.0%}", y=0.08)


def _drives(axes: Axes, experiment: Pulses, simulated: FloatArray, rows: NDArray[np.bool_]) -> None:
    t = experiment.table
    drive = t["v_bl"] - t["v_sl"]
    for colour, volt in zip(style.CYCLE, np.unique(drive[rows]), strict=False):
        mine = rows & (drive == volt)
        gates = np.unique(t["v_wl"][mine])
        parts = [np.flatnonzero(mine & (t["v_wl"] == gate)) for gate in gates]
        seen = np.array([np.nanquantile(t["after"][p], [0.16, 0.5, 0.84]) for p in parts]) * _MICRO
        said = np.array([np.nanmedian(simulated[:, p]) for p in parts]) * _MICRO
        axes.fill_between(gates, seen[:, 0], seen[:, 2], color=colour, alpha=0.15, linewidth=0)
        axes.plot(gates, seen[:, 1], "o", markersize=1.8, color=colour)
        axes.plot(gates, said, color=colour, linewidth=0.8, label=f"{volt:+g} V")


def _middle(values: FloatArray) -> FloatArray:
    """Return the 16 %, 50 % and 84 % quantile."""
    return np.asarray(np.nanquantile(values, [0.16, 0.5, 0.84]))


def _bands(axes: Axes, points: Sequence[Point], name: str, scale: float, experiment: Relaxing) -> None:
    edges = [f"{1e6 * low:g} to {1e6 * high:g} uS" for low, high in pairwise(experiment.bands)]
    for colour, label in zip(style.CYCLE, edges, strict=False):
        mine = [p for p in points if p.figure == name and p.label.startswith(f"{label},")]
        times = np.array([float(p.label.rsplit(", ", 1)[1].split()[0]) for p in mine])
        order = np.argsort(times)
        seen, said = (np.array([getattr(p, side) for p in mine]) for side in ("measured", "predicted"))
        axes.plot(times[order], seen[order] * scale, "o", markersize=2.5, color=colour)
        shown = label.replace(" uS", " µS")
        axes.plot(times[order], said[order] * scale, color=colour, linewidth=0.8, label=shown)
