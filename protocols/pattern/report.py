"""Tell how a programmed picture aged: maps, error distributions over time, one screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.durations import format_duration
from protocols.ageing.log_law import mean_and_error, spread
from protocols.ageing.series import Series, Status
from protocols.program.report import plane_of
from protocols.write_verify.programmed import Programmed
from protocols.write_verify.settling import STUCK
from rramlab.session import Session

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Aged:
    """Hold a picture over time: readings, what programming made of it, and the tolerance (S)."""

    series: Series
    done: Programmed
    tolerance: float

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Return which cells could be programmed at all."""
        return ~np.isin(self.done.outcome, STUCK)

    def errors(self) -> list[tuple[str, FloatArray]]:
        """Return when and by how much (S) each cell was off its target, as written and at each reading."""
        rows = np.flatnonzero(self.series.taken)
        later = [(self.name(int(i)), self.series.conductance[i] - self.done.target) for i in rows]
        return [("as written", self.done.written - self.done.target), *later]

    def name(self, index: int) -> str:
        """Return when a reading was taken, as a text."""
        return f"after {format_duration(float(self.series.elapsed[index]))}"


def summarise(aged: Aged, folder: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    series = aged.series
    return {
        "run": str(folder),
        "cells": len(series.cells),
        "programmable": int(aged.alive.sum()),
        "converged_percent": 100 * aged.done.success,
        "mean_pulses": float(aged.done.pulses.mean()),
        "reads": series.counts(),
        "gaps_s": series.planned[series.status == Status.GAP].tolist(),
        "clocks": list(series.sources),
        "age_at_zero_s": float(np.median(series.age)),
        "errors": [_row(name, error, aged) for name, error in aged.errors()],
    }


def _row(name: str, error: FloatArray, aged: Aged) -> dict[str, Any]:
    good = error[aged.alive & np.isfinite(error)]
    inside = float((np.abs(good) <= aged.tolerance).mean()) if good.size else 0.0
    mean, doubt = mean_and_error(good)
    sigma, sigma_doubt = (float(v[0]) for v in spread(good[None, :])) if good.size > 1 else (np.nan, np.nan)
    return {
        "when": name,
        "mean_uS": 1e6 * mean,
        "mean_uncertainty_uS": 1e6 * doubt,
        "sigma_uS": 1e6 * sigma,
        "sigma_uncertainty_uS": 1e6 * sigma_doubt,
        "within_tolerance_percent": 100 * inside,
        "worst_percent_uS": 1e6 * float(np.percentile(np.abs(good), 99)) if good.size else np.nan,
    }


def draw(aged: Aged, strategy: str, folder: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.pattern import errors_over_time, pictures_over_time
    from rramlab.page import Page

    series, done = aged.series, aged.done
    maps = [(aged.name(int(i)), plane_of(done, series.conductance[i])) for i in np.flatnonzero(series.taken)]
    named = [(name, error[aged.alive]) for name, error in aged.errors()]
    alive = plane_of(done, aged.alive.astype(float))
    page = Page("Pattern", _lead(aged, strategy, folder))
    page.figure(
        "The picture as asked for and as read back, and the error of each cell; in grey what is not in use, "
        "stuck or unformed.",
        pictures_over_time(plane_of(done, done.target), maps, alive, aged.tolerance),
        name="pattern",
    )
    page.figure(
        "Errors of the cells that can be programmed, as written and later; the band is the tolerance. "
        "Mean and sigma with their standard uncertainties.",
        errors_over_time(named, aged.tolerance),
        name="errors",
    )
    page.table("Errors over time", HEAD, [_told(_row(name, error, aged)) for name, error in aged.errors()])
    page.write(folder / "index.html", pictures=True)


HEAD = ("read", "mean error (uS)", "sigma (uS)", "within tolerance (%)", "99 % below (uS)")


def _told(row: dict[str, Any]) -> list[str]:
    return [
        row["when"],
        f"{row['mean_uS']:.3f} ± {row['mean_uncertainty_uS']:.3f}",
        f"{row['sigma_uS']:.3f} ± {row['sigma_uncertainty_uS']:.3f}",
        f"{row['within_tolerance_percent']:.1f}",
        f"{row['worst_percent_uS']:.2f}",
    ]


def _lead(aged: Aged, strategy: str, folder: Path) -> str:
    series = aged.series
    missing = int((series.status == Status.GAP).sum())
    gaps = f", {missing} readings missing" if missing else ""
    dead, age = int((~aged.alive).sum()), format_duration(float(np.median(series.age)))
    return (
        f"{len(series.cells)} cells by {strategy}, {dead} stuck or unformed left out of the errors{gaps}; "
        f"times since programming ended, when the median cell had been left alone for {age}; "
        f"run {folder.name}."
    )


def show(session: Session, summary: dict[str, Any]) -> None:
    """Print the summary."""
    terminal = session.terminal
    title = f"{summary['programmable']} of {summary['cells']} cells can be programmed"
    terminal.table(title, HEAD, [_told(row) for row in summary["errors"]])
    gaps = ", ".join(format_duration(seconds) for seconds in summary["gaps_s"])
    if gaps:
        terminal.say(f"not read, because nothing ran: {gaps}")
    terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    terminal.document(summary)
