"""Tell what stress did to cells: figures, a page, one screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.contrast import Effect, effect_of
from protocols.disturb.layout import COLUMN, NULL, PARTS, ROW
from protocols.disturb.request import Request
from protocols.disturb.steps import Looks
from rramlab.cells import Cells
from rramlab.pulse import Columns
from rramlab.session import Session

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@final
@dataclass(frozen=True, eq=False)
class Found:
    """Hold the cells with target (S), state, arm and part of each, and how they read under both stresses."""

    cells: Cells
    usable: NDArray[np.bool_]
    target: FloatArray
    state: IntArray
    arm: IntArray
    read: Looks | None
    part: IntArray
    select: Looks | None

    def columns(self) -> Columns:
        """Return all as named columns for the record."""
        own: dict[str, Any] = {**self.cells.columns(), "usable": self.usable, "target": self.target}
        own |= {"state": self.state, "arm": self.arm, "part": self.part}
        for name, looks in (("read", self.read), ("select", self.select)):
            if looks is not None:
                own |= {f"{name}_stress": looks.stress, f"{name}_conductance": looks.conductance}
        return own

    def units(self) -> dict[str, str]:
        """Return the units of those columns that are conductances."""
        return {name: "S" for name in self.columns() if name == "target" or name.endswith("conductance")}

    def effects(self, request: Request) -> list["Line"]:
        """Return the effect of each stress on each state."""
        lines = []
        if self.read is not None:
            for number, voltage in enumerate(request.voltages, start=1):
                lines += self._lines("read", f"{voltage:g} V", self.read, self.arm, number, 0)
        if self.select is not None:
            for part in (ROW, COLUMN):
                lines += self._lines("half-select", PARTS[part], self.select, self.part, part, NULL)
        return lines

    def _lines(
        self, kind: str, name: str, looks: Looks, group: IntArray, which: int, null: int
    ) -> list["Line"]:
        stress, seen = looks.stress.astype(float), looks.conductance
        lines = []
        for state in range(int(self.state.max()) + 1):
            here = self.usable & (self.state == state)
            stressed, rest = seen[:, here & (group == which)], seen[:, here & (group == null)]
            if min(stressed.shape[1], rest.shape[1]) > 1:
                centre = float(self.target[self.state == state].mean())
                lines.append(
                    Line(kind, name, centre, effect_of(stress, stressed, rest), stress, stressed, rest)
                )
        return lines


@final
@dataclass(frozen=True, eq=False)
class Line:
    """Hold one comparison: kind of stress, which, centre of the state (S), effect, and the readings (S)."""

    kind: str
    name: str
    centre: float
    effect: Effect
    stress: FloatArray
    stressed: FloatArray
    null: FloatArray

    def facts(self) -> dict[str, Any]:
        """Return the comparison as plain numbers (uS); slopes are per reading of 1 ms or per pulse."""
        e = self.effect
        return {
            "kind": self.kind,
            "stress": self.name,
            "centre_uS": 1e6 * self.centre,
            "cells": e.cells,
            "null_cells": e.null_cells,
            "slope_nS": 1e9 * e.slope,
            "slope_uncertainty_nS": 1e9 * e.slope_error,
            "null_slope_nS": 1e9 * e.null_slope,
            "null_uncertainty_nS": 1e9 * e.null_error,
            "excess_nS": 1e9 * e.excess,
            "excess_uncertainty_nS": 1e9 * e.excess_error,
            "change_uS": 1e6 * e.change,
            "change_uncertainty_uS": 1e6 * e.change_error,
            "bound_uS": 1e6 * e.bound,
            "seen": e.is_seen,
        }


def summarise(found: Found, request: Request, folder: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers."""
    lines = found.effects(request)
    return {
        "run": str(folder),
        "cells": len(found.cells),
        "left_out": int((~found.usable).sum()),
        "reads": request.reads if found.read is not None else 0,
        "pulses": request.pulses // 2 * 2 if found.select is not None else 0,
        "effects": [line.facts() for line in lines],
        "seen": sum(line.effect.is_seen for line in lines),
    }


HEAD = ("stress", "state (uS)", "cells, null", "slope (nS)", "change (uS)", "disturb")
UNITS = {"read": "per reading of 1 ms", "half-select": "per pulse of an aggressor"}


def draw(found: Found, request: Request, folder: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.disturb import Stressed, stress_curves
    from rramlab.page import Page

    page = Page(
        "Disturb", f"{len(found.cells)} cells, {int((~found.usable).sum())} left out; run {folder.name}."
    )
    lines = found.effects(request)
    for kind, axis in (("read", "Readings of 1 ms"), ("half-select", "Pulses of an aggressor")):
        mine = [line for line in lines if line.kind == kind]
        if mine:
            curves = [
                Stressed(line.name, line.centre, line.stress, line.stressed, line.null) for line in mine
            ]
            page.figure(
                f"Change since the first look under {kind} stress, beside cells of the same state that were "
                f"left alone (grey); bars are one standard uncertainty of the mean.",
                stress_curves(curves, axis),
                name=kind,
            )
            page.table(
                f"Excess over the null cells, {UNITS[kind]}", HEAD, [_row(line.facts()) for line in mine]
            )
    page.write(folder / "index.html", pictures=True)


def _row(facts: dict[str, Any]) -> list[str]:
    verdict = "SEEN" if facts["seen"] else f"none > {facts['bound_uS']:.2g} uS"
    return [
        facts["stress"],
        f"{facts['centre_uS']:.0f}",
        f"{facts['cells']}, {facts['null_cells']}",
        f"{facts['excess_nS']:.2g} ± {facts['excess_uncertainty_nS']:.2g}",
        f"{facts['change_uS']:.3f} ± {facts['change_uncertainty_uS']:.3f}",
        verdict,
    ]


def show(session: Session, summary: dict[str, Any]) -> None:
    """Print the summary."""
    terminal = session.terminal
    for kind, unit in UNITS.items():
        rows = [_row(facts) for facts in summary["effects"] if facts["kind"] == kind]
        if rows:
            terminal.table(f"{kind.capitalize()}: excess over cells left alone, {unit}", HEAD, rows)
    terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    terminal.document(summary)
