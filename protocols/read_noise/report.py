"""Tell the noise of reading: figures, a page, one screen."""

from pathlib import Path
from typing import Any

import numpy as np

from protocols.ageing.log_law import Estimate
from protocols.noise.reading import ReadNoise
from protocols.noise.sigma import plus_minus
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
        "bands": [band_facts(noise, band) for band in range(len(noise.bands))],
        "flicker_exponent": [flicker.slope, flicker.slope_error],
        "white_exponent": [white.slope, white.slope_error],
        "sigma_by_samples_uS": {
            str(samples): [_micro(each) for each in found] for samples, found in by_samples.items()
        },
        "telegraph_cells": int(noise.detection.found[used].sum()),
        "false_alarm_per_cell": noise.detection.false_alarm,
        "telegraphs": telegraph_facts(noise),
    }


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


def band_facts(noise: ReadNoise, band: int) -> dict[str, Any]:
    """Return the figures of a band as plain numbers."""
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


def telegraph_facts(noise: ReadNoise) -> list[dict[str, float]]:
    """Return the figures of each telegraph as plain numbers."""
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


def _micro(estimate: Estimate) -> list[float]:
    return [MICRO * estimate.value, MICRO * estimate.low, MICRO * estimate.high]
