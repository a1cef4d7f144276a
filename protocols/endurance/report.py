"""Tell how cells stood the cycles: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np

from protocols.endurance.cells import History
from protocols.endurance.outcome import FAILED, Endured
from protocols.endurance.request import Request
from protocols.endurance.statistics import FailureCurve, Wear, Windows, spreads
from rramlab.session import Session

EARLY = 10
"""A cell that fails within so many cycles is an early failure."""


def summarise(history: History, before: int, request: Request, place: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    windows, curve = Windows.of(history), FailureCurve.of(history)
    failed = np.isin(history.outcome, FAILED)
    return {
        "run": str(place),
        "cells": len(history.cells),
        "cycled_cells": curve.cells,
        "cycles_before": before,
        "cycles": history.done,
        "enduring_percent": 100 * (1 - float(failed.sum()) / max(curve.cells, 1)),
        "failed": int(failed.sum()),
        "failed_share_95_percent": [float(curve.low[-1]), float(curve.high[-1])],
        "early_failures": int((failed & (history.failed_at <= EARLY)).sum()),
        "window": request.window,
        "states": _states(windows),
        **_spreads(history),
        **_wear(history),
        "outcomes": {
            Endured(int(code)).name: int((history.outcome == code).sum())
            for code in np.unique(history.outcome)
        },
        "failures": {
            f"r{history.cells.row[i]}c{history.cells.col[i]}": {
                "outcome": Endured(int(history.outcome[i])).name,
                "cycle": int(history.failed_at[i]),
            }
            for i in np.flatnonzero(failed)
        },
    }


def draw(history: History, request: Request, place: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.endurance import cycle_spread, failures, windows
    from rramlab.page import Page

    seen, curve = Windows.of(history), FailureCurve.of(history)
    cycle, lrs, hrs = history.planes()
    page = Page(
        "Endurance",
        f"{curve.cells} cells, {history.done} cycles of {request.set_pulse}, {request.reset_pulse}.",
    )
    page.table("Outcome of the cells", ["outcome", "cells", "what it means"], _outcomes(history))
    if seen.cycle.size:
        page.figure(
            "Both states and the window over cycles: median over cells, and where 90 % of the cells lie",
            windows(seen.cycle, seen.lrs, seen.hrs, seen.ratio, request.window),
            name="windows",
        )
        page.figure(
            "Distribution of both states over cells, by cycle",
            cycle_spread(cycle, lrs, hrs),
            name="distributions",
        )
    page.figure(
        "Cells that failed, with the 95 % interval of their share",
        failures(curve.cycle, curve.failed, curve.low, curve.high, curve.cells),
        name="failures",
    )
    page.write(place / "index.html", pictures=True)


def show(session: Session, history: History, summary: dict[str, Any]) -> None:
    """Print one screen: states at the first and the last count, then outcomes."""
    terminal, states = session.terminal, summary["states"]
    rows = [
        [f"{s['cycle']}", f"{s['lrs_uS']:.2f} uS", f"{s['hrs_uS']:.2f} uS", f"{s['ratio']:.2f}"]
        for s in states
    ]
    terminal.table("Median over cells", ["cycle", "LRS", "HRS", "window"], rows)
    spread = (
        f"spread of log10 G, cycle to cycle and cell to cell: LRS {_pair(summary['lrs_log10'])}, "
        f"HRS {_pair(summary['hrs_log10'])}"
    )
    terminal.say(spread)
    slope = summary["window_log10_per_decade"]
    if np.isfinite(slope[0]):
        terminal.say(f"window per decade of cycles: factor {10 ** slope[0]:.3f} (log10 {_plus_minus(slope)})")
    terminal.table(f"{summary['cells']} cells", ["outcome", "cells", "what it means"], _outcomes(history))
    low, high = (100 * share for share in summary["failed_share_95_percent"])
    terminal.say(
        f"failed after {summary['cycles']} cycles: {summary['failed']} of {summary['cycled_cells']} "
        f"(95 % interval {low:.2g} to {high:.2g} %), {summary['early_failures']} within {EARLY} cycles"
    )
    terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    terminal.document(summary)


def _states(windows: Windows) -> list[dict[str, float]]:
    """Return the medians at the first count of each decade, and at the last one."""
    decades = np.floor(np.log10(windows.cycle)).astype(int)
    firsts = np.unique(decades, return_index=True)[1].tolist()
    places = sorted({*firsts, windows.cycle.size - 1} - {-1})
    return [
        {
            "cycle": int(windows.cycle[i]),
            "lrs_uS": 1e6 * float(windows.lrs[1, i]),
            "hrs_uS": 1e6 * float(windows.hrs[1, i]),
            "ratio": float(windows.ratio[1, i]),
        }
        for i in places
    ]


def _spreads(history: History) -> dict[str, Any]:
    first, second = spreads(history)
    return {"lrs_log10": first.facts(), "hrs_log10": second.facts()}


def _wear(history: History) -> dict[str, Any]:
    cycle, lrs, hrs = history.planes()
    named = {"lrs": lrs, "hrs": hrs, "window": lrs / np.maximum(hrs, 1e-9)}
    wear = {name: Wear.of(cycle, plane) for name, plane in named.items()}
    return {f"{name}_log10_per_decade": [each.log10_per_decade, each.error] for name, each in wear.items()}


def _outcomes(history: History) -> list[list[str]]:
    codes, numbers = np.unique(history.outcome, return_counts=True)
    return [
        [Endured(int(code)).words, str(number), Endured(int(code)).cure]
        for code, number in zip(codes, numbers, strict=True)
    ]


def _pair(facts: dict[str, float]) -> str:
    cycle = _plus_minus((facts["cycle_sigma"], facts["cycle_error"]))
    return f"{cycle} and {_plus_minus((facts['cell_sigma'], facts['cell_error']))}"


def _plus_minus(pair: Any) -> str:
    return f"{pair[0]:.3f} ± {pair[1]:.3f}"
