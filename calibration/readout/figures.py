"""Draw the read chain: gains and offsets of all lines, the curves of its converters, and what is left."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calibration.readout.model import PRIOR, Layout, ReadChain
from calibration.readout.points import Points, points_of
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, curves
from rramlab.corrections.record import Record
from rramlab.figures import style
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

LINES = (
    ("dac_gain", 100.0, "Gain of the driver (%)", "Row"),
    ("dac_offset", 1e3, "Offset of the driver (mV)", "Row"),
    ("adc_gain", 100.0, "Gain (%)", "Column"),
    ("adc_offset", 1e6, "Offset (µA)", "Column"),
)
_GRID = 101


def figures(parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
    """Return the figures of a record 'readout', each with its caption."""
    return {
        "readout-lines": (
            lines(record),
            "Gain and offset of every row driver and every column, with standard uncertainties. The macros "
            "follow each other. The mean gain of a macro's drivers is zero by definition.",
        ),
        "readout-curves": (
            curved(record, parts),
            "Integral nonlinearity over the range that was measured, beside the best straight line; "
            "band: standard uncertainty.",
        ),
        "readout-residuals": (
            residuals(record, parts),
            "What the record leaves unexplained of the readings of the calibration, against the current: one "
            "point per cell and voltage. Slow read noise moves all points of a cell together.",
        ),
    }


def lines(record: Record) -> Figure:
    """Draw gain and offset of all lines with error bars."""
    figure = style.blank(style.DOUBLE, 100.0)
    for axes, letter, (name, scale, label, line) in zip(
        figure.subplots(2, 2).T.ravel(), "abcd", LINES, strict=True
    ):
        style.dress(axes, f"{line} of the bench", label, "", letter)
        values, spread = scale * record[name], scale * record.uncertainty(name)
        axes.axhline(0.0, color=style.PALE, linewidth=0.6)
        for macro, (value, bar) in enumerate(zip(values, spread, strict=True)):
            at = macro * values.shape[1] + np.arange(values.shape[1])
            colour = style.CYCLE[macro % len(style.CYCLE)]
            look = {"markersize": 2.0, "elinewidth": 0.6, "color": colour, "linestyle": "none"}
            axes.errorbar(at, value, bar, marker="o", label=f"Macro {macro}", **look)
    style.legend(figure.axes[1], beside=True)
    return figure


def curved(record: Record, parts: Sequence[Columns]) -> Figure:
    """Draw the nonlinearity of drivers and columns of each macro, with its uncertainty."""
    points = points_of(parts)
    reach = {"dac_inl": points.volts.max(), "adc_inl": np.quantile(points.current, 0.99)}
    figure = style.blank(style.DOUBLE, 62.0)
    panels = (
        ("dac_inl", DRIVE_SCALE, 1e3, "Voltage (mV)", 1e6, "Driver beside its line (µV)"),
        ("adc_inl", READ_SCALE, 1e6, "Current (µA)", 1e9, "Column beside its line (nA)"),
    )
    for axes, letter, (name, scale, to_x, x, to_y, y) in zip(
        figure.subplots(1, 2), "ab", panels, strict=True
    ):
        style.dress(axes, x, y, "", letter)
        at = np.linspace(0.0, float(reach[name]), _GRID)
        for macro in range(len(record[name])):
            value, band = _bend(record, name, macro, at, scale)
            colour = style.CYCLE[macro % len(style.CYCLE)]
            axes.plot(to_x * at, to_y * value, color=colour, linewidth=0.9, label=f"Macro {macro}")
            axes.fill_between(
                to_x * at, to_y * (value - band), to_y * (value + band), color=colour, alpha=0.2, linewidth=0
            )
    style.legend(figure.axes[0], loc="best")
    return figure


def residuals(record: Record, parts: Sequence[Columns]) -> Figure:
    """Draw what is left of the readings: absolute, and of the current."""
    points = points_of(parts)
    left = _left(record, points)
    figure = style.blank(style.DOUBLE, 62.0)
    whole, share = figure.subplots(1, 2)
    style.dress(whole, "Current (µA)", "Residual (nA)", "", "a")
    style.dress(share, "Current (µA)", "Residual (% of the current)", "", "b")
    good = points.restful
    for step, volt in enumerate(points.volts):
        current, rest = points.current[good, step], left[good, step]
        colour = style.CYCLE[step % len(style.CYCLE)]
        look = {"s": 2.5, "linewidths": 0, "alpha": 0.6, "color": colour}
        whole.scatter(1e6 * current, 1e9 * rest, label=f"{1e3 * volt:g} mV", **look)
        if step:
            share.scatter(1e6 * current, 100.0 * rest / current, **look)
    for axes in (whole, share):
        _around(axes)
    style.legend(whole, loc="best")
    return figure


def _around(axes: Axes) -> None:
    """Show zero, and the bulk of the points around it."""
    axes.axhline(0.0, color=style.GREY, linewidth=0.5)
    found = np.concatenate([np.asarray(one.get_offsets())[:, 1] for one in axes.collections])
    reach = 1.6 * float(np.quantile(np.abs(found), 0.98)) + 1e-12
    axes.set_ylim(-reach, reach)


def _bend(
    record: Record, name: str, macro: int, at: FloatArray, scale: float
) -> tuple[FloatArray, FloatArray]:
    """Return a converter's curve beside its best straight line, and its standard uncertainty."""
    shape = curves(at, scale)
    straight = np.column_stack([np.ones_like(at), at / at.max()])
    shape = shape - straight @ np.linalg.lstsq(straight, shape, rcond=None)[0]
    places = record.index(name)[macro]
    spread = record.covariance[np.ix_(places, places)]
    return shape @ record[name][macro], np.sqrt(np.einsum("ni,ij,nj->n", shape, spread, shape))


def _left(record: Record, points: Points) -> FloatArray:
    """Return the currents (A) that the record does not explain; the standard is taken by its word."""
    macros, rows = record["dac_gain"].shape
    extra = points.standard.prior
    layout = Layout(macros, rows, record["adc_gain"].shape[1], len(extra))
    found = record.conditions.get("standard_found", {})
    told = [float(found[name][0]) if name in found else 0.0 for name in points.standard.names]
    unknowns = np.concatenate([*(record[name].ravel() for name in layout.shapes), told])
    chain = ReadChain(points, layout, layout.prior(PRIOR, extra))
    return points.current - chain.predicted(unknowns)[0].reshape(points.current.shape)
