"""Show on one page what the main job found."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from protocols.comparison import DIGITAL_STEPS
from protocols.sample.outcome import Outcome
from protocols.sample.report import programming_rows, quality_table
from rramlab.figures import programming, quality, sampling, slices
from rramlab.page import Page

FloatArray = NDArray[np.float64]
Fields = tuple[FloatArray, FloatArray, FloatArray]

LAYERS = ("Layer 1", "Layer 2", "Layer 3")


def page_of(found: Outcome, fields: Fields) -> Page:
    """Return the page; `fields` are times (s), grid axis and measured slopes for the vector field."""
    page = Page("A score network in resistive memory", lead(found))
    samples(page, found)
    dynamics(page, found, fields)
    weights(page, found)
    ledger(page, found)
    return page


def lead(found: Outcome) -> str:
    """Return what was done in two sentences."""
    sets, network = found.comparison.quality, found.request.weights or "the ring network"
    analog, digital = (sets[name].sliced_wasserstein for name in ("analog", "digital"))
    return (
        f"{found.request.runs} closed-loop runs ({found.request.kind.upper()}) of {network}, "
        f"programmed into three 1T1R macros. Sliced Wasserstein distance to the data: {analog:.4f} analog, "
        f"{digital:.4f} digital."
    )


def samples(page: Page, found: Outcome) -> None:
    """Add the samples and their quality."""
    comparison = found.comparison
    bars = {"floor" if name == "data" else name: asdict(q) for name, q in comparison.quality.items()}
    page.section("What came out", "Analog and digital samples begin at the same states.")
    page.figure("Samples", quality.samples_beside(comparison.points))
    page.figure("Quality: distance to the data, smaller is better", quality.quality_bars(bars))
    page.table("Quality in figures", *quality_table(found))


def dynamics(page: Page, found: Outcome, fields: Fields) -> None:
    """Add what happens in the loop: distribution over time, waveforms, voltages, vector field."""
    r, c, volts = found.result, found.sampling.coefficients(found.score), found.sampling.volts
    ticks, hidden = c.tick * np.arange(len(c.drift)), [h[0] for h in r.hidden]
    traces = sampling.waveforms(r.time, r.state[0], hidden, r.output[0], ticks, c.drift, c.drive, volts=volts)
    times, side, field = fields
    page.section("How it ran")
    page.figure("Distribution over time, with trajectories", slices.time_slices(r.time, r.trace))
    page.figure("Waveforms of one run", traces)
    page.figure("Input voltages", sampling.input_voltages([v * volts for v in (r.state, *r.hidden)]))
    page.figure("Vector field, measured tick by tick", sampling.vector_field(side, side, field, times))


def weights(page: Page, found: Outcome) -> None:
    """Add how the weights came into the macros."""
    written, target = found.macro.written.layers, found.score.layers
    page.section("The weights", "As measured in use: drop along the wires and all copies included.")
    if found.programmed:
        page.table("Programming", ["what", "value"], programming_rows(found))
    page.figure("Programmed against target weights", programming.weight_agreement(target, written, LAYERS))
    page.figure("Maps of the weights", programming.weight_maps(target, written, LAYERS))


def ledger(page: Page, found: Outcome) -> None:
    """Add time and energy: what was counted, from what constants."""
    analog, digital = found.account.seconds, found.comparison.digital_seconds
    head = ["what", "energy per sample", "how it was had", "source"]
    page.section(
        "Time and energy",
        f"One sample takes {analog:.3g} s on this bench, which plays its coefficients in ticks of 5 ms, and "
        f"{digital:.3g} s digitally on this computer, in one batch of {DIGITAL_STEPS} steps. What is "
        f"assumed says so; "
        f"`rramlab ledger` sets a projected integrated version and measured digital baselines beside it.",
    )
    page.table("Energy", head, found.account.rows())
