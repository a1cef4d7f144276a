"""Tell how forming went: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.planes import plane_of
from protocols.forming.cells import FormedCells
from protocols.forming.outcome import Formed
from protocols.forming.request import Ramp
from protocols.forming.statistics import FormingVoltage, share_interval
from rramlab.cells import Cells
from rramlab.quantity import format_quantity
from rramlab.session import Session

FloatArray = NDArray[np.float64]

NOT_FRESH = (Formed.ALREADY_FORMED, Formed.UNREADABLE)


def summarise(done: FormedCells, ramp: Ramp, folder: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    fresh = done.pulses > 0
    good = done.outcome == Formed.FORMED
    low, high = share_interval(int(good.sum()), int(fresh.sum()))
    voltage = FormingVoltage.of(done.forming_voltage, _step(ramp))
    return {
        "run": str(folder),
        "cells": len(done.cells),
        "fresh": int(fresh.sum()),
        "formed": int(good.sum()),
        "yield_percent": 100 * float(good.sum() / fresh.sum()) if fresh.any() else None,
        "yield_95_percent": [100 * low, 100 * high],
        "gate_V": ramp.gate,
        "width_s": ramp.width,
        "forming_voltage_V": {
            "mean": voltage.mean,
            "mean_error": voltage.mean_error,
            "sigma": voltage.sigma,
            "sigma_error": voltage.sigma_error,
            "p5": voltage.p5,
            "median": voltage.median,
            "p95": voltage.p95,
        },
        "before_uS": _median(done.before[good]),
        "formed_uS": _median(done.formed[good]),
        "after_reset_uS": _median(done.after[good]),
        "mean_pulses": float(done.pulses[fresh].mean()) if fresh.any() else None,
        "outcomes": {
            Formed(code).name: int((done.outcome == code).sum()) for code in np.unique(done.outcome)
        },
        "failed": {
            f"r{row}c{col}": Formed(code).name
            for (row, col), code in zip(done.cells, done.outcome.tolist(), strict=True)
            if code not in (Formed.FORMED, Formed.ALREADY_FORMED)
        },
    }


def draw(done: FormedCells, ramp: Ramp, folder: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.forming import conductances, forming_map, forming_voltages
    from rramlab.page import Page

    width, step = format_quantity(ramp.width, "s"), _step(ramp)
    pulses = f"BL {ramp.drive[0]:g} to {ramp.drive[-1]:g} V in steps of {1e3 * step:.3g} mV"
    page = Page(
        "Formed",
        f"{len(done.cells)} cells; {pulses}, WL {ramp.gate:.3g} V, {width} each, stopped at the first "
        f"reading above {1e6 * ramp.formed_at:.3g} µS, RESET at once; run {folder.name}.",
    )
    outcomes = plane_of(done.cells, done.outcome)
    names = {int(outcome): outcome.words for outcome in Formed}
    voltage = plane_of(done.cells, done.forming_voltage)
    good = done.outcome == Formed.FORMED
    if good.any():
        page.figure("Yield map and forming voltages", forming_map(outcomes, voltage, names), name="yield")
        page.figure(
            "Distribution of forming voltages: the BL voltage of the pulse that formed a cell, less half a "
            "step. The line is the normal distribution of the same mean and sigma.",
            forming_voltages(done.forming_voltage[good], step),
            name="forming-voltages",
        )
        page.figure(
            "Conductance before forming, at the first reading of the formed cell, and after the RESET",
            conductances(done.before[good], done.formed[good], done.after[good]),
            name="conductances",
        )
    else:
        page.figure("Yield map: no cell was formed", forming_map(outcomes, voltage, names), name="yield")
    page.table("Outcomes", ["outcome", "cells", "what to do"], _outcomes(done))
    page.write(folder / "index.html", pictures=True)


def show(session: Session, done: FormedCells, summary: dict[str, Any]) -> None:
    """Print the summary, and the cells that failed with their reasons."""
    volt = summary["forming_voltage_V"]
    low, high = summary["yield_95_percent"]
    rows = [
        ["cells", f"{summary['cells']}, {summary['fresh']} of them fresh"],
        ["formed", f"{summary['formed']}"],
        ["yield", "no fresh cell" if not summary["fresh"] else f"{summary['yield_percent']:.2f} %"],
        ["yield, 95 % interval", f"{low:.2f} to {high:.2f} %"],
        ["WL voltage", f"{summary['gate_V']:.3g} V"],
        ["forming voltage, mean", _with_error(volt["mean"], volt["mean_error"])],
        ["forming voltage, sigma", _with_error(volt["sigma"], volt["sigma_error"])],
        ["conductance before", _micro(summary["before_uS"])],
        ["conductance formed", _micro(summary["formed_uS"])],
        ["conductance after RESET", _micro(summary["after_reset_uS"])],
    ]
    session.terminal.table("Formed", ["what", "value"], rows)
    missed = [row for row in _outcomes(done) if row[0] != Formed.FORMED.words]
    if missed:
        session.terminal.table("Not formed", ["outcome", "cells", "what to do"], missed)
    session.terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    session.terminal.document(summary)


def _outcomes(done: FormedCells) -> list[list[str]]:
    found = [Formed(code) for code in np.unique(done.outcome).tolist()]
    return [[o.words, _which(done.cells.take(done.outcome == o)), o.cure] for o in found]


def _which(cells: Cells, most: int = 4) -> str:
    names = [f"r{row}c{col}" for row, col in cells.take(np.arange(min(len(cells), most)))]
    return f"{len(cells)}" if len(cells) > most else f"{len(cells)}: {' '.join(names)}"


def _step(ramp: Ramp) -> float:
    return float(ramp.drive[1] - ramp.drive[0]) if len(ramp.drive) > 1 else 0.0


def _median(values: FloatArray) -> float | None:
    return 1e6 * float(np.median(values)) if values.size else None


def _with_error(value: float, error: float) -> str:
    if not np.isfinite(value):
        return "none"
    return f"{value:.3f} ± {error:.3f} V" if np.isfinite(error) else f"{value:.3f} V"


def _micro(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g} uS (median)"
