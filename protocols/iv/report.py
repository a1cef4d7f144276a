"""Tell what sweeps found: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np

from protocols.characterise.spread import Spread
from protocols.iv.cells import Sweeps, Swept
from protocols.iv.figures import Switching
from protocols.iv.request import Request
from rramlab.limits import Limits
from rramlab.quantity import format_quantity
from rramlab.session import Session

ROWS = {
    "v_set": ("V_SET", "V", 1.0),
    "v_reset": ("V_RESET", "V", 1.0),
    "i_reset": ("I at V_RESET", "uA", 1e6),
    "high": ("G after SET", "uS", 1e6),
    "low": ("G after RESET", "uS", 1e6),
    "chi_high": ("chi after SET", "1/V^2", 1.0),
    "chi_low": ("chi after RESET", "1/V^2", 1.0),
}
"""Name, unit and scale by which a quantity is shown."""
HEAD = ("quantity", "unit", "count", "mean", "σ of cycles", "σ of cells")


def summarise(sweeps: Sweeps, found: Switching, request: Request, folder: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS and uA at the edge)."""
    outcome = found.outcomes(sweeps)
    spreads = found.counted(request.left_out).spreads()
    shown = {f"{name}_{_plain(ROWS[name][1])}": _scaled(spread, name) for name, spread in spreads.items()}
    ratio = spreads["high"].median / spreads["low"].median if spreads["low"].count else None
    return {
        "run": str(folder),
        "cells": len(sweeps.cells),
        "cycles": int(np.isfinite(sweeps.up[0, ..., 0]).sum()),
        "left_out": request.left_out,
        **shown,
        "on_off_ratio": ratio,
        "outcomes": {Swept(code).name: int((outcome == code).sum()) for code in np.unique(outcome)},
        "failed": {
            f"r{row}c{col}": Swept(code).name
            for (row, col), code in zip(sweeps.cells, outcome.tolist(), strict=True)
            if code != Swept.SWITCHES
        },
    }


def draw(sweeps: Sweeps, found: Switching, request: Request, limits: Limits, folder: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.iv import hysteresis, states, switching_voltages
    from rramlab.page import Page

    counted = found.counted(request.left_out)
    speed = format_quantity(request.step / request.dwell, "V") + "/s"
    up, down = request.plan(limits)
    page = Page(
        "Quasi-static I-V",
        f"{len(sweeps.cells)} cells, {request.cycles} cycles each: 0 to {request.v_set:g} V at WL "
        f"{up.gate:g} V within {format_quantity(up.compliance, 'A')}, back, to -{request.v_reset:g} V at WL "
        f"{down.gate:g} V within {format_quantity(down.compliance, 'A')}, and back; {speed}; "
        f"run {folder.name}.",
    )
    page.figure(
        "Hysteresis: all cycles, the median drawn thick; linear and logarithmic",
        hysteresis(sweeps.up, sweeps.down, request.compliance),
        name="hysteresis",
    )
    page.figure(
        "Cumulative distribution of the SET and RESET voltages over cycles and cells, and their course",
        switching_voltages(found.v_set, found.v_reset, request.left_out),
        name="switching-voltages",
    )
    page.figure(
        "Conductance of the states at the read voltage, and the nonlinearity chi of I = G V (1 + chi V²) "
        "of the whole path, transistor included",
        states(counted.high, counted.low, counted.chi_high, counted.chi_low),
        name="states",
    )
    page.table("Mean and standard deviations, ± their standard errors", HEAD, _rows(counted))
    page.section("Method", METHOD)
    page.table("Outcomes", ["outcome", "cells", "what to do"], _outcomes(sweeps, found))
    page.write(folder / "index.html", pictures=True)


METHOD = (
    "V_SET is the voltage on the way up at which ln(I/V) rises most per step: the slope of a parabola "
    "through five points, its maximum interpolated by a parabola through three. V_RESET is the voltage on "
    "the way down at which the current, smoothed by a parabola through five points, is largest, interpolated "
    "alike. A sweep that changes I/V at the read voltage by less than a factor of 1.5 has none.\n\n"
    "The first cycle begins from the state in which a cell came; it is drawn, and left out of the figures "
    "unless it is the only one (--skip). Spread over the cycles of a cell and over the cells by a one-way "
    "analysis of variance with random effects."
)


def show(
    session: Session, sweeps: Sweeps, found: Switching, request: Request, summary: dict[str, Any]
) -> None:
    """Print the figures, and the cells that failed with their reasons."""
    left = f", the first {request.left_out} of each left out" if request.left_out else ""
    title = f"{summary['cycles']} cycles of {summary['cells']} cells{left}"
    session.terminal.table(title, HEAD, _rows(found.counted(request.left_out)))
    missed = [row for row in _outcomes(sweeps, found) if row[0] != Swept.SWITCHES.words]
    if missed:
        session.terminal.table("No switching", ["outcome", "cells", "what to do"], missed)
    session.terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    session.terminal.document(summary)


def _rows(found: Switching) -> list[list[str]]:
    rows = []
    for name, spread in found.spreads().items():
        words, unit, scale = ROWS[name]
        pairs = (
            (spread.mean, spread.mean_error),
            (spread.cycle_sigma, spread.cycle_error),
            (spread.cell_sigma, spread.cell_error),
        )
        rows.append([words, unit, str(spread.count), *(_pair(*pair, scale) for pair in pairs)])
    return rows


def _pair(value: float, error: float, scale: float) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{scale * value:.3g}±{scale * error:.1g}" if np.isfinite(error) else f"{scale * value:.3g}"


def _scaled(spread: Spread, name: str) -> dict[str, float]:
    scale = ROWS[name][2]
    return {key: value * (1 if key in ("count", "cells") else scale) for key, value in spread.facts().items()}


def _plain(unit: str) -> str:
    return "per_V2" if unit == "1/V^2" else unit


def _outcomes(sweeps: Sweeps, found: Switching) -> list[list[str]]:
    outcome = found.outcomes(sweeps)
    listed = [Swept(code) for code in np.unique(outcome).tolist()]
    return [[o.words, str(int((outcome == o).sum())), o.cure] for o in listed]
