"""Write the page on which a fit is judged: predictions beside measurements, figure by figure."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from matplotlib.figure import Figure

from rramlab.page import Page
from sim_backend.fit import pictures
from sim_backend.fit.compare import Point, predicted
from sim_backend.fit.conduction import Curves
from sim_backend.fit.experiment import Experiment
from sim_backend.fit.pulses import Pulses
from sim_backend.fit.relaxation import Relaxing
from sim_backend.preset import Preset

GOALS = {"median": 0.15, "spread": 0.30, "sigma": 0.20}
"""Relative deviations within which a prediction counts as good."""
TAIL_FACTOR = 1.5
"""Factor within which a predicted share of cells counts as good."""

_COPIES = 4


@final
class Verdict:
    """Hold the figures of one table, of the rows that were fitted and of those held back."""

    def __init__(self, experiment: Experiment, preset: Preset) -> None:
        self.experiment, self.preset = experiment, preset
        held = bool(np.any(experiment.held))
        self.fitted = [] if np.all(experiment.held) else predicted(experiment, preset, False, _COPIES)
        self.held = predicted(experiment, preset, True, _COPIES) if held else []

    def summary(self) -> dict[str, str]:
        """Return how many points of each figure are within its goal, and within it given their error."""
        parts = (("fitted", self.fitted), ("held back", self.held))
        names = dict.fromkeys(p.figure for p in [*self.fitted, *self.held])
        return {f"{what}: {name}": _share(rows, name) for what, rows in parts if rows for name in names}

    def page(self, page: Page) -> None:
        """Add a section with pictures and all points to a page."""
        page.section(self.experiment.name).summary(self.summary())
        for caption, picture, name in self._pictures():
            page.figure(caption, picture, name=name)
        head = ["group", "figure", "cells", "measured", "standard error", "predicted", "deviation", "goal"]
        for what, rows in (("Held back", self.held), ("Fitted", self.fitted)):
            if rows:
                page.table(f"{what}: every point, SI units", head, [_row(p) for p in rows])

    def _pictures(self) -> list[tuple[str, Figure, str]]:
        e, name = self.experiment, self.experiment.name
        if isinstance(e, Relaxing):
            text = "After programming: dots measured, lines predicted, grey ground held back."
            return [(text, pictures.relaxing(self.fitted, self.held, e), f"relaxation {name}")]
        goals, scale = {k: GOALS[k] for k in ("median", "spread")}, 1.0 if isinstance(e, Curves) else 1e6
        cloud = pictures.against(self.fitted, self.held, goals, scale)
        found: list[tuple[str, Figure, str]] = [("Predicted against measured.", cloud, f"points {name}")]
        if isinstance(e, Pulses) and "part" in e.table.columns:
            text = (
                "Conductance after each step: dots and bars are median and middle 68 % as measured, "
                "crosses and dashes beside them as predicted."
            )
            found.append((text, pictures.sequence(e, self.preset, np.random.default_rng(4)), f"steps {name}"))
        elif isinstance(e, Pulses):
            rng = np.random.default_rng(4)
            text = (
                "Conductance after a pulse: dots medians and bands the middle 68 % measured, lines predicted."
            )
            found.append((text, pictures.responses(e, self.preset, rng), f"responses {name}"))
        return found


def verdicts(experiments: Sequence[Experiment], preset: Preset) -> dict[str, Verdict]:
    """Return the verdict on each table, by its file's name."""
    return {e.name: Verdict(e, preset) for e in experiments}


def check_page(found: Mapping[str, Verdict], preset: Preset) -> Page:
    """Return the page of all tables."""
    lead = "What the simulator predicts with this preset, beside what was measured. Every point is shown."
    page = Page(f"Fit of {preset.name}", lead)
    for verdict in found.values():
        verdict.page(page)
    return page


def good(point: Point, errors: float = 0.0) -> bool:
    """Return whether a prediction is within its goal, or would be, were the data off by `errors` sigma."""
    slack = errors * point.error
    if point.figure.startswith("share"):
        low, high = point.measured / TAIL_FACTOR - slack, point.measured * TAIL_FACTOR + slack
        return low <= point.predicted <= high
    off = abs(point.predicted - point.measured)
    return off <= GOALS[point.figure] * abs(point.measured) + slack


def _share(rows: Sequence[Point], name: str) -> str:
    mine = [p for p in rows if p.figure == name]
    strict, fair = (sum(good(p, errors) for p in mine) for errors in (0.0, 2.0))
    goal = f"factor {TAIL_FACTOR:g}" if name.startswith("share") else f"{GOALS[name]:.0%}"
    return f"{strict} of {len(mine)} within {goal}; {fair} within it and two standard errors of the data"


def _row(p: Point) -> list[object]:
    off = f"x{p.ratio:.2f}" if p.figure.startswith("share") else f"{p.off:+.0%}"
    verdict = "ok" if good(p) else "within error" if good(p, 2.0) else "MISSED"
    return [p.label, p.figure, p.count, p.measured, p.error, p.predicted, off, verdict]
