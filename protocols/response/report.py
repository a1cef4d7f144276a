"""Tell what pulses did: curves, a page, one screen."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from protocols.response.cells import Responded, Response
from protocols.response.request import Request
from protocols.response.statistics import Curve, Curves, levelled
from protocols.response.steps import Part
from rramlab.quantity import format_quantity
from rramlab.session import Session

if TYPE_CHECKING:  # loaded where a page is drawn
    from rramlab.page import Page

HEAD = ("level", "median (uS)", "spread (uS)", "σ of cycles (%)", "σ of cells (%)")
_WORDS = {"gate": "SET over gate", "ladder": "RESET over SL voltage", "width": "SET over width"}


def summarise(found: Response, told: Curves, folder: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    outcome = found.outcomes()
    return {
        "run": str(folder),
        "cells": len(found.cells),
        "pulses": len(found.steps),
        "erased_uS": _finite(1e6 * np.median(told.erased)) if told.erased.size else None,
        "gate_slope_uS_per_V": [_finite(1e6 * told.gate.slope), _finite(1e6 * told.gate.slope_error)],
        "half_reset_V": [_finite(told.half), _finite(told.half_error)],
        "width_slope_uS_per_decade": [_finite(1e6 * v) for v in _width_slope(told)],
        "curves": {name: _facts(curve) for name, curve in parts(told).items()},
        "outcomes": {Responded(code).name: int((outcome == code).sum()) for code in np.unique(outcome)},
        "failed": {
            f"r{row}c{col}": Responded(code).name
            for (row, col), code in zip(found.cells, outcome.tolist(), strict=True)
            if code != Responded.SWITCHES
        },
    }


def parts(told: Curves) -> dict[str, Curve]:
    """Return the curves that were measured, by name."""
    named = {"gate": told.gate, "ladder": told.ladder, "width": told.width}
    return {name: curve for name, curve in named.items() if curve is not None}


def draw(found: Response, told: Curves, request: Request, folder: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.page import Page

    good = found.outcomes() == Responded.SWITCHES
    page = Page("Response to single pulses", _lead(found, request, int(good.sum()), folder))
    if good.any():
        page.summary(_merit(told))
        _add_figures(page, found, told)
        for name, curve in parts(told).items():
            page.table(f"{_WORDS[name]}, ± standard errors", HEAD, _rows(name, curve))
    page.section("Method", METHOD)
    page.table("Outcomes", ["outcome", "cells", "what to do"], _outcomes(found))
    page.write(folder / "index.html", pictures=True)


def _add_figures(page: "Page", found: Response, told: Curves) -> None:
    from rramlab.figures.response import distributions, medians, spreads

    page.figure(
        "Conductance after a pulse: median and the middle 68 % of the readings; the bars are standard errors",
        medians(parts(told)),
        name="medians",
    )
    page.figure(
        "Spread (half the distance of the 16 % and the 84 % quantile), and the standard deviation of ln G "
        "from repeat to repeat of one cell and from cell to cell",
        spreads(parts(told)),
        name="spreads",
    )
    levels, readings = levelled(found, Part.GATE)
    good = found.outcomes() == Responded.SWITCHES
    page.figure(
        "Cumulative distribution after SET at some of the gates, and after erasure",
        distributions(levels, readings[..., good].reshape(len(levels), -1), told.erased),
        name="distributions",
    )


METHOD = (
    "Each repeat begins with a SET at the highest gate. Each SET of the staircase and of the width sweep "
    "begins from an erased cell. The ladder of RESETs begins from the SET at the highest gate and goes on "
    "from what the voltage before left. A cell that reads below the floor of RESET takes no RESET and counts "
    "with what it reads. All cells are read after each pulse.\n\n"
    "Standard errors come of cells drawn anew (200 times). Cycles and cells are parted by a one-way analysis "
    "of variance of ln G with random effects; one repeat cannot part them.\n\n"
    "The last pulse SETs the cells at the gates of the staircase in turn, so that what follows (I-V, "
    "retention) meets all states. To fit the simulated device: rramlab fit runs."
)


def show(session: Session, found: Response, told: Curves, summary: dict[str, Any]) -> None:
    """Print the curves, and the cells that failed with their reasons."""
    for name, curve in parts(told).items():
        if told.erased.size:
            session.terminal.table(_WORDS[name], HEAD, _rows(name, curve))
    session.terminal.table("Figures", ["figure", "value"], [list(pair) for pair in _merit(told).items()])
    missed = [row for row in _outcomes(found) if row[0] != Responded.SWITCHES.words]
    if missed:
        session.terminal.table("No response", ["outcome", "cells", "what to do"], missed)
    session.terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    session.terminal.document(summary)


def _lead(found: Response, request: Request, good: int, folder: Path) -> str:
    unit = format_quantity
    return (
        f"{good} of {len(found.cells)} cells, {len(found.steps)} pulses each, {request.repeats} repeats: SET "
        f"at {unit(request.v_set, 'V')} on the BL, erased at {unit(request.v_erase, 'V')} on the SL, "
        f"{unit(request.width, 's')}; read at {unit(found.spec.v_read, 'V')}, WL "
        f"{unit(found.spec.gate, 'V')}; run {folder.name}."
    )


def _merit(told: Curves) -> dict[str, str]:
    width, width_error = _width_slope(told)
    merit = {
        "median after erasure": f"{1e6 * np.median(told.erased):.3g} uS" if told.erased.size else "–",
        "slope over the gate": _pair(told.gate.slope, told.gate.slope_error, 1e6, "uS/V"),
        "SL voltage of half the RESET": _pair(told.half, told.half_error, 1.0, "V"),
        "slope over the width": _pair(width, width_error, 1e6, "uS/decade"),
    }
    return {name: value for name, value in merit.items() if value != "–"}


def _width_slope(told: Curves) -> tuple[float, float]:
    nothing = float("nan"), float("nan")
    return nothing if told.width is None else (told.width.slope, told.width.slope_error)


def _rows(name: str, curve: Curve) -> list[list[str]]:
    unit = "s" if name == "width" else "V"
    columns = (curve.median, curve.error), (curve.spread, curve.spread_error)
    return [
        [
            format_quantity(float(level), unit),
            *(_pair(value[k], error[k], 1e6) for value, error in columns),
            *(_pair(value[k], np.nan, 100.0) for value in (curve.cycle, curve.cell)),
        ]
        for k, level in enumerate(curve.level)
    ]


def _pair(value: float, error: float, scale: float, unit: str = "") -> str:
    if not np.isfinite(value):
        return "–"
    text = f"{scale * value:.3g}" + (f" ± {scale * error:.1g}" if np.isfinite(error) else "")
    return f"{text} {unit}".strip()


def _facts(curve: Curve) -> dict[str, list[float | None]]:
    named = {"level": curve.level, "cycle_sigma_ln": curve.cycle, "cell_sigma_ln": curve.cell}
    micro = {"median_uS": curve.median, "median_error_uS": curve.error, "spread_uS": curve.spread}
    return {name: [_finite(v) for v in values] for name, values in named.items()} | {
        name: [_finite(1e6 * v) for v in values] for name, values in micro.items()
    }


def _finite(value: float) -> float | None:
    """Return a number for JSON, which knows no NaN."""
    return float(value) if np.isfinite(value) else None


def _outcomes(found: Response) -> list[list[str]]:
    outcome = found.outcomes()
    listed = [Responded(code) for code in np.unique(outcome).tolist()]
    return [[o.words, str(int((outcome == o).sum())), o.cure] for o in listed]
