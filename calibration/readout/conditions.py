"""Say under what a read chain was measured, and what had to be left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.cells import LEAST
from calibration.readout.fit import ReadFit
from calibration.readout.points import Points
from calibration.readout.standard import Meter
from rramlab.pulse import Columns

MOST = 40
"""Names of cells that a record lists."""


def conditions(parts: Sequence[Columns], found: ReadFit) -> dict[str, Any]:
    """Return the conditions of a record 'readout'."""
    points, used = found.points, found.used
    names = [_cell(points, number) for number in np.flatnonzero(~used)]
    fast, slow = float(found.fit.sizes[0]), float(found.fit.sizes[-1])
    meter = isinstance(points.standard, Meter)
    return {
        "standard": "source meter" if meter else "card of resistors",
        "standard_found": _standard(found),
        "volts": points.volts.tolist(),
        "signs": "positive voltages only",
        "gate": float(parts[0]["gate"]),
        "samples": points.samples,
        "passes": int(parts[0]["raw"].shape[0]),
        "cells": len(points.row),
        "cells_programmed": int(sum(int(part["programmed"]) for part in parts)),
        "cells_left_out": names[:MOST],
        "lines_without_cells": _bare(found, points, used),
        "noise_fast_at_50uS" if meter else "noise_fast_of_u_ohm": fast,
        "noise_slow_at_50uS" if meter else "noise_slow_of_u_ohm": slow,
        "seconds": float(sum(np.ptp(part["read_at"]) for part in parts if part["read_at"].size)),
    }


def _standard(found: ReadFit) -> dict[str, list[float]]:
    """Return what the unknowns of the standard came to, each with its standard uncertainty."""
    size, names = found.layout.size, found.points.standard.names
    spread = np.sqrt(np.diag(found.covariance))
    return {name: [float(found.unknowns[size + n]), float(spread[size + n])] for n, name in enumerate(names)}


def _bare(found: ReadFit, points: Points, used: NDArray[np.bool_]) -> list[str]:
    """Return the lines that keep the uncertainty of an uncalibrated converter, or nearly."""
    layout, bare = found.layout, []
    for what, line, count in (("row", points.row, layout.rows), ("column", points.col, layout.cols)):
        for macro in range(layout.macros):
            here = used & (points.macro == macro)
            few = np.bincount(line[here], minlength=count) < LEAST
            bare += [f"{what} {n} of macro {macro}" for n in np.flatnonzero(few)]
    return bare


def _cell(points: Points, number: np.intp) -> str:
    return f"macro {points.macro[number]} r{points.row[number]}c{points.col[number]}"
