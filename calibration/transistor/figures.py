"""Draw transistors: resistance of paths against the gate with the fit, and what it leaves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calibration.transistor.model import GateData, fitted_cells, open_transistor
from rramlab.corrections.record import Record
from rramlab.figures import style
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

SHOWN = 6
"""Cells that are drawn with their curves."""


def figures(parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
    """Return the figures of a record 'transistor', each with its caption."""
    beta, vt = float(record["beta"]), float(record["vt"])
    told = (
        f"beta = {1e6 * beta:.4g} ± {1e6 * float(record.uncertainty('beta')):.1g} µA/V², "
        f"vt = {vt:.4g} ± {float(record.uncertainty('vt')):.1g} V"
    )
    data = [GateData.of(part) for part in parts if len(part["row"])]
    return {
        "transistor-gate": (
            against_gate(data, beta, vt),
            "Resistance of paths against the gate voltage, at the larger of two voltages: points are "
            f"readings of cells from the most to the least conductive, lines the fit with {told} and each "
            "cell's own series resistance; then the transistors alone, with what each cell has in series "
            "taken away, and the line of the common one.",
        ),
        "transistor-residuals": (
            residuals(data, beta, vt),
            "What the fit leaves of the readings, by gate voltage: median of all cells, and the middle half.",
        ),
    }


def against_gate(macros: Sequence[GateData], beta: float, vt: float) -> Figure:
    """Draw 1/G of some cells, and of all cells what their transistors have of it, over the gate (V)."""
    figure = style.blank(style.DOUBLE, 66.0)
    paths, alone = figure.subplots(1, 2)
    style.dress(paths, "Gate (V)", "1/G (kΩ)", "", "a")
    style.dress(alone, "Gate (V)", "Transistor (kΩ)", "", "b")
    data = macros[0]
    rest, own = fitted_cells(data, beta, vt)
    large = data.asked == data.asked.max()
    order = np.argsort(data.resistance[:, large].min(axis=1))
    for n, cell in enumerate(order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).astype(int)]):
        colour = style.CYCLE[n % len(style.CYCLE)]
        name = f"r{data.row[cell]}c{data.col[cell]}"
        paths.plot(data.gate[large], 1e-3 * data.resistance[cell, large], "o", color=colour, markersize=2.5)
        gate, ohm, _ = _curve(data, np.array([cell]), rest, beta, vt + float(own.shift[cell, 0]))
        paths.plot(gate, 1e-3 * ohm, color=colour, linewidth=0.9, label=name)
    part = 1e-3 * (data.resistance - rest)[:, large].T
    jitter = 0.02 * (np.arange(part.shape[1]) % 5 - 2.0)
    alone.plot(data.gate[large][:, None] + jitter, part, ".", color=style.SKY, markersize=1.5, alpha=0.6)
    gate, ohm, series = _curve(data, np.arange(len(data.row)), rest, beta, vt)
    alone.plot(gate, 1e-3 * (ohm - series), color=style.VERMILION, linewidth=0.9)
    _bulk(alone, part)
    style.legend(paths, loc="best")
    return figure


def residuals(macros: Sequence[GateData], beta: float, vt: float) -> Figure:
    """Draw the residuals of all cells by gate voltage, for both voltages."""
    figure = style.blank(style.SINGLE, 60.0)
    axes = style.dress(figure.subplots(), "Gate (V)", "Residual (% of 1/G)")
    axes.axhline(0.0, color=style.GREY, linewidth=0.5)
    left = np.concatenate([100.0 * _left(data, beta, vt) for data in macros])
    gate, asked = macros[0].gate, macros[0].asked
    for n, volt in enumerate(np.unique(asked)[::-1]):
        here = asked == volt
        low, middle, high = np.percentile(left[:, here], [25.0, 50.0, 75.0], axis=0)
        bars = np.array([middle - low, high - middle])
        look: dict[str, Any] = {"markersize": 2.5, "elinewidth": 0.6, "color": style.CYCLE[n]}
        axes.errorbar(gate[here] + 0.02 * n, middle, bars, fmt="o", label=f"{1e3 * volt:g} mV", **look)
    style.legend(axes, loc="best")
    return figure


def _left(data: GateData, beta: float, vt: float) -> FloatArray:
    """Return the residuals, of the resistance (cells x points)."""
    rest, own = fitted_cells(data, beta, vt)
    return (data.resistance - rest - open_transistor(data, beta, vt + own.shift)[0]) / data.resistance


def _curve(
    data: GateData, cells: NDArray[np.intp], rest: FloatArray, beta: float, vt: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return gates (V), resistances (ohm) of an ordinary one of these paths there, and what is in series."""
    large = data.asked == data.asked.max()
    gate = np.linspace(data.gate.min(), data.gate.max(), 101)
    order = np.argsort(data.gate[large])
    ordinary = np.median(rest[np.ix_(cells, large)], axis=0)
    series = np.interp(gate, data.gate[large][order], ordinary[order])
    volts, ohm = float(np.median(data.volts[np.ix_(cells, large)])), series
    for _ in range(20):
        drain = volts * (1.0 - series / ohm)
        ohm = series + 1.0 / (beta * (gate - vt - 0.5 * drain))
    return gate, ohm, series


def _bulk(axes: Axes, values: FloatArray) -> None:
    """Show the bulk of values: some cells are noisy."""
    low, high = np.quantile(values, [0.02, 0.98])
    axes.set_ylim(low - 0.3 * (high - low), high + 0.3 * (high - low))
