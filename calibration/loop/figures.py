"""Figures of the calibrated loop: integrators with their fits, slope against output, residuals."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calibration.loop import integrators, multipliers_fit
from calibration.loop.integrators import Integrators
from calibration.loop.multipliers_fit import Multipliers
from rramlab.corrections.record import Record
from rramlab.figures import style
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

COLOURS = (style.BLUE, style.VERMILION)
MILLI, MICRO = 1e3, 1e6
PER_THOUSAND = 1e3


def figures(parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
    """Return all figures by file name, each with its caption."""
    alone = integrators.found(parts[0])
    offset, leak = alone.values[:, 0], alone.values[:, 1]
    driven = [multipliers_fit.found(part, offset, leak) for part in parts[1:]]
    return {
        "loop-integrators.png": (
            integrator_figure(alone),
            "Integrators of both dimensions: slope at rest, ramps of a constant bias, growth by a drift. "
            "Above what was measured with the fit, below what the fit leaves.",
        ),
        "loop-drive.png": (
            drive_figure(driven, record),
            "Drive: mean slope of the state, per unit of drive, against the output that the measured network "
            "computes; what is left; and the gain found by each part, with the value of the record and its "
            "95 % interval.",
        ),
    }


def integrator_figure(found: Integrators) -> Figure:
    """Draw rest, ramps and growth with their fits above, and their residuals below."""
    figure = style.blank(style.DOUBLE, 90.0)
    axes = figure.subplots(2, 3, gridspec_kw={"height_ratios": [2.0, 1.0]})
    labels = (
        ("rest", "State (mV)", "Slope (µV/s)", "Left (nV/s)", (MILLI, MICRO, 1e9)),
        (
            "ramp",
            "Meant, both signs (network units)",
            "Moved (network units)",
            "Left (10⁻⁶)",
            (1.0, 1.0, MICRO),
        ),
        ("growth", "Drift (1/s)", "Growth (1/s)", "Left (10⁻⁶/s)", (1.0, 1.0, MICRO)),
    )
    for k, (name, x, y, left, scales) in enumerate(labels):
        style.dress(axes[0, k], "", y, "", "abc"[k])
        style.dress(axes[1, k], x, left)
        _stage(axes[0, k], axes[1, k], found.fits[name], scales)
    style.legend(axes[0, 0], loc="upper right")
    return figure


def _stage(
    above: Axes, below: Axes, points: tuple[FloatArray, FloatArray, FloatArray], scales: tuple[float, ...]
) -> None:
    x, y, rest = points
    for i, colour in enumerate(COLOURS):
        order = np.argsort(x[:, i])
        across = scales[0] * x[order, i]
        above.plot(across, scales[1] * (y - rest)[order, i], color=colour, linewidth=0.7)
        above.plot(
            across, scales[1] * y[order, i], ".", color=colour, markersize=3, label=f"dimension {i + 1}"
        )
        below.plot(across, scales[2] * rest[order, i], ".", color=colour, markersize=3)
    below.axhline(0.0, color=style.PALE, linewidth=0.5, zorder=0)


def drive_figure(found: Sequence[Multipliers], record: Record) -> Figure:
    """Draw slope against output, what is left of it, and the gain part by part."""
    figure = style.blank(style.DOUBLE, 62.0)
    left, middle, right = figure.subplots(1, 3)
    style.dress(left, "Computed output (network units)", "Slope / drive (network units)", "", "a")
    style.dress(middle, "Computed output (network units)", "Left (network units)", "", "b")
    style.dress(right, "Part", "Gain of the drive less 1 (‰)", "", "c")
    for i, colour in enumerate(COLOURS):
        meant, slope, rest = (np.concatenate([getattr(one, name)[:, i] for one in found]) for name in _DRAWN)
        left.plot(meant, slope, ".", color=colour, markersize=2, label=f"dimension {i + 1}")
        middle.plot(meant, rest, ".", color=colour, markersize=2)
        _gains(right, np.array([one.values[i] for one in found]), record, i)
    reach = np.array(left.get_xlim())
    left.plot(reach, reach, color=style.INK, linewidth=0.5, zorder=0)
    left.set_xlim(*reach)
    # Runs that were left out lie far beyond the others and would hide them.
    rests = np.concatenate([one.rest.ravel() for one in found])
    middle.set_ylim(*(np.array([-1.0, 1.0]) * 1.3 * np.quantile(np.abs(rests), 0.99)))
    style.legend(left, loc="upper left")
    return figure


_DRAWN = ("meant", "slope", "rest")


def _gains(axes: Axes, gains: FloatArray, record: Record, i: int) -> None:
    value, u = float(record["drive_gain"][i]), float(record.uncertainty("drive_gain")[i])
    axes.plot(np.arange(1, len(gains) + 1), PER_THOUSAND * (gains - 1.0), ".", color=COLOURS[i], markersize=5)
    axes.axhline(PER_THOUSAND * (value - 1.0), color=COLOURS[i], linewidth=0.9)
    band = PER_THOUSAND * (value - 1.0 + 1.96 * u * np.array([-1.0, 1.0]))
    axes.axhspan(float(band[0]), float(band[1]), color=COLOURS[i], alpha=0.2, linewidth=0)
    axes.xaxis.set_major_locator(style.few_ticks(8, whole=True))
