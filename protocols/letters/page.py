"""Show on one page what a run of letters found."""

import numpy as np
from numpy.typing import NDArray

from protocols.letters.outcome import ANALOG, DIGITAL, Outcome
from protocols.letters.page_waveforms import how_it_ran
from protocols.letters.report import CAPTION, HEAD, class_rows
from rramlab.figures import letters, programming
from rramlab.page import Page

FloatArray = NDArray[np.float64]

LAYERS = ("Layer 1", "Layer 2", "Layer 3")
SHEET = 72
"""Letters on a sheet."""
STARTS, SHOWN = 3, 9
"""Start states whose paths are drawn, and letters decoded along each path."""


def page_of(found: Outcome) -> Page:
    """Return the page."""
    page = Page("Letters from resistive memory", lead(found))
    what_came_out(page, found)
    same_start(page, found)
    how_it_ran(page, found)
    the_weights(page, found)
    return page


def lead(found: Outcome) -> str:
    """Return what was done in three sentences."""
    request, names = found.request, ", ".join(found.classes)
    right = [f"{100 * found.mean(which, 'accuracy'):.1f} %" for which in (ANALOG, DIGITAL)]
    network = request.weights or "the network that ships with rramlab"
    network = network if request.after is None else f"the network of run {request.after}"
    return (
        f"{request.samples} closed-loop runs ({request.kind.upper()}) for each of {names} with {network}, "
        f"programmed into three 1T1R macros. {right[0]} of the letters are of the right class, digitally "
        f"{right[1]}. The sliced Wasserstein distance to the latents is {found.distance_ratio:.2f} times the "
        f"digital one."
    )


def what_came_out(page: Page, found: Outcome) -> None:
    """Add sheets of letters, the figures of each class, and the latents."""
    page.section(
        "What came out", f"Compared with {found.judge.source}. All classes begin at the same states."
    )
    for which in (ANALOG, DIGITAL):
        sheets = {name: found.judge.letters(x[:SHEET]) for name, x in samples_of(found, which).items()}
        page.figure(f"Letters, {which}", letters.letter_sheets(sheets))
    page.table(CAPTION, HEAD, class_rows(found))
    latents = {name: found.judge.latents.of_class(name) for name in found.classes}
    sets = {which: samples_of(found, which) for which in (ANALOG, DIGITAL)}
    page.figure("Points of the latent plane", letters.class_clouds(sets | {"latents": latents}))


def same_start(page: Page, found: Outcome) -> None:
    """Add the paths of a few start states under each class, with letters along the way."""
    starts = min(STARTS, *(len(drawn.analog.state) for drawn in found.classes.values()))
    if not starts:
        return
    first = next(iter(found.classes.values())).analog
    moments = letters.even_moments(len(first.time), SHOWN)
    paths = {name: drawn.analog.state[:starts] for name, drawn in found.classes.items()}
    shown = {name: np.stack([found.judge.letters(p[moments]) for p in path]) for name, path in paths.items()}
    page.section("The same start under different classes", "The class alone decides where a state goes.")
    page.figure("Paths, with letters along the way", letters.letter_paths(first.time, paths, shown))


def the_weights(page: Page, found: Outcome) -> None:
    """Add how the weights came into the macros."""
    written, target = found.macro.written.layers, found.score.layers
    page.section("The weights", "As measured in use: drop along the wires and all copies included.")
    page.figure("Programmed against target weights", programming.weight_agreement(target, written, LAYERS))


def samples_of(found: Outcome, which: str) -> dict[str, FloatArray]:
    """Return the points (n, 2) of the analog or the digital samples of each class."""
    return {
        name: drawn.analog.end if which == ANALOG else drawn.digital for name, drawn in found.classes.items()
    }
