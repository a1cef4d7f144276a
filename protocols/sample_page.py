"""Show on one page what the main job found."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from protocols.sample_outcome import Outcome
from protocols.sample_report import programming_rows, quality_table
from rramlab.figures import programming, quality, sampling, slices
from rramlab.page import Page

FloatArray = NDArray[np.float64]

LAYERS = ("Layer 1", "Layer 2", "Layer 3")


def page_of(found: Outcome, fields: tuple[FloatArray, FloatArray, FloatArray]) -> Page:
    """Return the page; `fields` are times (s), grid axis and measured slopes for the vector field."""
    page = Page("A score network in resistive memory", lead(found))
    programmed(page, found)
    dynamics(page, found, fields)
    outcome(page, found)
    return page


def lead(found: Outcome) -> str:
    """Return what was done in two sentences."""
    sets, network = (
        found.comparison.quality,
        found.request.weights or "the ring network",
    )
    analog, digital = (sets[name].sliced_wasserstein for name in ("analog", "digital"))
    return (
        f"{found.request.runs} closed-loop runs ({found.request.kind.upper()}) of {network}, "
        f"programmed into three 1T1R macros. Sliced Wasserstein distance to the data: {analog:.4f} analog, "
        f"{digital:.4f} digital."
    )


def programmed(page: Page, found: Outcome) -> None:
    """Add how the weights came into the macros."""
    written, target = found.macro.written.layers, found.score.layers
    if found.programmed:
        page.table("Programmed weights", ["what", "value"], programming_rows(found))
    page.figure("Programmed against target weights", programming.weight_agreement(target, written, LAYERS))
    page.figure("Maps of the weights", programming.weight_maps(target, written, LAYERS))


def dynamics(page: Page, found: Outcome, fields: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    """Add what happens in the loop: waveforms, voltages, vector field, distribution over time."""
    r, c = found.result, found.sampling.coefficients(found.score)
    ticks = c.tick * np.arange(len(c.drift))
    hidden = [h[0] for h in r.hidden]
    volts = found.sampling.volts
    traces = sampling.waveforms(r.time, r.state[0], hidden, r.output[0], ticks, c.drift, c.drive, volts=volts)
    page.figure("Waveforms of one run", traces)
    inputs = [values * volts for values in (r.state, *r.hidden)]
    page.figure("Input voltages of each layer", sampling.input_voltages(inputs))
    times, side, field = fields
    page.figure("Vector field, measured tick by tick", sampling.vector_field(side, side, field, times))
    page.figure("Distribution over time, with trajectories", slices.time_slices(r.time, r.trace))


def outcome(page: Page, found: Outcome) -> None:
    """Add the samples, their quality, and the ledger."""
    comparison = found.comparison
    page.figure("Samples", quality.samples_beside(comparison.points))
    bars = {"floor" if name == "data" else name: asdict(q) for name, q in comparison.quality.items()}
    page.figure("Quality", quality.quality_bars(bars))
    page.table("Quality: distance to the data, smaller is better", *quality_table(found))
    head = ["what", "energy per sample", "how it was had", "source"]
    page.table("Time and energy: what was counted, from what constants", head, found.ledger.rows())
