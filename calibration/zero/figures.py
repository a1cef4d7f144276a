"""Draw by how much the zeros of the columns have moved."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rramlab.corrections.record import Record
from rramlab.figures import style


def figures(record: Record) -> dict[str, tuple[Figure, str]]:
    """Return the figure of a record 'zero' with its caption."""
    figure = style.blank(style.DOUBLE, 55.0)
    axes = style.dress(figure.subplots(), "Column of the bench", "Shift of the zero (nA)")
    axes.axhline(0.0, color=style.PALE, linewidth=0.6)
    values, spread = 1e9 * record["adc_offset"], 1e9 * record.uncertainty("adc_offset")
    for macro, (value, bar) in enumerate(zip(values, spread, strict=True)):
        at = macro * values.shape[1] + np.arange(values.shape[1])
        look: dict[str, Any] = {"markersize": 2.0, "elinewidth": 0.6, "linestyle": "none"}
        colour = style.CYCLE[macro % len(style.CYCLE)]
        axes.errorbar(at, value, bar, marker="o", color=colour, label=f"Macro {macro}", **look)
    style.legend(axes, loc="best")
    caption = (
        "Shift of the zero of every column since the read chain was calibrated, with standard uncertainties. "
        "1 nA is 5 nS at 0.2 V."
    )
    return {"zero-shift": (figure, caption)}
