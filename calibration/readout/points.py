"""Turn what was read and swept into points: reported currents beside what the standard says of the cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from calibration.least_squares_fit import ODDS, quantile
from calibration.readout.standard import RESOLUTION, Meter, Resistors, Standard, standard_of
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

RESTLESS = 3.0
"""How many times as much as the others a cell may fluctuate from pass to pass before it is left out."""
CALM = 0.05
"""Share of its own noise that a cell may have in a reading at the lowest voltage."""
_PASSES = 5


@final
@dataclass(frozen=True, eq=False)
class Points:
    """Hold reported currents (A; cells, volts) at nominal volts, of cells at macro, row and column.

    `share` is the noise of each mean in units of that of one reading, `spread` (A^2) the variance of a single
    reading within each half of the passes, `samples` those of one reading.
    """

    macro: IntArray
    row: IntArray
    col: IntArray
    volts: FloatArray
    current: FloatArray
    share: FloatArray
    spread: FloatArray
    restful: BoolArray
    samples: int
    dof: int
    standard: Standard

    @property
    def relative(self) -> FloatArray:
        """Return what a unit deviation of each cell does to its currents (A)."""
        return np.asarray(self.current * self.standard.spread[:, None])


def points_of(parts: Sequence[Columns]) -> Points:
    """Return the points of all measured parts."""
    folded = [_folded(part) for part in parts]
    standards = [standard_of(part) for part in parts]
    joined = {name: np.concatenate([one[name] for one in folded]) for name in folded[0]}
    restless = joined.pop("restless")
    usable = np.concatenate([part["usable"] for part in parts])
    passes, _, _ = parts[0]["raw"].shape
    return Points(
        **{name: np.concatenate([part[name] for part in parts]) for name in ("macro", "row", "col")},
        volts=np.asarray(parts[0]["volts"], dtype=float),
        samples=int(parts[0]["samples"]),
        dof=passes - 2,
        standard=_joined(standards),
        restful=usable & (restless <= RESTLESS**2 * np.median(restless)),
        **joined,
    )


def _folded(part: Columns) -> dict[str, FloatArray]:
    """Return the currents of a part as of the time of each cell's sweep, and how they fluctuated."""
    currents = np.moveaxis(part["raw"] * part["volts"][None, :, None], 2, 1)  # passes, cells, volts
    half = len(currents) // 2
    before, after = currents[:half], currents[half:]
    begin, end = part["read_at"][:half].mean(axis=0), part["read_at"][half:].mean(axis=0)
    weight = np.clip((part["compared_at"] - begin) / np.maximum(end - begin, 1e-9), 0.0, 1.0)[:, None]
    share = np.sqrt((1.0 - weight) ** 2 / len(before) + weight**2 / len(after))
    squares = [((one - one.mean(axis=0)) ** 2).sum(axis=0) for one in (before, after)]
    top = currents[..., -1]
    return {
        "current": (1.0 - weight) * before.mean(axis=0) + weight * after.mean(axis=0),
        "share": share[:, 0],
        "spread": sum(squares) / (len(currents) - 2),
        "restless": top.var(axis=0, ddof=1) / np.maximum(np.abs(top).mean(axis=0), 1e-12),
    }


def _joined(standards: Sequence[Standard]) -> Standard:
    meters = [one for one in standards if isinstance(one, Meter)]
    cards = [one for one in standards if isinstance(one, Resistors)]
    if meters and not cards:
        return Meter(meters[0].volts, np.concatenate([one.reported for one in meters]))
    names = ("ohm", "u_ohm", "segments")
    return Resistors(*(np.concatenate([getattr(one, name) for one in cards]) for name in names))


def white_current(points: Points, gain: FloatArray) -> tuple[float, float]:
    """Return the noise of the chain in one sample (A rms), and its standard uncertainty.

    It is that before the converters, whose `gain` (relative, of each cell's column) is taken out. At the
    lowest voltage a reading varies from pass to pass by hardly anything else. What a cell's own noise has in
    it there is known from its readings at the full voltage, and calm cells alone are asked.
    """
    least, top = int(np.argmin(np.abs(points.volts))), int(np.argmax(points.volts))
    ratio = (points.volts[least] / points.volts[top]) ** 2
    spread = points.spread[points.restful] / (1.0 + gain[points.restful, None]) ** 2
    squares, of_cell = spread[:, least], ratio * spread[:, top]
    calm = of_cell <= np.maximum(CALM * np.median(squares), np.median(of_cell))
    far = float(quantile(np.array(points.dof), ODDS))
    good, clean = calm, squares - of_cell
    for _ in range(_PASSES):
        level = max(float(clean[good].mean()), RESOLUTION**2)
        good = calm & (squares <= far * level)
    white = float(np.sqrt(level * points.samples))
    scatter = float(clean[good].std() / np.sqrt(good.sum()))
    return white, white * 0.5 * max(scatter / level, 1e-6)
