"""Tell what retention showed: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np

from protocols.ageing.durations import TEN_YEARS, format_duration
from protocols.ageing.log_law import Estimate, Law
from protocols.ageing.series import Series, Status
from protocols.certainty import WHAT, Certainty, told
from protocols.retention.request import Request
from protocols.retention.states import States
from rramlab.session import Session, Work

NO_SENSOR = "not noted; the bench has no sensor"


def summarise(
    series: Series, states: States, laws: list[Law], request: Request, work: Work, folder: Path
) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    return {
        "run": str(folder),
        "cells": len(series.cells),
        "left_out": int((states.of_cell < 0).sum()),
        "reads": series.counts(),
        "gaps_s": series.planned[series.status == Status.GAP].tolist(),
        "first_s": float(np.nanmin(series.elapsed)),
        "last_s": float(np.nanmax(series.elapsed)),
        "clocks": list(series.sources),
        "age_at_zero_s": float(np.median(series.age)),
        "temperature_K": request.temperature,
        "temperature": temperature_text(request, work),
        "states": [_state(series, states, i, law) for i, law in enumerate(laws)],
    }


def temperature_text(request: Request, work: Work) -> str:
    """Return what is known of the temperature, and from whom."""
    sensed = work.backend.identify().get("temperature")
    if sensed is not None:
        return f"{sensed} (sensor of the bench)"
    if request.temperature is None:
        return NO_SENSOR
    return f"{request.temperature:g} K, as noted by the person; the bench has no sensor"


def _state(series: Series, states: States, index: int, law: Law) -> dict[str, Any]:
    mean, _, sigma, doubt = states.moments(series, index)
    here = np.flatnonzero(np.isfinite(mean))
    ends = (here[0], here[-1]) if here.size else (0, 0)
    return {
        "centre_uS": 1e6 * float(states.centre[index]),
        "cells": law.cells,
        "mean_uS": [1e6 * float(mean[i]) for i in ends],
        "sigma_uS": [1e6 * float(sigma[i]) for i in ends],
        "sigma_uncertainty_uS": [1e6 * float(doubt[i]) for i in ends],
        "drift_uS_per_decade": _told(law.drift, 1e6),
        "broadening_uS2_per_decade": _told(law.broadening, 1e12),
        "mean_10y_uS": _told(law.mean_far, 1e6) | {"law": 1e6 * law.mean_law},
        "sigma_10y_uS": _told(law.sigma_far, 1e6) | {"law": 1e6 * law.sigma_law},
    }


def _told(estimate: Estimate, scale: float) -> dict[str, float]:
    return {
        "value": scale * estimate.value,
        "uncertainty": scale * estimate.uncertainty,
        "low": scale * estimate.low,
        "high": scale * estimate.high,
    }


def draw(
    series: Series, states: States, laws: list[Law], request: Request, folder: Path, sure: Certainty
) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.ageing import StateCurve, extrapolated, retention_curves
    from rramlab.page import Page

    curves = [_curve(StateCurve, series, states, i, law) for i, law in enumerate(laws)]
    missing = series.planned[series.status == Status.GAP]
    page = Page("Retention", f"{_lead(series, request, folder)} {WHAT}: {sure.text}.")
    page.figure(
        "Mean of each state with one sigma of its cells, the change of the mean, and sigma over time; lines "
        "are the fits in log time, error bars of sigma one standard uncertainty; grey marks reads that could "
        "not be taken.",
        retention_curves(curves, missing),
        name="retention",
    )
    page.figure(
        f"Extrapolation to {format_duration(TEN_YEARS)}: mean (line), one sigma (band) and the 95 % interval "
        "of the mean (dashed), if the law of log time holds on.",
        extrapolated(curves, TEN_YEARS),
        name="extrapolation",
    )
    page.table(
        "States: per decade of time and at 10 years", HEAD, [_row(s) for s in _states(series, states, laws)]
    )
    page.write(folder / "index.html", pictures=True)


HEAD = (
    "state (uS)", "cells", "sigma first (uS)", "sigma last (uS)", "drift (uS/decade)",
    "broadening (uS²/decade)", "mean at 10 y (uS)", "sigma at 10 y (uS)",
)  # fmt: skip


def _states(series: Series, states: States, laws: list[Law]) -> list[dict[str, Any]]:
    return [_state(series, states, i, law) for i, law in enumerate(laws)]


def _row(state: dict[str, Any]) -> list[str]:
    sigmas = zip(state["sigma_uS"], state["sigma_uncertainty_uS"], strict=True)
    first, last = (f"{s:.3f} ± {u:.3f}" for s, u in sigmas)
    drift, growth = state["drift_uS_per_decade"], state["broadening_uS2_per_decade"]
    return [
        f"{state['centre_uS']:.1f}", f"{state['cells']}", first, last,
        f"{drift['value']:.3f} ± {drift['uncertainty']:.3f}",
        f"{growth['value']:.3f} ± {growth['uncertainty']:.3f}",
        _far(state["mean_10y_uS"], 2), _far(state["sigma_10y_uS"], 3),
    ]  # fmt: skip


def _far(told: dict[str, float], digits: int) -> str:
    d = digits
    return f"{told['value']:.{d}f} ± {told['uncertainty']:.{d}f} (cells) ± {told['law']:.{d}f} (law)"


def _curve(kind: Any, series: Series, states: States, index: int, law: Law) -> Any:
    mean, doubt, sigma, sigma_doubt = states.moments(series, index)
    ages = np.median(series.ages()[:, states.members(index)], axis=1) if law.cells else series.elapsed
    return kind(
        f"{1e6 * states.centre[index]:.0f} µS", ages, mean, doubt, sigma, sigma_doubt,
        law.drift.value, law.mean_far.value, law.broadening.value, law.sigma_far.value,
        (law.mean_far.low, law.mean_far.high), TEN_YEARS,
    )  # fmt: skip


def _lead(series: Series, request: Request, folder: Path) -> str:
    counts = series.counts()
    warm = "not noted" if request.temperature is None else f"{request.temperature:g} K (noted, not measured)"
    end = format_duration(float(np.nanmax(series.elapsed)))
    return (
        f"{len(series.cells)} cells, {counts['taken'] + counts['late']} of {len(series.planned)} reads taken "
        f"({counts['late']} late, {counts['gap']} gaps) up to {end}; "
        f"temperature {warm}; time by {', '.join(series.sources)}; run {folder.name}."
    )


def show(session: Session, summary: dict[str, Any]) -> None:
    """Print the summary."""
    terminal, reads = session.terminal, summary["reads"]
    rows = [
        ["cells (left out)", f"{summary['cells']} ({summary['left_out']})"],
        ["reads taken, late, gaps", f"{reads['taken']}, {reads['late']}, {reads['gap']}"],
        ["from, to", f"{format_duration(summary['first_s'])}, {format_duration(summary['last_s'])}"],
        ["temperature", summary["temperature"]],
        ["time by", ", ".join(summary["clocks"])],
        [WHAT.lower(), told(summary)],
    ]
    terminal.table("Retention", ["what", "value"], rows)
    few = [0, 3, 4, 6, 7]
    short = [[_row(state)[i].split(" (")[0] for i in few] for state in summary["states"]]
    terminal.table("States", [HEAD[i] for i in few], short)
    terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    terminal.document(summary)
