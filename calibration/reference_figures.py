"""Figure of the reference conductances that the rows of the network share."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from rramlab.corrections.record import Record
from rramlab.figures import style
from rramlab.pulse import Columns

MICRO = 1e6


def figures(parts: Sequence[Columns], record: Record) -> dict[str, tuple[Figure, str]]:
    """Return the figure by its file name, with its caption."""
    caption = (
        "Deviation of each reference from the nominal, row by row, with its 95 % interval; grey: the single "
        "visits, which scatter by the read noise of the cell."
    )
    return {"reference.png": (reference_figure(parts[0], record), caption)}


def reference_figure(part: Columns, record: Record) -> Figure:
    """Draw the deviation of each reference (uS), one panel per layer."""
    macros = np.unique(part["macro"])
    figure = style.blank(style.DOUBLE, 58.0)
    panels = figure.subplots(1, len(macros), sharey=True, squeeze=False)[0]
    u = 1.96 * MICRO * record.uncertainty("deviation")
    visits = MICRO * (part["visits"] - part["nominal"])
    for k, (axes, macro) in enumerate(zip(panels, macros, strict=True)):
        here = np.flatnonzero(part["macro"] == macro)
        style.dress(
            axes, "Reference cell", "Deviation (µS)" if k == 0 else "", f"Layer {k + 1}", "abc"[k % 3]
        )
        number = np.arange(1, len(here) + 1)
        axes.plot(number, visits[:, here].T, ".", color=style.PALE, markersize=2)
        found = MICRO * record["deviation"][here]
        axes.errorbar(number, found, u[here], fmt=".", color=style.BLUE, markersize=4, linewidth=0.8)
        axes.axhline(0.0, color=style.INK, linewidth=0.5)
        axes.xaxis.set_major_locator(style.few_ticks(5, whole=True))
    return figure
