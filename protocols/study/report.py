"""Tell what a noise study found: one screen, and JSON for scripts."""

from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from protocols.study.findings import Findings
from protocols.study.job import AGED, CURVE, DEVICE, MAP
from protocols.study.request import KINDS
from protocols.study.tolerance import CONFIDENCE, Tolerance, tolerances
from rramlab.session import Session

TRAINED = {"aware": "with noise", "unaware": "without noise"}
CALLED = {"quality": "quality", "to_data": "distance to the data"}


def show(session: Session, found: Findings, folder: Path) -> None:
    """Print one screen of summary."""
    terminal = session.terminal
    for part, title in (
        (CURVE, "ideal circuits, relative sigma"),
        (DEVICE, "multiples of the device's noise"),
    ):
        head, rows = tolerance_table(found, part)
        if rows:
            terminal.table(f"Noise of writing at which 10 % is lost: {title}", head, rows)
    if AGED in found.parts:
        terminal.table("Quality after programming (1: the digital baseline)", *aged_table(found))
    terminal.say(f"page: {folder}/index.html   run file: {folder}/run.h5")
    terminal.document(facts_of(found) | {"run": str(folder)})


def tolerance_table(found: Findings, part: str) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the tolerances of a part."""
    chosen = [each for each in tolerances(found) if each.part == part]
    head = ["trained", "sampler", "lost of", "at", f"{CONFIDENCE:.0%} interval", "macros"]
    return head, [
        [
            TRAINED[each.network], each.kind.upper(), CALLED[each.measure],
            level_text(found, each, each.level), interval_text(found, each), f"{each.macros}",
        ]
        for each in chosen
    ]  # fmt: skip


def level_text(found: Findings, each: Tolerance, level: float) -> str:
    """Return a level of write noise as text."""
    r = found.request
    last = r.write[-1] if each.part == CURVE else r.write_factor[-1]
    beyond = "" if isfinite(level) else "> "
    value = level if isfinite(level) else last
    return f"{beyond}{100 * value:.2f} %" if each.part == CURVE else f"{beyond}{value:.2f} x"


def interval_text(found: Findings, each: Tolerance) -> str:
    """Return the interval of a tolerance as text; one macro alone has none."""
    if each.macros == 1:
        return "one macro: none"
    return f"{level_text(found, each, each.low)} to {level_text(found, each, each.high)}"


def aged_table(found: Findings) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of quality by network, sampler, passes and wait: mean +- standard error."""
    r, quality = found.request, found.quality(AGED)
    head = ["trained, sampler, passes", *(wait_text(wait) for wait in r.waits)]
    return head, [
        [
            f"{TRAINED[name]}, {kind.upper()}, {passes}",
            *(mean_text(quality[n, i, j, :, k]) for j in range(len(r.waits))),
        ]
        for n, name in enumerate(found.parts[AGED].networks)
        for k, kind in enumerate(KINDS)
        for i, passes in enumerate(r.passes)
    ]


def wait_text(wait: float) -> str:
    """Return a wait in the unit that a person would use."""
    for unit, seconds in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if wait >= seconds:
            return f"{wait / seconds:.3g} {unit}"
    return f"{wait:.3g} s"


def mean_text(values: Any) -> str:
    """Return mean and standard error of values."""
    error = f" ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{error}"


def facts_of(found: Findings) -> dict[str, Any]:
    """Return the study as plain numbers: tolerances, and means over macros of every point."""
    parts = {
        name: {
            "networks": list(found.parts[name].networks),
            "axes": ["network", *axes, "kind"],
            "quality": found.quality(name).mean(axis=3),
            **{measure: v.mean(axis=3) for measure, v in found.parts[name].measures.items()},
            "weight_error": found.parts[name].weight_error.mean(axis=3),
        }
        for name, axes in _AXES.items()
        if name in found.parts
    }
    told = [each.facts() for each in tolerances(found)]
    return {"request": found.request.parameters(), "seed": found.seed, "tolerances": told, "parts": parts}


_AXES = {
    CURVE: ["write", "none"],
    MAP: ["map_write", "map_read"],
    DEVICE: ["write_factor", "read_factor"],
    AGED: ["passes", "waits"],
}
