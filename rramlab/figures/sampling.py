"""Figures of the closed loop: waveforms of one run, input voltages of the layers, vector field."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import maps, style

FloatArray = NDArray[np.float64]
Grid = tuple[FloatArray, FloatArray]

MILLI = 1e3
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def waveforms(
    time: ArrayLike,
    state: ArrayLike,
    hidden: Sequence[ArrayLike],
    output: ArrayLike,
    coefficient_time: ArrayLike,
    drift: ArrayLike,
    drive: ArrayLike,
    *,
    volts: float,
    lines: int = 5,
) -> Figure:
    """Draw one run against time (s): state, the busiest hidden activations, output, and the coefficients.

    `state` and `output` (samples, n) and each of `hidden` (samples, m) are in network units of `volts` (V);
    `drift` and `drive` (ticks,) in 1/s hold from `coefficient_time` (s) to the next.
    """
    when = np.asarray(time, dtype=np.float64)
    shown = [("State", state, "x"), *((f"Hidden {i + 1}", h, "h") for i, h in enumerate(hidden))]
    shown.append(("Output", output, "y"))
    figure = style.blank(style.DOUBLE * 0.75, 26.0 * (len(shown) + 1) + 6.0)
    column = figure.subplots(len(shown) + 1, 1, sharex=True, squeeze=False)[:, 0]
    for i, (axes, (name, values, sign)) in enumerate(zip(column, shown, strict=False)):
        style.dress(axes, "", f"{name} (mV)", "", "abcdefgh"[i])
        _traces(axes, when, np.asarray(values, dtype=np.float64) * volts * MILLI, sign, lines)
    last = style.dress(column[-1], "Time (s)", "Coefficient (1/s)", "", "abcdefgh"[len(shown)])
    _coefficients(last, coefficient_time, drift, drive)
    if when.size > 1:
        last.set_xlim(when[0], when[-1])
    figure.align_ylabels(column.tolist())
    return figure


def _traces(axes: Axes, when: FloatArray, values: FloatArray, sign: str, lines: int) -> None:
    """Draw the signals that move most, each with its number; a lone sample becomes a dot."""
    swing = np.ptp(np.nan_to_num(values), axis=0)
    chosen = np.sort(np.argsort(-swing, kind="stable")[:lines])
    axes.axhline(0.0, color=style.PALE, linewidth=0.5, zorder=0)
    for colour, i in zip(style.CYCLE, chosen, strict=False):
        name = f"{sign}{i + 1}".translate(SUBSCRIPTS)
        axes.plot(
            when, values[:, i], color=colour, linewidth=0.9, marker="." if when.size == 1 else "", label=name
        )
    style.legend(axes, beside=True)


def _coefficients(axes: Axes, time: ArrayLike, drift: ArrayLike, drive: ArrayLike) -> None:
    # Of an ODE the two are one line: dashes let both be seen.
    for values, colour, name, dashes in (
        (drift, style.BLUE, "f, on the state", "-"),
        (drive, style.VERMILION, "g², on the output", "--"),
    ):
        axes.step(time, values, dashes, where="post", color=colour, linewidth=0.9, label=name)
    style.legend(axes, beside=True)


def input_voltages(inputs: Sequence[ArrayLike], limit: float | None = None) -> Figure:
    """Draw histograms of the voltages (V) at the inputs of each layer, with the clamp `limit` (V) if given.

    Exact zeros (a ReLU that is off) would hide the rest: they are counted in a remark and left out.
    """
    if not inputs:
        raise ValueError("no layer was given; input voltages need 1 layer or more")
    figure = style.blank(max(style.SINGLE * 0.8, style.DOUBLE * min(len(inputs), 3) / 3), 56.0)
    row = figure.subplots(1, len(inputs), squeeze=False)[0]
    for i, (axes, values) in enumerate(zip(row, inputs, strict=True)):
        label = "Share of samples (%)" if i == 0 else ""
        style.dress(axes, "Input voltage (mV)", label, f"Layer {i + 1}", "abcdefgh"[i % 8])
        _voltages(axes, style.finite(values, MILLI), limit)
    if limit is not None:
        line = Line2D(
            [],
            [],
            color=style.VERMILION,
            linewidth=0.8,
            linestyle="--",
            label=f"clamp, {limit * MILLI:.3g} mV",
        )
        figure.legend(handles=[line], loc="outside lower center", prop=style.font(style.SMALL), frameon=False)
    return figure


def _voltages(axes: Axes, values: FloatArray, limit: float | None) -> None:
    moving = values[values != 0.0]
    style.outline(axes, moving, style.edges(moving, bins=50), style.BLUE)
    top = axes.get_ylim()[1]
    axes.set_ylim(0.0, 1.4 * top)
    if limit is not None:
        axes.vlines(limit * MILLI, 0.0, 1.05 * top, color=style.VERMILION, linewidth=0.8, linestyle="--")
    words = ["no sample"]
    if values.size:
        words = [f"rms {np.sqrt(np.mean(values**2)):.3g} mV", f"largest {np.abs(values).max():.3g} mV"]
    zeros = 100.0 * (1.0 - moving.size / max(values.size, 1))
    style.note(axes, "\n".join(words + [f"off {zeros:.3g} %"] * (zeros > 0)))


def vector_field(
    x: ArrayLike, y: ArrayLike, velocity: ArrayLike, times: ArrayLike, density: ArrayLike | None = None
) -> Figure:
    """Draw the vector field dx/dt (network units/s) at several times (s), with iso-lines of speed.

    `velocity` (times, len(y), len(x), 2) stands on the grid x, y (network units). With `density` (times,
    len(y), len(x); 1 per squared network unit) the iso-lines are those of the density.
    """
    grid = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    field, when = np.asarray(velocity, dtype=np.float64), np.atleast_1d(np.asarray(times, dtype=np.float64))
    if field.shape != (when.size, grid[1].size, grid[0].size, 2) or field.size == 0:
        raise ValueError(f"a field of shape {field.shape} was given; possible is (times, len(y), len(x), 2)")
    name = "Speed (network units/s)" if density is None else "Density (1/network unit²)"
    height = (
        np.hypot(*np.moveaxis(field, -1, 0)) if density is None else np.asarray(density, dtype=np.float64)
    )
    columns = min(when.size, 4)
    rows = -(-when.size // columns)
    figure = style.blank(max(style.DOUBLE * columns / 4, 60.0), 68.0 * rows)
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for i, axes in enumerate(places[: when.size]):
        left = "x₂ (network units)" if i % columns == 0 else ""
        style.dress(axes, "x₁ (network units)", left, f"t = {when[i]:.3g} s")
        _iso_lines(figure, axes, grid, height[i], name)
        _arrows(axes, grid, field[i])
    for axes in places[when.size :]:
        axes.remove()
    return figure


def _iso_lines(figure: Figure, axes: Axes, grid: Grid, height: FloatArray, name: str) -> None:
    """Draw iso-lines over a pale ground of the same quantity, with a colour bar of their own."""
    low, high = maps.span(height)
    columns, rows = (_corners(each) for each in grid)
    shown = np.ma.masked_invalid(height)
    image = axes.pcolormesh(columns, rows, shown, cmap=maps.pale_blues(), vmin=low, vmax=high)
    if min(height.shape) > 1 and np.ptp(np.nan_to_num(height)) > 0.0 and np.isfinite(height).any():
        levels = np.linspace(low, high, 9)[1:-1]
        axes.contour(*grid, shown, levels=levels, colors=style.BLUE, linewidths=0.5)
    axes.set(aspect="equal", xlim=columns[[0, -1]], ylim=rows[[0, -1]])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(style.few_ticks())
    style.frame(axes)
    maps.colour_bar(figure, image, axes, name, below=True)


def _arrows(axes: Axes, grid: Grid, field: FloatArray, most: int = 13) -> None:
    """Draw about `most` x `most` arrows with the direction, their length as the root of the speed."""
    rows, cols = (style.thinned(each.size, most) for each in grid[::-1])
    u, v = np.moveaxis(np.nan_to_num(field[np.ix_(rows, cols)]), -1, 0)
    speed = np.hypot(u, v)
    shrink = 1.0 / np.sqrt(np.maximum(speed, 1e-30) * max(float(speed.max()), 1e-30))
    pitch = min(float(np.ptp(each)) / most or 1.0 for each in grid)
    look: dict[str, Any] = {
        "color": style.INK,
        "width": 0.006,
        "headwidth": 4.0,
        "headlength": 4.0,
        "headaxislength": 3.6,
    }
    placing: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1.0 / pitch, "pivot": "mid"}
    axes.quiver(grid[0][cols], grid[1][rows], u * shrink, v * shrink, **look, **placing)


def _corners(centres: FloatArray) -> FloatArray:
    """Return the borders of the cells around sorted centres."""
    if centres.size == 1:
        return np.asarray(centres[0] + np.array([-0.5, 0.5]))
    between = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2 * centres[0] - between[0]], between, [2 * centres[-1] - between[-1]]])
