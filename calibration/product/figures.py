"""Draw products: the wide range of all columns, what the lines take, and what is left unexplained."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calibration.product.data import MacroData
from calibration.product.lines import Lines
from calibration.product.procedure import macros_in
from rramlab.corrections.converter import PRODUCT_SCALE, erred, mended
from rramlab.corrections.record import Record
from rramlab.figures import style
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]


def figures(parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
    """Return the figures of a record 'product', each with its caption."""
    macros = macros_in(parts)
    ohm = [f"{record[name]:.3g} ± {record.uncertainty(name):.1g} ohm" for name in ("r_line", "r_switch")]
    return {
        "product-columns": (
            columns(record),
            "Gain and offset of the wide current range of every column, with standard uncertainties. The "
            "macros follow each other.",
        ),
        "product-lines": (
            lost(macros, record),
            "What lines and switches take of the current of a column when more and more rows are driven, "
            "from the near end and from the far end: by how much it is less than what the cells, as they "
            "were read, would give without lines. Points: measured, mean of the columns with its standard "
            "error (gains and switches are found together, so that all points of a macro may move a little); "
            f"lines: predicted with {ohm[0]} a segment and {ohm[1]} a switch.",
        ),
        "product-residuals": (
            residuals(macros, record),
            "What readings and record leave unexplained of the products. The read noise of its cells moves "
            "all products of a column together.",
        ),
    }


def columns(record: Record) -> Figure:
    """Draw gain and offset of all columns with error bars."""
    figure = style.blank(style.DOUBLE, 62.0)
    panels = (("adc_gain", 100.0, "Gain (%)"), ("adc_offset", 1e6, "Offset (µA)"))
    for axes, letter, (name, scale, label) in zip(figure.subplots(1, 2), "ab", panels, strict=True):
        style.dress(axes, "Column of the bench", label, "", letter)
        axes.axhline(0.0, color=style.PALE, linewidth=0.6)
        both = zip(scale * record[name], scale * record.uncertainty(name), strict=True)
        for macro, (value, bar) in enumerate(both):
            look: dict[str, Any] = {"markersize": 2.0, "elinewidth": 0.6, "color": _colour(macro)}
            at = macro * value.size + np.arange(value.size)
            axes.errorbar(at, value, bar, fmt="o", label=f"Macro {macro}", **look)
    style.legend(figure.axes[1], beside=True)
    return figure


def lost(macros: Sequence[MacroData], record: Record) -> Figure:
    """Draw what the lines take of products of blocks of rows, measured and predicted."""
    figure = style.blank(style.DOUBLE, 66.0)
    for axes, letter, near in zip(figure.subplots(1, 2, sharey=True), "ab", (True, False), strict=True):
        end = "near" if near else "far"
        style.dress(
            axes, f"Rows driven from the {end} end", "Lost to the lines (%)" if near else "", "", letter
        )
        axes.axhline(0.0, color=style.PALE, linewidth=0.6)
        for data in macros:
            _loss(axes, data, record, near)
    style.legend(figure.axes[0], loc="upper left")
    return figure


def residuals(macros: Sequence[MacroData], record: Record) -> Figure:
    """Draw what is left of products, absolute and in standard deviations of a single product."""
    figure = style.blank(style.DOUBLE, 62.0)
    whole, share = figure.subplots(1, 2)
    style.dress(whole, "Current (µA)", "Residual (nA)", "", "a")
    style.dress(share, "Row of a product of one row alone", "Residual (% of the current)", "", "b")
    for data in macros:
        left = data.reported - _reported(data, record)
        some = style.thinned(left.size, 4000)
        look: dict[str, Any] = {"s": 2.5, "linewidths": 0, "alpha": 0.5, "color": _colour(data.macro)}
        current = data.reported.ravel()[some]
        whole.scatter(1e6 * current, 1e9 * left.ravel()[some], label=f"Macro {data.macro}", **look)
        off = 100.0 * data.deviations(left)[0] / data.conductance
        row = np.repeat(np.arange(len(off)), off.shape[1])
        share.scatter(row + 0.6 * (np.arange(row.size) % off.shape[1]) / off.shape[1], off.ravel(), **look)
    for axes in (whole, share):
        _around(axes)
    style.legend(whole, loc="best")
    return figure


def _loss(axes: Axes, data: MacroData, record: Record, near: bool) -> None:
    """Draw one macro: points that were measured, and the line that lines of these resistances give."""
    rows = data.readings.shape[1]
    order = np.arange(rows) if near else np.arange(rows)[::-1]
    driven = data.at_level()[0]
    counts = driven.sum(axis=1)
    solid = (driven[:, order] == (np.arange(rows) < counts[:, None])).all(axis=1)
    blocks = np.flatnonzero(solid & (counts > 0))
    found = mended(data.reported, *_wide(record, data.macro), PRODUCT_SCALE)
    found -= found[~data.wanted.any(axis=1)].mean(axis=0)
    told = data.currents(_lines(record))
    bare = data.currents(_lines(record), Lines(0.0, 0.0))
    measured, predicted = (100.0 * (1.0 - one[blocks] / bare[blocks]) for one in (found, told))
    mean, error = measured.mean(axis=1), measured.std(axis=1) / np.sqrt(measured.shape[1])
    at, turn = counts[blocks], np.argsort(counts[blocks])
    look: dict[str, Any] = {"markersize": 2.5, "elinewidth": 0.6, "color": _colour(data.macro)}
    axes.errorbar(at, mean, error, fmt="o", label=f"Macro {data.macro}", **look)
    axes.plot(at[turn], predicted.mean(axis=1)[turn], color=_colour(data.macro), linewidth=0.9)


def _reported(data: MacroData, record: Record) -> FloatArray:
    return erred(data.currents(_lines(record)), *_wide(record, data.macro), PRODUCT_SCALE)


def _wide(record: Record, macro: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    return record["adc_gain"][macro], record["adc_offset"][macro], record["adc_inl"][macro]


def _lines(record: Record) -> Lines:
    return Lines(float(record["r_line"]), float(record["r_switch"]))


def _around(axes: Axes) -> None:
    """Show zero, and the bulk of the points around it."""
    axes.axhline(0.0, color=style.GREY, linewidth=0.5)
    found = np.concatenate([np.asarray(one.get_offsets())[:, 1] for one in axes.collections])
    reach = 1.6 * float(np.quantile(np.abs(found), 0.98)) + 1e-12
    axes.set_ylim(-reach, reach)


def _colour(macro: int) -> str:
    return style.CYCLE[macro % len(style.CYCLE)]
