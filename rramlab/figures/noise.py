"""Figures of noise: sigma over conductance, spectra, time scales, histograms, telegraph traces."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike, NDArray

from rramlab.figures import style

FloatArray = NDArray[np.float64]

MICRO = 1e6
MOST_POINTS = 2000
_ASIDE = 0.012


def sigma_over_conductance(
    mean: ArrayLike, sigma: ArrayLike, marked: ArrayLike, band: ArrayLike, bounds: ArrayLike
) -> Figure:
    """Draw sigma over mean (S) of cells, those `marked` apart, and value, low, high (S) of bands."""
    g, s, mark = np.asarray(mean) * MICRO, np.asarray(sigma) * MICRO, np.asarray(marked, bool)
    figure = style.blank(110.0, 66.0)
    axes = style.dress(figure.subplots(), "Conductance (µS)", "Sigma of one reading (µS)")
    axes.plot(g[~mark], s[~mark], ".", color=style.SKY, markersize=3, label="cells")
    if mark.any():
        axes.plot(g[mark], s[mark], "^", color=style.VERMILION, markersize=3.5, label="with telegraph")
    _points(axes, np.asarray(band) * MICRO, np.asarray(bounds) * MICRO, style.INK, "median, 95 % interval")
    _log(axes)
    style.legend(axes, beside=True)
    return figure


def spectra(frequency: ArrayLike, density: ArrayLike, fits: ArrayLike, band: ArrayLike) -> Figure:
    """Draw power densities (S^2/Hz), (bands, frequencies), with fits of white and flicker (S^2/Hz) each."""
    f, found, parts = np.asarray(frequency), np.asarray(density) * MICRO**2, np.asarray(fits) * MICRO**2
    figure = style.blank(120.0, 72.0)
    axes = style.dress(figure.subplots(), "Frequency (Hz)", "Power density (µS²/Hz)")
    for line, (white, flicker), colour, name in zip(found, parts, *_named(band), strict=True):
        axes.plot(f, line, color=colour, linewidth=0.7, label=name)
        axes.plot(f, white + flicker / f, "--", color=colour, linewidth=0.7)
    style.log_x(axes)
    axes.set_yscale("log")
    style.legend(axes, beside=True)
    return figure


def scales(
    allan: tuple[ArrayLike, ArrayLike], within: tuple[ArrayLike, ArrayLike], band: ArrayLike
) -> Figure:
    """Draw times (s) and deviations (S), (bands, times): Allan deviation, and sigma within windows."""
    figure = style.blank(style.DOUBLE, 70.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Averaging time (s)", "Allan deviation (µS)", "", "a")
    style.dress(right, "Length of the window (s)", "Sigma within the window (µS)", "", "b")
    for axes, (time, deviation) in ((left, allan), (right, within)):
        for line, colour, name in zip(np.asarray(deviation) * MICRO, *_named(band), strict=True):
            axes.plot(np.asarray(time), line, "o-", color=colour, linewidth=0.8, markersize=1.8, label=name)
        style.log_x(axes)
        _log(axes)
    style.legend(right, beside=True)
    return figure


def averaging(samples: ArrayLike, sigma: ArrayLike, band: ArrayLike) -> Figure:
    """Draw sigma (S), (bands, counts), over samples averaged; dotted: what white noise would do."""
    counts, found = np.asarray(samples, float), np.asarray(sigma) * MICRO
    figure = style.blank(120.0, 62.0)
    axes = style.dress(figure.subplots(), "Samples of 1 ms averaged", "Sigma of a reading (µS)")
    for line, colour, name in zip(found, *_named(band), strict=True):
        axes.plot(counts, line, "o-", color=colour, linewidth=0.8, markersize=2.0, label=name)
    known = style.finite(found[:, 0])
    if known.size:
        white = np.median(known) * np.sqrt(counts[0] / counts)
        axes.plot(counts, white, ":", color=style.GREY, label="as 1/√samples")
    style.log_x(axes)
    _log(axes)
    style.legend(axes, beside=True)
    return figure


def histogram(quiet: ArrayLike, telegraph: ArrayLike) -> Figure:
    """Draw readings in sigma of their cell: of quiet cells, of those with telegraph, and a normal law."""
    bins = np.linspace(-5, 5, 61)
    figure = style.blank(110.0, 60.0)
    axes = style.dress(figure.subplots(), "Reading − mean (sigma)", "Share of readings (%)")
    for values, colour, name in (
        (quiet, style.BLUE, "quiet cells"),
        (telegraph, style.VERMILION, "telegraph"),
    ):
        if np.asarray(values).size:
            style.outline(axes, values, bins, colour, name)
    middles = (bins[1:] + bins[:-1]) / 2
    normal = 100 * (bins[1] - bins[0]) * np.exp(-0.5 * middles**2) / np.sqrt(2 * np.pi)
    axes.plot(middles, normal, "--", color=style.INK, linewidth=0.8, label="normal")
    style.plain_log(axes)
    axes.set_ylim(1e-3, None)
    style.legend(axes, beside=True)
    return figure


def traces(time: ArrayLike, conductance: ArrayLike, names: Sequence[str]) -> Figure:
    """Draw series of readings (S), (readings, cells), over time (s), each with its histogram."""
    at, found = np.asarray(time), np.asarray(conductance) * MICRO
    figure = style.blank(style.DOUBLE, 34.0 * found.shape[1] + 8.0)
    grid = figure.subplots(found.shape[1], 2, squeeze=False, gridspec_kw={"width_ratios": (5, 1)})
    kept = style.thinned(at.size, MOST_POINTS)
    for i, ((left, right), name) in enumerate(zip(grid, names, strict=True)):
        last = i == found.shape[1] - 1
        style.dress(left, "Time (s)" if last else "", f"{name} (µS)")
        left.plot(at[kept] - at[0], found[kept, i], ".", color=style.BLUE, markersize=1.2)
        style.dress(right, "Readings" if last else "")
        right.hist(found[:, i], 50, orientation="horizontal", color=style.BLUE)
        right.set_ylim(left.get_ylim())
        right.tick_params(labelleft=False)
    return figure


def written_sigma(
    level: ArrayLike, series: Sequence[tuple[str, ArrayLike]], unit: str, title: str = ""
) -> Figure:
    """Draw sigma over level (S); each series is a name and value, low, high (S), (levels, 3)."""
    figure = style.blank(120.0, 66.0)
    axes = style.dress(figure.subplots(), "Conductance (µS)", unit, title)
    colours = colormaps["viridis"](np.linspace(0.0, 0.85, max(len(series), 1)))
    at = np.asarray(level) * MICRO
    for i, ((name, bounds), colour) in enumerate(zip(series, colours, strict=True)):
        aside = _ASIDE * float(np.ptp(at)) * (i - (len(series) - 1) / 2)  # so that bars stay apart
        _points(axes, at + aside, np.asarray(bounds) * MICRO, colour, name, joined=True)
    axes.set_ylim(0, None)
    style.legend(axes, beside=True)
    return figure


def error_histograms(errors: Sequence[tuple[str, ArrayLike]], reach: float) -> Figure:
    """Draw distributions of errors (S) within +-`reach` (S); each is a name and values."""
    bins = np.linspace(-reach * MICRO, reach * MICRO, 41)
    figure = style.blank(120.0, 62.0)
    axes = style.dress(figure.subplots(), "Achieved − target (µS)", "Share of writes (%)")
    colours = colormaps["viridis"](np.linspace(0.0, 0.85, max(len(errors), 1)))
    for (name, values), colour in zip(errors, colours, strict=True):
        style.outline(axes, np.asarray(values) * MICRO, bins, colour, name, filled=False)
    style.legend(axes, beside=True)
    return figure


def _points(
    axes: Axes, x: FloatArray, bounds: FloatArray, colour: object, name: str, joined: bool = False
) -> None:
    spread = np.abs(bounds[:, 1:] - bounds[:, :1]).T
    line = "o-" if joined else "o"
    look = {"color": colour, "markersize": 3.0, "linewidth": 0.8, "elinewidth": 0.8, "capsize": 1.5}
    axes.errorbar(x, bounds[:, 0], yerr=spread, fmt=line, label=name, **look)  # type: ignore[arg-type]


def _named(band: ArrayLike) -> tuple[FloatArray, list[str]]:
    values = np.atleast_1d(np.asarray(band, float)) * MICRO
    return colormaps["viridis"](np.linspace(0.0, 0.9, max(values.size, 1))), [f"{g:.0f} µS" for g in values]


def _log(axes: Axes) -> None:
    if any((style.finite(line.get_ydata()) > 0).any() for line in axes.get_lines()):
        style.plain_log(axes)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
