"""Draw the page of read noise."""

from pathlib import Path
from typing import Any

import numpy as np

from protocols.ageing.log_law import Estimate
from protocols.noise.reading import ReadNoise
from protocols.noise.spectrum import level
from protocols.read_noise.report import band_facts, telegraph_facts
from rramlab.cells import Cells


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
    _readings(page, noise, cells)
    _tables(page, noise)
    page.write(place / "index.html", pictures=True)


def _readings(page: Any, noise: ReadNoise, cells: Cells) -> None:
    """Add the histogram, and the cells with the clearest telegraphs."""
    from rramlab.figures import noise as figures

    used = noise.bands.of_cell >= 0
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


def _tables(page: Any, noise: ReadNoise) -> None:
    bands = [band_facts(noise, band) for band in range(len(noise.bands))]
    head = ["G (µS)", "cells", "sigma (µS)", "white (µS)", "1/f per decade (µS)", "slope", "least Allan (µS)"]
    rows = [
        [
            *(b["conductance_uS"], b["cells"], b["sigma_uS"][0], b["white_sigma_uS"]),
            *(b["flicker_per_decade_uS"], f"{b['slope'][0]:.2f} ± {b['slope'][1]:.2f}", b["allan_least_uS"]),
        ]
        for b in bands
    ]
    page.table("Noise by band; 'white' holds all that is faster than the readings resolve", head, rows)
    found = telegraph_facts(noise)
    if found:
        head = ["G (µS)", "step (µS)", "± (µS)", "time low (s)", "time high (s)", "changes"]
        keys = ("mean_uS", "step_uS", "step_error_uS", "time_low_s", "time_high_s", "changes")
        page.table("Cells with telegraph noise", head, [[each[key] for key in keys] for each in found])


def _strongest(noise: ReadNoise) -> Any:
    usable = np.flatnonzero(noise.detection.found & (noise.bands.of_cell >= 0))
    return usable[np.argsort(-noise.detection.score[usable], kind="stable")][:3]


def _bounds(estimates: tuple[Estimate, ...]) -> Any:
    return np.array([[each.value, each.low, each.high] for each in estimates])
