"""Figures of time and energy per sample: stacked components, and times of all systems on one axis."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from rramlab.figures import style
from rramlab.quantity import format_quantity

Stack = Mapping[str, float]


def energy_stacks(systems: Mapping[str, Stack], digital: Mapping[str, float]) -> Figure:
    """Draw the energy per sample (J) of each system as a stack of components, and of digital baselines.

    Each system has a linear axis of its own, for they are decades apart; the baselines share a log axis.
    """
    if not systems:
        raise ValueError("no system was given; 1 stack of components (J) or more is possible")
    names = list(dict.fromkeys(name for stack in systems.values() for name in stack))
    colours = {name: style.CYCLE[i % len(style.CYCLE)] for i, name in enumerate(names)}
    ratios = [1.0] * len(systems) + ([min(0.75 * max(len(digital), 2), 5.0)] if digital else [])
    figure = style.blank(style.DOUBLE, 78.0)
    row = figure.subplots(1, len(ratios), squeeze=False, width_ratios=ratios)[0]
    for i, (axes, (title, stack)) in enumerate(zip(row, systems.items(), strict=False)):
        style.dress(axes, title, "Energy per sample" if i == 0 else "", "", "abcdefgh"[i % 8])
        _stack(axes, stack, colours)
    if digital:
        _baselines(
            style.dress(row[-1], "digital, samples per batch", "", "", "abcdefgh"[len(systems) % 8]), digital
        )
    handles = [Patch(color=colours[name], label=name) for name in names]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4, prop=style.font(style.SMALL), frameon=False
    )
    return figure


def _stack(axes: Axes, stack: Stack, colours: Mapping[str, str]) -> None:
    below, total = 0.0, sum(stack.values())
    for name, joule in stack.items():
        axes.bar(
            [0.0], [joule], bottom=below, width=0.6, color=colours[name], edgecolor="white", linewidth=0.3
        )
        if joule > 0.06 * total:
            share = f"{100 * joule / total:.0f} %"
            axes.text(
                0.0,
                below + joule / 2,
                share,
                ha="center",
                va="center",
                color="white",
                fontproperties=style.font(style.SMALL),
            )
        below += joule
    _total(axes, 0.0, total)
    axes.set(xlim=(-0.6, 0.6), xticks=[], ylim=(0.0, 1.12 * total or 1.0))
    _in_joule(axes)


def _baselines(axes: Axes, digital: Mapping[str, float]) -> None:
    values = np.array(list(digital.values()))
    axes.set_yscale("log")
    axes.bar(np.arange(values.size), values, width=0.6, color=style.GREY)
    for i, joule in enumerate(values):
        _total(axes, i, joule)
    axes.set_xticks(np.arange(values.size), list(digital), fontproperties=style.font(style.SMALL))
    axes.set_ylim(values.min() / 5, values.max() * 3)
    _in_joule(axes)


def _total(axes: Axes, x: float, joule: float) -> None:
    axes.annotate(
        format_quantity(joule, "J", 3),
        (x, joule),
        (0, 2),
        textcoords="offset points",
        ha="center",
        fontproperties=style.font(style.SMALL),
    )


def _in_joule(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: format_quantity(float(f"{value:.3g}"), "J"))
    )


def times_per_sample(groups: Mapping[str, Mapping[str, float]], band: Sequence[float] = ()) -> Figure:
    """Draw times per sample (s) of all systems on one log axis, a colour for each group.

    `band` (2 times, s) is shaded: the times that were asked for.
    """
    rows = [(group, name, value) for group, times in groups.items() for name, value in times.items()]
    if not rows or not all(value > 0 for _, _, value in rows):
        raise ValueError("times per sample must be above 0 s, and at least one is needed")
    figure = style.blank(style.DOUBLE * 0.8, 16.0 + 6.0 * len(rows))
    axes = style.dress(figure.subplots(), "Time per sample")
    axes.set_xscale("log")
    colours = dict(zip(groups, style.CYCLE, strict=False))
    for i, (group, _, value) in enumerate(rows):
        axes.plot(value, i, "o", color=colours[group], markersize=4.5, zorder=3)
        axes.annotate(
            format_quantity(value, "s", 3),
            (value, i),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontproperties=style.font(style.SMALL),
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
    if len(band) == 2:
        axes.axvspan(min(band), max(band), color=style.SKY, alpha=0.25, linewidth=0, zorder=0)
    _frame_times(axes, [name for _, name, _ in rows], [value for _, _, value in rows] + list(band))
    _name_groups(figure, colours, len(band) == 2)
    return figure


def _frame_times(axes: Axes, names: Sequence[str], values: Sequence[float]) -> None:
    axes.set_yticks(np.arange(len(names)), names, fontproperties=style.font(style.SMALL))
    axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(min(values) / 4, max(values) * 12))
    axes.grid(axis="y", color=style.PALE, linewidth=0.4, zorder=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_quantity(value, "s", 3)))


def _name_groups(figure: Figure, colours: Mapping[str, str], band: bool) -> None:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, label=name, linestyle="", marker="o", markersize=4.5)
        for name, colour in colours.items()
    ]
    if band:
        handles.append(Patch(color=style.SKY, alpha=0.25, label="needed for the published ratios"))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4, prop=style.font(style.SMALL), frameon=False
    )
