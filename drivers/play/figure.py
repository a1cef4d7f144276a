"""Draw the runs of the published firmware over time."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drivers.play.outcome import Outcome
from drivers.play.request import title
from rramlab.figures import style
from rramlab.loop import Coefficients

MOST = 30
"""Runs of a table that are drawn."""


def waveforms(found: Outcome) -> Figure:
    """Draw states, outputs where they were seen, and coefficients of all runs against time (s)."""
    seen_output = any(np.isfinite(seen.output).any() for seen in found.seen.values())
    rows = [("state", 0, "x₁"), ("state", 1, "x₂")]
    rows += [("output", 0, "y₁"), ("output", 1, "y₂")] if seen_output else []
    figure = style.blank(style.DOUBLE * 0.75, 30.0 * (len(rows) + 1) + 6.0)
    column = figure.subplots(len(rows) + 1, 1, sharex=True, squeeze=False)[:, 0]
    for i, (axes, (what, k, sign)) in enumerate(zip(column, rows, strict=False)):
        style.dress(axes, "", f"{sign} (mV)", "", "abcdefgh"[i])
        _runs(axes, found, what, k)
    style.legend(column[0], beside=True)
    last = style.dress(column[-1], "Time (s)", "Coefficient (1/s)", "", "abcdefgh"[len(rows)])
    _coefficients(last, next(iter(found.coefficients.values())))
    figure.align_ylabels(column.tolist())
    return figure


def ends(found: Outcome) -> Figure:
    """Draw where runs began and ended in the plane of the two states (network units)."""
    figure = style.blank(style.SINGLE, 72.0)
    axes = style.dress(figure.subplots(), "x₁ (network units)", "x₂ (network units)")
    for number, (table, seen) in enumerate(found.seen.items()):
        colour = style.CYCLE[number % len(style.CYCLE)]
        axes.plot(*seen.end.T, "o", color=colour, markersize=3.5, markeredgewidth=0, label=title(table))
        axes.plot(*seen.state[:1, 0].T, "x", color=style.INK, markersize=5.0, markeredgewidth=1.0)
    style.square(axes, 1.1 * max(1.1, _farthest(found)))
    style.legend(axes, beside=True)
    return figure


def _farthest(found: Outcome) -> float:
    reached = np.concatenate([np.abs(seen.state[:, [0, -1]]).ravel() for seen in found.seen.values()])
    return float(np.nan_to_num(reached).max())


def _runs(axes: Axes, found: Outcome, what: str, k: int) -> None:
    axes.axhline(0.0, color=style.PALE, linewidth=0.5, zorder=0)
    for number, (table, seen) in enumerate(found.seen.items()):
        colour = style.CYCLE[number % len(style.CYCLE)]
        values = 1e3 * found.settings[table].v_bias * getattr(seen, what)[:MOST, :, k]
        lines = axes.plot(seen.time, values.T, color=colour, linewidth=0.7, alpha=0.8)
        lines[0].set_label(title(table))


def _coefficients(axes: Axes, c: Coefficients) -> None:
    time = c.tick * np.arange(len(c.drift))
    # At coef 1 the two are one line: dashes let both be seen.
    lines = ((c.drift, style.BLUE, "f", "-"), (c.drive, style.VERMILION, "g²", "--"))
    for values, colour, name, dashes in lines:
        axes.step(time, values, dashes, where="post", color=colour, linewidth=0.9, label=name)
    style.legend(axes, beside=True)
