"""Show on one page what decoding on macros made of the letters."""

from protocols.decoder.outcome import IMAGE, Outcome
from protocols.decoder.product import FULL_SCALE
from protocols.decoder.report import CAPTION, HEAD, TILE_HEAD, TILES, class_rows, tile_rows
from rramlab.figures import decoder, letters, programming
from rramlab.letters.decoder import LAYERS
from rramlab.page import Page

SHEET = 72
"""Letters on a sheet."""


def page_of(found: Outcome) -> Page:
    """Return the page."""
    page = Page("Letters decoded on resistive memory", lead(found))
    what_came_out(page, found)
    on_the_way(page, found)
    the_weights(page, found)
    return page


def lead(found: Outcome) -> str:
    """Return what was done in a few sentences."""
    origin = "latents of training letters"
    if found.request.latents is not None:
        origin = f"samples that the closed loop of run {found.request.latents} drew"
    right = [f"{100 * found.mean(figure):.1f} %" for figure in ("accuracy", "accuracy_digital")]
    return (
        f"{found.letters} points of the plane ({origin}; {found.judge.source}), decoded by "
        f"{found.programming.tiling.macros} 1T1R macros. {right[0]} of the letters are of the right class, "
        f"digitally {right[1]}; a pixel is off by {found.mean('error'):.3f} (rms; 1 from paper to ink)."
    )


def what_came_out(page: Page, found: Outcome) -> None:
    """Add sheets of letters, analog, digital and their difference, and the figures of each class."""
    page.section("What came out", "The same points, decoded by the macros and digitally.")
    analog = {name: each.analog.images[:SHEET] for name, each in found.classes.items()}
    digital = {name: each.digital[:SHEET] for name, each in found.classes.items()}
    page.figure("Letters, decoded by the macros", letters.letter_sheets(analog), name="letters-analog")
    page.figure("Letters, decoded digitally", letters.letter_sheets(digital), name="letters-digital")
    page.table(CAPTION, HEAD, class_rows(found))
    errors = {name: each.analog.images - each.digital for name, each in found.classes.items()}
    page.figure("Error of the pixels", decoder.pixel_errors(errors), name="pixel-errors")


def on_the_way(page: Page, found: Outcome) -> None:
    """Add the feature maps of one letter of each class."""
    page.section(
        "Feature maps",
        "One letter of each class on its way: 16 maps of 3 x 3 after the fully connected layers (fc2), 8 of "
        "6 x 6 after the first transposed convolution (up1), and the image.",
    )
    for name, each in found.classes.items():
        analog = {layer: maps[0] for layer, maps in each.analog.maps.items()}
        digital = {layer: maps[0] for layer, maps in each.digital_maps.items()}
        pair = {
            "macros": analog | {IMAGE: each.analog.images[0]},
            "digital": digital | {IMAGE: each.digital[0]},
        }
        page.figure(
            f"Feature maps of a letter {name}", decoder.feature_maps(pair), name=f"feature-maps-{name}"
        )


def the_weights(page: Page, found: Outcome) -> None:
    """Add where the weights stand and how well they got there."""
    done, matrices = found.programming, found.judge.decoder.matrices
    page.section(
        "The macros",
        f"Each layer is split over tiles, each with a reference column; {1e3 * FULL_SCALE:g} mV on a row "
        "stands for the largest input of its layer, with its sign. Biases, overlapping sums and ReLU are "
        "digital.",
    )
    page.table(TILES, TILE_HEAD, tile_rows(found))
    page.figure(
        "Conductances in use, and whose cells they are",
        decoder.tile_map(done.tiling, done.measured),
        name="tiles",
    )
    pairs = [matrices[name] for name in LAYERS], [done.written[name] for name in LAYERS]
    page.figure(
        "Programmed against target weights", programming.weight_agreement(*pairs, LAYERS), name="weights"
    )
