"""Figure of a reading: the conductance of cells as a map and as a histogram."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from rramlab.figures import maps, style

MICRO = 1e6


def conductance_map(conductance: ArrayLike) -> Figure:
    """Draw conductances (S), (rows, columns) with NaN for cells that were not read: map and histogram."""
    found = maps.plane(conductance, MICRO)
    height = maps.height(found.shape, 54.0)
    figure = style.blank(style.DOUBLE * 0.78, max(50.0, height) + 22.0)
    left, right = figure.subplots(1, 2)
    style.dress(left, "Column", "Row", "", "a")
    image = maps.draw_map(left, found, maps.span(found))
    maps.colour_bar(figure, image, left, "Conductance (µS)")
    style.dress(right, "Conductance (µS)", "Number of cells", "", "b")
    values = style.finite(found)
    right.stairs(*np.histogram(values, style.edges(values)), fill=True, color=style.BLUE)
    right.set_box_aspect(float(np.clip(found.shape[0] / found.shape[1], 0.75, 1.2)))
    return figure
