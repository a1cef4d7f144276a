"""Show on one page what a noise study found."""

import numpy as np
from numpy.typing import NDArray

from protocols.study import words
from protocols.study.findings import Findings
from protocols.study.job import AGED, CURVE, DEVICE, MAP
from protocols.study.report import TRAINED, aged_table, tolerance_table, wait_text
from protocols.study.request import KINDS
from protocols.study.tolerance import LOST, tolerances
from rramlab.figures.study import Bar, Line, noise_curves, noise_maps, programming_life, tolerance_bars
from rramlab.page import Page

FloatArray = NDArray[np.float64]

WRITE, READ = "Write noise, σ (%)", "Read noise, σ (%)"
WRITE_FACTOR, READ_FACTOR = "Write noise (× device)", "Read noise (× device)"
QUALITY, DISTANCE = "Quality", "Sliced Wasserstein distance\nto the digital baseline (network units)"
HISTOGRAM = "Histogram L2 to the\ndigital baseline (dimensionless)"
TO_DATA = "Sliced Wasserstein distance\nto the data (network units)"


def page_of(found: Findings) -> Page:
    """Return the page of a study."""
    page = Page("Noise of writing and reading, and what a network stands", lead(found))
    tolerance(page, found)
    ideal(page, found)
    if DEVICE in found.parts:
        device(page, found)
    if AGED in found.parts:
        life(page, found)
    baselines(page, found)
    return page


def lead(found: Findings) -> str:
    """Return what was done and what came out, in a few sentences."""
    best = {(t.network, t.kind): t for t in tolerances(found) if (t.part, t.measure) == (CURVE, "quality")}
    told = "; ".join(
        f"{kind.upper()} {100 * best['aware', kind].level:.1f} % trained with noise, "
        f"{100 * best['unaware', kind].level:.1f} % without"
        for kind in KINDS
    )
    return (
        f"Ring networks trained with and without the noise of writing, {found.request.samples} samples per "
        f"point by ODE and SDE. Relative noise of writing at which quality has lost {LOST:.0%}: {told}."
    )


def tolerance(page: Page, found: Findings) -> None:
    """Add the tolerances."""
    page.section("Noise tolerance", words.TOLERANCE)
    parts = {
        "Tolerated write noise, σ (%)": (CURVE, 100.0),
        "Tolerated write noise (× device)": (DEVICE, 1.0),
    }
    bars = {label: _bars(found, part, scale) for label, (part, scale) in parts.items()}
    r = found.request
    most = dict(zip(parts, (100.0 * r.write[-1], r.write_factor[-1]), strict=True))
    shown = {label: each for label, each in bars.items() if each}
    page.figure("Write noise at which quality has lost 10 %", tolerance_bars(shown, most), name="tolerance")
    page.table("Ideal circuits", *tolerance_table(found, CURVE))
    head, rows = tolerance_table(found, DEVICE)
    if rows:
        page.table("Simulated device, read noise as it is", head, rows)


def ideal(page: Page, found: Findings) -> None:
    """Add what pure relative noise does on ideal circuits."""
    r = found.request
    page.section("Relative noise on ideal circuits", words.IDEAL)
    levels = 100.0 * np.array(r.write)
    panels = {name: _lines(found, CURVE, measure, 0) for name, measure in _PANELS.items()}
    page.figure(
        f"Noise of writing alone, {r.macros} macros",
        noise_curves(levels, panels, WRITE, 1.0 - LOST),
        name="write-noise",
    )
    if MAP in found.parts:
        both(page, found)


def both(page: Page, found: Findings) -> None:
    """Add what read noise does on ideal circuits, beside write noise and alone."""
    r = found.request
    write, read = ([f"{100 * level:g}" for level in levels] for levels in (r.map_write, r.map_read))
    page.figure(
        f"Quality over write and read noise, means of {r.map_macros} macros",
        noise_maps(_maps(found, MAP), write, read, WRITE, READ, QUALITY),
        name="noise-map",
    )
    reads = {QUALITY: _lines(found, MAP, "quality", 0, over_read=True)}
    reads[HISTOGRAM] = _lines(found, MAP, "histogram", 0, over_read=True)
    page.figure(
        f"Noise of reading alone, {r.map_macros} macros",
        noise_curves(100.0 * np.array(r.map_read), reads, READ, 1.0 - LOST),
        name="read-noise",
    )


def device(page: Page, found: Findings) -> None:
    """Add what multiples of the noise of the device do."""
    r = found.request
    page.section("Noise of the simulated device, multiplied", words.DEVICE)
    write, read = ([f"{level:g}" for level in levels] for levels in (r.write_factor, r.read_factor))
    page.figure(
        f"Quality over write and read noise of the device, means of {r.chips} chips",
        noise_maps(_maps(found, DEVICE), write, read, WRITE_FACTOR, READ_FACTOR, QUALITY),
        name="device-map",
    )
    as_it_is = r.read_factor.index(1.0) if 1.0 in r.read_factor else 0
    panels = {name: _lines(found, DEVICE, measure, as_it_is) for name, measure in _PANELS.items()}
    page.figure(
        f"Noise of writing, read noise {r.read_factor[as_it_is]:g} × device, {r.chips} chips",
        noise_curves(np.array(r.write_factor), panels, WRITE_FACTOR, 1.0 - LOST),
        name="device-write-noise",
    )
    errors = found.parts[DEVICE].weight_error[:, :, as_it_is].mean(axis=2)
    page.table(
        "Error of a weight in use, rms (units of the network)",
        ["trained", *(f"{factor:g} ×" for factor in r.write_factor)],
        [[TRAINED[n], *row] for n, row in zip(found.parts[DEVICE].networks, errors.tolist(), strict=True)],
    )


def life(page: Page, found: Findings) -> None:
    """Add what training, passes and waits do."""
    r, distances, part = found.request, found.parts[AGED].measures["distance"], found.parts[AGED]
    panels = {
        f"{kind.upper()}, trained {TRAINED[name]}": distances[n, :, :, :, k]
        for k, kind in enumerate(KINDS)
        for n, name in enumerate(part.networks)
    }
    waits = [wait_text(wait) for wait in r.waits]
    page.section("Training, programming passes, and the wait after programming", words.LIFE)
    page.figure(
        f"Distance to the digital baseline, {r.aged_chips} chips, smaller is better",
        programming_life(waits, r.passes, panels, DISTANCE),
        name="programming",
    )
    page.table("Quality, mean ± standard error over chips", *aged_table(found))
    errors = part.weight_error[:, :, 0].mean(axis=2).tolist()
    page.table(
        "Error of a weight in use right after programming, rms (units of the network)",
        ["trained", *(f"passes: {count}" for count in r.passes)],
        [[TRAINED[name], *row] for name, row in zip(part.networks, errors, strict=True)],
    )


def baselines(page: Page, found: Findings) -> None:
    """Add what everything is compared with."""
    rows = [
        [TRAINED[name], kind.upper(), float(b.floor[k]), float(b.start[k]), float(b.floor_data[k])]
        for name, b in found.baselines.items()
        for k, kind in enumerate(KINDS)
    ]
    page.section("The digital baseline", words.BASELINE)
    head = ["trained", "sampler", "floor", "start states", "to the data"]
    page.table(
        "Sliced Wasserstein distances (network units): to the baseline, and of it to the data", head, rows
    )


_PANELS = {QUALITY: "quality", HISTOGRAM: "histogram", TO_DATA: "to_data"}


def _values(found: Findings, part: str, measure: str) -> FloatArray:
    return found.quality(part) if measure == "quality" else found.parts[part].measures[measure]


def _lines(found: Findings, part: str, measure: str, fixed: int, over_read: bool = False) -> list[Line]:
    """Return the curves of a measure over one of the noises, the other at a fixed level."""
    values = _values(found, part, measure)
    chosen = values[:, fixed] if over_read else values[:, :, fixed]
    return [
        Line(f"{kind.upper()}, trained\n{TRAINED[name]}", kind.upper(), n, chosen[n, :, :, k])
        for k, kind in enumerate(KINDS)
        for n, name in enumerate(found.parts[part].networks)
    ]


def _maps(found: Findings, part: str) -> dict[str, FloatArray]:
    """Return the mean quality (write, read) by sampler and network."""
    means = found.quality(part).mean(axis=3)
    return {
        f"{kind.upper()}, trained {TRAINED[name]}": means[n, :, :, k]
        for n, name in enumerate(found.parts[part].networks)
        for k, kind in enumerate(KINDS)
    }


def _bars(found: Findings, part: str, scale: float) -> list[Bar]:
    """Return the tolerances of a part as bars."""
    return [
        Bar(
            f"{t.kind.upper()}\n{TRAINED[t.network]}",
            t.kind.upper(),
            *(scale * v for v in (t.level, t.low, t.high)),
        )
        for t in tolerances(found)
        if (t.part, t.measure) == (part, "quality")
    ]
