"""Tell the noise of writing: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.durations import format_duration
from protocols.ageing.log_law import Estimate
from protocols.noise.left import Left, left_at, power_law, single_spread
from protocols.noise.sigma import plus_minus
from protocols.noise.writing import Writes
from protocols.write_noise.request import Request
from rramlab.cells import Cells
from rramlab.pulse import Columns
from rramlab.session import Session

FloatArray = NDArray[np.float64]

UNITS = {"single": "S", "levels": "S", "error": "S", "again": "S"}
"""Units of the columns of a record; the others are numbers."""
MICRO = 1e6


def columns(single: FloatArray, writes: Writes, cells: Cells) -> Columns:
    """Return all that was left as named columns for the record."""
    return {
        **cells.columns(),
        "levels": writes.levels,
        "single": single,
        "level": writes.level,
        "error": writes.error,
        "again": writes.again,
        "pulses": writes.pulses,
    }


def summarise(
    single: FloatArray, writes: Writes, request: Request, rng: np.random.Generator, place: Path
) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    return {
        "run": str(place),
        "cells": single.shape[1],
        **_of_single(single),
        **(_of_writes(writes, request, rng) if request.writes else {"times": [], "levels": []}),
    }


def draw(summary: dict[str, Any], writes: Writes, request: Request, place: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures.noise import error_histograms, written_sigma
    from rramlab.page import Page

    lead = f"{summary['cells']} cells, {request.levels} levels, tolerance {MICRO * request.tolerance:g} µS."
    page = Page("Write noise", lead)
    if summary["single"]:
        at = 1e-6 * np.array([each["mean_uS"] for each in summary["single"]])
        named = (("cycle to cycle", "cycle"), ("cell to cell", "cell"))
        series = [(words, _bars(summary["single"], key)) for words, key in named]
        page.figure(
            "Sigma of what one SET pulse leaves, without correction (bars: 95 %)",
            written_sigma(at, series, "Sigma (µS)"),
            name="single-pulses",
        )
    if summary["levels"]:
        times, at = summary["times"], writes.levels
        curves = [(name, _triples(summary["levels"], "sigma_uS", i)) for i, name in enumerate(times)]
        plain = [(name, _triples(summary["levels"], "robust_sigma_uS", i)) for i, name in enumerate(times)]
        page.figure(
            "Sigma of the error of write-verify (bars: 95 %)",
            written_sigma(at, curves, "Sigma of the error (µS)"),
            name="write-error",
        )
        page.figure(
            "The same without tails: 1.48 times the median distance from the median",
            written_sigma(at, plain, "Robust sigma (µS)"),
            name="write-error-robust",
        )
        errors = [(name, writes.error[:, i]) for i, name in enumerate(times)]
        page.figure("Errors of all writes", error_histograms(errors, 4 * request.tolerance), name="errors")
        page.table("Error of write-verify by level", *_level_table(summary))
    page.write(place / "index.html", pictures=True)


def show(session: Session, summary: dict[str, Any]) -> None:
    """Print one screen: what one pulse leaves, then the errors of write-verify."""
    terminal = session.terminal
    if summary["single"]:
        rows = [
            [f"{each['mean_uS']:.1f}", *(plus_minus(*each[f"{key}_uS"]) for key in ("cycle", "cell"))]
            for each in summary["single"]
        ]
        head = ["G (uS)", "sigma, cycle to cycle (uS)", "cell to cell (uS)"]
        terminal.table(f"One SET pulse, {summary['following_cells']} cells", head, rows)
        slope = summary["single_exponent"]
        if np.isfinite(slope[0]):
            terminal.say(f"sigma from cycle to cycle goes as G^({slope[0]:.2f} ± {slope[1]:.2f})")
    if summary["levels"]:
        terminal.table("Sigma of the error of write-verify (uS, 95 %)", *_screen(summary))
        terminal.say(
            f"{summary['converged_percent']:.1f} % of the writes converged, "
            f"{summary['mean_pulses']:.1f} pulses each"
        )
    terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    terminal.document(summary)


def _of_single(single: FloatArray) -> dict[str, Any]:
    found, following = single_spread(single)
    mean = np.array([each.mean for each in found])
    sigma = np.array([each.cycle_sigma for each in found])
    law = power_law(mean, sigma, np.array([each.cycle_error for each in found]))
    listed = [
        {
            "mean_uS": MICRO * each.mean,
            "cycle_uS": [MICRO * each.cycle_sigma, MICRO * each.cycle_error],
            "cell_uS": [MICRO * each.cell_sigma, MICRO * each.cell_error],
        }
        for each in found
    ]
    return {"following_cells": following, "single": listed, "single_exponent": [law.slope, law.slope_error]}


def _of_writes(writes: Writes, request: Request, rng: np.random.Generator) -> dict[str, Any]:
    times = ["right after", *(f"{format_duration(wait)} later" for wait in request.waits)]
    count = len(times)
    table = [
        [left_at(writes, level, time, request.tolerance, rng) for time in range(count)]
        for level in range(len(writes.levels))
    ]
    known = [writes.error[:, i][np.isfinite(writes.error[:, i])] for i in range(count)]
    return {
        "times": times,
        "times_s": [0.0, *request.waits],
        "converged_percent": 100 * writes.converged,
        "mean_pulses": float(writes.pulses.mean()),
        "sigma_all_uS": [MICRO * float(each.std()) if each.size else None for each in known],
        "levels": [_of_level(writes, i, row) for i, row in enumerate(table)],
        "exponents": [_exponent(writes, [row[i] for row in table]) for i in range(count)],
    }


def _of_level(writes: Writes, level: int, row: list[Left]) -> dict[str, Any]:
    return {
        "target_uS": MICRO * float(writes.levels[level]),
        "writes": row[0].count,
        "reading_sigma_uS": MICRO * writes.reading_sigma(level),
        "bias_uS": [_micro(each.bias) for each in row],
        "sigma_uS": [_micro(each.sigma) for each in row],
        "robust_sigma_uS": [_micro(each.robust) for each in row],
        "inside_percent": [100 * each.inside for each in row],
    }


def _exponent(writes: Writes, column: list[Left]) -> list[float]:
    sigma = np.array([each.sigma.value for each in column])
    law = power_law(writes.levels, sigma, np.array([each.sigma.uncertainty for each in column]))
    return [law.slope, law.slope_error]


def _screen(summary: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            f"{each['target_uS']:.1f}",
            str(each["writes"]),
            plus_minus(each["reading_sigma_uS"], float("nan")),
            *(plus_minus(value, (high - low) / 2) for value, low, high in each["sigma_uS"]),
        ]
        for each in summary["levels"]
    ]
    return ["target", "writes", "reading", *summary["times"]], rows


def _level_table(summary: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    head = ["target (µS)", "writes", "sigma of a reading (µS)"]
    for time in summary["times"]:
        head += [f"bias {time} (µS)", f"sigma {time} (µS)", "inside (%)"]
    rows = []
    for each in summary["levels"]:
        row: list[Any] = [each["target_uS"], each["writes"], each["reading_sigma_uS"]]
        for i in range(len(summary["times"])):
            row += [each["bias_uS"][i][0], each["sigma_uS"][i][0], each["inside_percent"][i]]
        rows.append(row)
    return head, rows


def _bars(listed: list[dict[str, Any]], key: str) -> FloatArray:
    """Return value, low and high (S) of entries that hold a value and its standard error (uS)."""
    pairs = 1e-6 * np.array([each[f"{key}_uS"] for each in listed])
    half = 1.96 * pairs[:, 1]
    return np.array([pairs[:, 0], np.maximum(pairs[:, 0] - half, 0.0), pairs[:, 0] + half]).T


def _triples(levels: list[dict[str, Any]], key: str, time: int) -> FloatArray:
    return 1e-6 * np.array([each[key][time] for each in levels])


def _micro(estimate: Estimate) -> list[float]:
    return [MICRO * estimate.value, MICRO * estimate.low, MICRO * estimate.high]
