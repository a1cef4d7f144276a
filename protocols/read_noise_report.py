"""Tell the noise of reading: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np

from protocols.ageing.log_law import Estimate
from protocols.noise.reading import ReadNoise
from protocols.noise.sigma import plus_minus
from protocols.noise.spectrum import level
from rramlab.cells import Cells
from rramlab.pulse import Columns
from rramlab.session import Session

UNITS = {
    "mean": "S", "sigma": "S", "band_conductance": "S", "frequency": "Hz", "density": "S^2/Hz",
    "allan_time": "s", "allan": "S", "window_time": "s", "window_sigma": "S", "step": "S", "time_low": "s",
    "time_high": "s", "white": "S^2/Hz", "flicker": "S^2/Hz",
}  # fmt: skip
"""Units of the columns of a record; the others are numbers."""
MICRO = 1e6


def columns(noise: ReadNoise, cells: Cells) -> Columns:
    """Return the noise as named columns for the record."""
    found = noise.detection.telegraphs
    of_cells = {
        name: np.array([np.nan if each is None else getattr(each, name) for each in found])
        for name in ("step", "time_low", "time_high")
    }
    return {
        **cells.columns(),
        "mean": noise.mean,
        "sigma": noise.sigma,
        "band": noise.bands.of_cell,
        "telegraph_odds": noise.detection.odds,
        **of_cells,
        "band_conductance": noise.bands.conductance,
        "white": np.array([part.white for part in noise.parts]),
        "flicker": np.array([part.flicker for part in noise.parts]),
        "frequency": noise.spectra[0].frequency,
        "density": np.array([spectrum.density[:, 0] for spectrum in noise.spectra]),
        "allan_time": noise.allan.time,
        "allan": noise.allan.deviation,
        "window_time": noise.within.time,
        "window_sigma": noise.within.deviation,
    }


def summarise(noise: ReadNoise, by_samples: dict[int, tuple[Estimate, ...]], place: Path) -> dict[str, Any]:
    """Return the figures of a run as plain numbers (uS at the edge)."""
    flicker, white = noise.over_conductance
    used = noise.bands.of_cell >= 0
    return {
        "run": str(place),
        "cells": int(used.sum()),
        "left_out": int((~used).sum()),
        "reads": len(noise.series.time),
        "interval_s": noise.series.interval,
        "jitter_percent": 100 * noise.series.jitter,
        "bands": [_band(noise, band) for band in range(len(noise.bands))],
        "flicker_exponent": [flicker.slope, flicker.slope_error],
        "white_exponent": [white.slope, white.slope_error],
        "sigma_by_samples_uS": {
            str(samples): [_micro(each) for each in found] for samples, found in by_samples.items()
        },
        "telegraph_cells": int(noise.detection.found[used].sum()),
        "false_alarm_per_cell": noise.detection.false_alarm,
        "telegraphs": _telegraphs(noise),
    }


def draw(noise: ReadNoise, by_samples: dict[int, tuple[Estimate, ...]], cells: Cells, place: Path) -> None:
    """Write the page of figures into the folder of the run."""
    from rramlab.figures import noise as figures
    from rramlab.page import Page

    g, used = noise.bands.conductance, noise.bands.of_cell >= 0
    reads = f"{len(noise.series.time)} readings each, {noise.series.interval:.4g} s apart"
    lead = f"{int(used.sum())} cells, {reads}."
    page = Page("Read noise", lead)
    page.figure(
        "Sigma of one reading over conductance: cells, and the median of those without telegraph",
        figures.sigma_over_conductance(
            noise.mean[used], noise.sigma[used], noise.detection.found[used], g, _bounds(noise.sigmas)
        ),
        name="sigma",
    )
    density = np.array([spectrum.density[:, 0] for spectrum in noise.spectra])
    fits = np.array([[part.white, part.flicker] for part in noise.parts])
    page.figure(
        "Power spectrum by band of conductance; dashed: white + 1/f",
        figures.spectra(noise.spectra[0].frequency, density, fits, g),
        name="spectra",
    )
    page.figure(
        "Noise over time scales: Allan deviation, and spread within a window of time",
        figures.scales(
            (noise.allan.time, noise.allan.deviation.T), (noise.within.time, noise.within.deviation.T), g
        ),
        name="scales",
    )
    samples = np.array(sorted(by_samples))
    values = np.array([[by_samples[int(n)][band].value for n in samples] for band in range(len(g))])
    page.figure(
        "Sigma of a reading over the samples averaged in it",
        figures.averaging(samples, values, g),
        name="averaging",
    )
    flat = level(noise.series.conductance) / np.maximum(noise.sigma, 1e-30)
    page.figure(
        "Histogram of all readings, in sigma of their cell",
        figures.histogram(flat[:, used & noise.quiet], flat[:, used & ~noise.quiet]),
        name="histogram",
    )
    strongest = _strongest(noise)
    if strongest.size:
        names = [f"r{cells.row[i]}c{cells.col[i]}" for i in strongest]
        page.figure(
            "Cells with random telegraph noise",
            figures.traces(noise.series.time, noise.series.conductance[:, strongest], names),
            name="telegraphs",
        )
    _tables(page, noise)
    page.write(place / "index.html", pictures=True)


def show(session: Session, summary: dict[str, Any]) -> None:
    """Print one screen: a line per band, then telegraphs and laws."""
    terminal = session.terminal
    head = ["G", "cells", "sigma", "white", "1/f a decade", "slope", "telegraph"]
    rows = [
        [
            f"{b['conductance_uS']:.1f}",
            str(b["cells"]),
            plus_minus(b["sigma_uS"][0], (b["sigma_uS"][2] - b["sigma_uS"][1]) / 2, 3),
            f"{b['white_sigma_uS']:.3f}",
            f"{b['flicker_per_decade_uS']:.3f}",
            f"{b['slope'][0]:.2f} ± {b['slope'][1]:.2f}",
            str(b["telegraphs"]),
        ]
        for b in summary["bands"]
    ]
    terminal.table("Noise of one reading (uS), median over cells (95 %)", head, rows)
    pair = summary["flicker_exponent"]
    if np.isfinite(pair[0]):
        terminal.say(f"sigma of the 1/f part goes as G^({pair[0]:.2f} ± {pair[1]:.2f})")
    terminal.say(
        f"telegraph noise in {summary['telegraph_cells']} of {summary['cells']} cells "
        f"(false alarm: 1 in {1 / summary['false_alarm_per_cell']:,.0f} per cell)"
    )
    if summary["jitter_percent"] > 10:
        terminal.say(
            f"readings were not even in time ({summary['jitter_percent']:.0f} %): spectra are blurred"
        )
    terminal.say(f"page: {summary['run']}/index.html   run file: {summary['run']}/run.h5")
    terminal.document(summary)


def _band(noise: ReadNoise, band: int) -> dict[str, Any]:
    members, part = noise.bands.members(band), noise.parts[band]
    return {
        "conductance_uS": MICRO * float(noise.bands.conductance[band]),
        "cells": int(members.sum()),
        "telegraphs": int(noise.detection.found[members].sum()),
        "sigma_uS": _micro(noise.sigmas[band]),
        "white_sigma_uS": MICRO * noise.white_sigma(band),
        "flicker_per_decade_uS": MICRO * part.per_decade,
        "white_uS2_per_Hz": [1e12 * part.white, 1e12 * part.white_error],
        "flicker_uS2_per_Hz_at_1_Hz": [1e12 * part.flicker, 1e12 * part.flicker_error],
        "slope": [part.slope, part.slope_error],
        "allan_least_uS": MICRO * float(noise.allan.deviation[:, band].min()),
    }


def _telegraphs(noise: ReadNoise) -> list[dict[str, float]]:
    return [
        {
            "mean_uS": MICRO * float(noise.mean[i]),
            "step_uS": MICRO * each.step,
            "step_error_uS": MICRO * each.step_error,
            "time_low_s": each.time_low,
            "time_high_s": each.time_high,
            "changes": each.changes,
            "odds": float(noise.detection.odds[i]),
        }
        for i, each in enumerate(noise.detection.telegraphs)
        if each is not None and noise.bands.of_cell[i] >= 0
    ]


def _tables(page: Any, noise: ReadNoise) -> None:
    bands = [_band(noise, band) for band in range(len(noise.bands))]
    head = ["G (µS)", "cells", "sigma (µS)", "white (µS)", "1/f per decade (µS)", "slope", "least Allan (µS)"]
    rows = [
        [
            *(b["conductance_uS"], b["cells"], b["sigma_uS"][0], b["white_sigma_uS"]),
            *(b["flicker_per_decade_uS"], f"{b['slope'][0]:.2f} ± {b['slope'][1]:.2f}", b["allan_least_uS"]),
        ]
        for b in bands
    ]
    page.table("Noise by band; 'white' holds all that is faster than the readings resolve", head, rows)
    found = _telegraphs(noise)
    if found:
        head = ["G (µS)", "step (µS)", "± (µS)", "time low (s)", "time high (s)", "changes"]
        keys = ("mean_uS", "step_uS", "step_error_uS", "time_low_s", "time_high_s", "changes")
        page.table("Cells with telegraph noise", head, [[each[key] for key in keys] for each in found])


def _strongest(noise: ReadNoise) -> Any:
    usable = np.flatnonzero(noise.detection.found & (noise.bands.of_cell >= 0))
    return usable[np.argsort(-noise.detection.score[usable], kind="stable")][:3]


def _bounds(estimates: tuple[Estimate, ...]) -> Any:
    return np.array([[each.value, each.low, each.high] for each in estimates])


def _micro(estimate: Estimate) -> list[float]:
    return [MICRO * estimate.value, MICRO * estimate.low, MICRO * estimate.high]
