"""Figures of the calibrated strength: where loop and network end, before and after, and stochastic runs."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calibration.strength.digital import FACTORS, NOISY_FACTORS, ends, noisy_radii, score_of
from calibration.strength.procedure import course
from rramlab.corrections.record import Record
from rramlab.figures import style
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

EXTENT = 1.5


def figures(parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
    """Return all figures by file name, each with its caption."""
    return {
        "strength-ends.png": (
            end_figure(parts[1:-1], float(record["factor"])),
            "End states of the loop and of the network as written, from the same starts: as it is, with the "
            "factor on the drive, and how far apart they are along and across the ring.",
        ),
        "strength-noise.png": (
            noise_figure(parts[-1], record),
            "Stochastic runs: distance from the origin at the end, loop beside network, and what the "
            "ratio of drive to noise does to it.",
        ),
    }


def end_figure(parts: Sequence[Columns], factor: float) -> Figure:
    """Draw end states before and after, and the distances between loop and network."""
    digital = np.concatenate([_digital(part) for part in parts])
    before, after = (np.concatenate([_loop(part, f) for part in parts]) for f in (1.0, factor))
    figure = style.blank(style.DOUBLE, 64.0)
    left, middle, right = figure.subplots(1, 3)
    for axes, points, title, letter in ((left, before, "before", "a"), (middle, after, "after", "b")):
        style.dress(axes, "x₁", "x₂", title, letter)
        style.square(axes, EXTENT)
        _pairs(axes, points, digital)
    style.legend(left, loc="center")
    style.dress(right, "Loop less network (network units)", "Runs (%)", "", "c")
    _apart(right, before, after, digital)
    return figure


def _loop(part: Columns, factor: float) -> FloatArray:
    return course(part["factors"].astype(float), part["end"].astype(float), factor)


def _digital(part: Columns) -> FloatArray:
    return np.asarray(ends(score_of(part), part["start"].astype(float))[FACTORS.index(1.0)])


def _pairs(axes: Axes, loop: FloatArray, digital: FloatArray) -> None:
    axes.plot(*np.stack([loop, digital], axis=1).transpose(2, 1, 0), color=style.GREY, linewidth=0.4)
    axes.plot(*digital.T, "o", color=style.VERMILION, markersize=3, fillstyle="none", label="network")
    axes.plot(*loop.T, ".", color=style.BLUE, markersize=3, label="loop")


def _apart(axes: Axes, before: FloatArray, after: FloatArray, digital: FloatArray) -> None:
    """Draw how far the loop ends from the network, outwards."""
    outwards = digital / np.linalg.norm(digital, axis=1, keepdims=True)
    off = [((points - digital) * outwards).sum(axis=1) for points in (before, after)]
    reach = 1.2 * float(np.quantile(np.abs(np.concatenate(off)), 0.98))
    bins = np.linspace(-reach, reach, 31)
    style.outline(axes, off[0], bins, style.GREY, "before, outwards")
    style.outline(axes, off[1], bins, style.BLUE, "after, outwards")
    axes.axvline(0.0, color=style.INK, linewidth=0.5)
    axes.set_ylim(0.0, 1.3 * axes.get_ylim()[1])
    style.legend(axes, loc="upper left")


def noise_figure(part: Columns, record: Record) -> Figure:
    """Draw the radii of stochastic runs beside those of the network at three ratios of drive to noise."""
    digital = noisy_radii(score_of(part))
    radii = np.linalg.norm(part["end"].astype(float), axis=1)
    figure = style.blank(style.SINGLE, 62.0)
    axes = style.dress(figure.subplots(), "Distance from the origin at the end", "Runs (%)")
    bins = np.linspace(0.4, 1.6, 41)
    style.outline(axes, radii, bins, style.BLUE, "loop")
    for k, colour in ((0, style.ORANGE), (NOISY_FACTORS.index(1.0), style.INK), (-1, style.GREEN)):
        name = f"network, drive/noise × {NOISY_FACTORS[k]:g}"
        style.outline(axes, digital[k], bins, colour, name, filled=False)
    ratio, u = float(record["drive_to_noise"]), float(record.uncertainty("drive_to_noise"))
    axes.set_ylim(0.0, 1.35 * axes.get_ylim()[1])
    style.note(axes, f"ratio of the loop: {ratio:.2f} ± {1.96 * u:.2f}")
    style.legend(axes, loc="upper left")
    return figure
