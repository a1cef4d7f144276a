"""Tell how well levels are told apart: figures, a page, one screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from protocols.certainty import WHAT, Certainty
from protocols.characterise.ohmic import Ohmic
from protocols.levels.cells import Levels
from protocols.levels.figures import Moment, programmed
from rramlab.outcome import Outcome
from rramlab.page import Page
from rramlab.quantity import format_quantity
from rramlab.session import Session

MICRO = 1e6
HEAD = (
    "after", "sigma (uS)", "of read", "of cells", "bias", "wrong", "overlap", "bits", "information",
)  # fmt: skip
SHOWN = (0, 1, 2, 5, 6, 7, 8)
METHOD = (
    "All figures are of single readings of cells that write-verify programmed. Sigma is the root mean square "
    "of reading minus target, bias included; it is parted into the noise of a reading and the spread of "
    "cells. A reading is at the wrong level when another target is nearer. The overlap is the area that the "
    "normal distributions of two neighbouring levels share, in the mean over all pairs.\n\n"
    "Effective bits = log2(1 + span / (2 · 1.96 · sigma)): the number of levels, as bits, whose 95 % "
    "intervals would not meet in the span from the lowest to the highest target. Information is the mutual "
    "information of level and reading, all levels alike likely: log2 N − (1/N) Σ ∫ p_i log2(Σ p_j / p_i). "
    "Their standard errors come from cells drawn anew with replacement (bootstrap).\n\n"
    "The distribution of a level with fewer than 24 cells is that of its neighbours with it. I-V: "
    "least-squares fit of I = I0 + G V (1 + chi V²) within the read voltage; departure is the largest "
    "distance from the best straight line over the span of the currents."
)


def summarise(
    found: Levels, told: Sequence[Moment], straight: Sequence[Ohmic], folder: Path
) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    codes, counts = np.unique(found.outcome, return_counts=True)
    chi = np.array([fit.chi for fit in straight])
    return {
        "run": str(folder),
        "cells": len(found.cells),
        "levels": len(found.target),
        "rounds": len(found.level),
        "programmed_percent": 100 * float((found.outcome == Outcome.CONVERGED).mean()),
        "pulses_per_level": float(found.pulses.mean()),
        "pitch_uS": MICRO * float(found.target[1] - found.target[0]),
        "time_s": [m.time for m in told],
        "sigma_uS": [MICRO * m.sigma for m in told],
        "read_sigma_uS": [MICRO * m.read_sigma for m in told],
        "cell_sigma_uS": [MICRO * m.cell_sigma for m in told],
        "bias_uS": [MICRO * m.bias for m in told],
        "wrong_level_percent": [100 * m.wrong for m in told],
        "overlap_percent": [100 * m.overlap for m in told],
        "bits": [m.bits for m in told],
        "bits_error": [m.bits_error for m in told],
        "information_bit": [m.information for m in told],
        "information_error_bit": [m.information_error for m in told],
        "averaged_bits": [m.averaged_bits for m in told],
        "chi_per_V2": float(np.nanmedian(chi)) if chi.size else None,
        "departure_percent": 100 * float(max(fit.departure for fit in straight)) if straight else None,
        "outcomes": {Outcome(c).name: int(n) for c, n in zip(codes.tolist(), counts, strict=True)},
    }


def draw(
    found: Levels, told: Sequence[Moment], straight: Sequence[Ohmic], folder: Path, sure: Certainty
) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.levels import level_curves

    low, high = (format_quantity(value, "S") for value in found.target[[0, -1]])
    page = Page(
        "Levels",
        f"{len(found.cells)} cells, {len(found.target)} levels from {low} to {high}, "
        f"{len(found.level)} round(s) of programming; run {folder.name}. {WHAT}: {sure.text}.",
    )
    if len(found.curve_level):
        fits = np.array([[f.conductance, f.chi, f.chi_error, f.departure] for f in straight]).T
        caption = (
            "I-V at each level within the read voltage, nonlinearity, and departure from a straight line"
        )
        picture = level_curves(
            found.target[found.curve_level], found.curve_voltage, found.curve_current, fits
        )
        page.figure(caption, picture, name="curves")
    if told:
        _draw_readings(page, found, told)
    page.section("Method", METHOD)
    page.table("Outcomes of programming", ["outcome", "cells", "what to do"], _outcomes(found))
    page.write(folder / "index.html", pictures=True)


def _draw_readings(page: Page, found: Levels, told: Sequence[Moment]) -> None:
    """Add what the readings of the last time, and those of all times, tell of the levels."""
    from rramlab.figures.levels import against_time, distributions, level_errors

    last, (level, readings) = told[-1], programmed(found, len(told) - 1)
    seen = found.target, level, readings, last.spread.mean, last.spread.sigma
    when = f"{format_quantity(last.time, 's', 3)} after programming"
    caption = f"Readings of each level, {when}, and how far they lie from the target (band: half a pitch)"
    page.figure(caption, level_errors(*seen), name="levels")
    page.figure(
        f"Distributions of neighbouring levels, {when}: single readings, and the normal distributions "
        f"of which overlap and information are taken; grey lines: targets",
        distributions(*seen),
        name="distributions",
    )
    rows = [(m.time, m.sigma, m.read_sigma, m.cell_sigma, m.wrong, m.overlap) for m in told]
    bits = [(m.bits, m.bits_error, m.information, m.information_error, m.averaged_bits) for m in told]
    page.figure(
        "Spread, wrong levels and effective bits against the time after programming",
        against_time(np.array(rows).T, np.array(bits).T, len(found.target)),
        name="time",
    )
    page.table("Of single readings, conductances in uS, information in bit", HEAD, _rows(told))


def show(
    session: Session, found: Levels, told: Sequence[Moment], summary: dict[str, Any], sure: Certainty
) -> None:
    """Print the figures against time, and the cells that were not programmed."""
    title = (
        f"{summary['levels']} levels on {summary['cells']} cells, {summary['programmed_percent']:.4g} % "
        f"programmed with {summary['pulses_per_level']:.3g} pulses"
    )
    # What an ordinary terminal is wide enough for; the page has all.
    session.terminal.table(title, [HEAD[i] for i in SHOWN], [[row[i] for i in SHOWN] for row in _rows(told)])
    missed = [row for row in _outcomes(found) if row[0] != Outcome.CONVERGED.name]
    if missed:
        session.terminal.table("Not programmed", ["outcome", "cells", "what to do"], missed)
    session.terminal.say(f"{WHAT.lower()}: {sure.text}")
    session.terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    session.terminal.document(summary)


def _rows(told: Sequence[Moment]) -> list[list[str]]:
    return [
        [
            format_quantity(m.time, "s", 3),
            *(f"{MICRO * value:.3f}" for value in (m.sigma, m.read_sigma, m.cell_sigma, m.bias)),
            *(f"{100 * value:.1f} %" for value in (m.wrong, m.overlap)),
            f"{m.bits:.2f}±{m.bits_error:.2f}",
            f"{m.information:.2f}±{m.information_error:.2f}",
        ]
        for m in told
    ]


def _outcomes(found: Levels) -> list[list[str]]:
    codes, counts = np.unique(found.outcome, return_counts=True)
    listed = [(Outcome(code), int(count)) for code, count in zip(codes.tolist(), counts, strict=True)]
    return [[outcome.name, str(count), outcome.cure] for outcome, count in listed]
