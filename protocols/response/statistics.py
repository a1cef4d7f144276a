"""Tell the response of many cells to a pulse: median, spread, and what parts cycles from cells."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.spread import Spread
from protocols.response.cells import Responded, Response
from protocols.response.steps import Part

FloatArray = NDArray[np.float64]

DRAWS = 200
"""Times that cells are drawn anew for the standard errors."""
LEAST = 0.1e-6
"""Readings below this (S) are taken as this in logarithms: noise of a reading knows no sign."""
_ONE_SIGMA = (0.15866, 0.84134)


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """Hold a quantity of the pulse and what it left: `level` (V or s), per level the figures (S).

    `median` with its standard `error`, `low` and `high` the 16 % and 84 % quantile, `spread` half their
    distance with `spread_error`; `cycle` and `cell` are the standard deviations of ln(G) of one cell from
    repeat to repeat, and from cell to cell. `slope` is d(median)/d(level), of the width d(median)/d(log10).
    """

    level: FloatArray
    median: FloatArray
    error: FloatArray
    low: FloatArray
    high: FloatArray
    spread: FloatArray
    spread_error: FloatArray
    cycle: FloatArray
    cell: FloatArray
    slope: float
    slope_error: float

    @classmethod
    def of(
        cls, level: FloatArray, values: FloatArray, scale: FloatArray, rng: np.random.Generator
    ) -> "Curve":
        """Return the curve of readings (levels, repeats, cells) in S; the slope is that over `scale`."""
        n = values.shape[2]
        drawn = np.array([_figures(values[..., rng.integers(0, n, n)]) for _ in range(DRAWS if n else 0)])
        found = _figures(values)
        median, spread = found[0], 0.5 * (found[2] - found[1])
        errors = np.std(drawn, axis=0, ddof=1) if n > 1 else np.full(found.shape, np.nan)
        spreads = 0.5 * (drawn[:, 2] - drawn[:, 1]).std(axis=0, ddof=1) if n > 1 else errors[0]
        slopes = [slope_of(scale, one[0]) for one in drawn] if n > 1 else [np.nan, np.nan]
        parted = [Spread.of(np.log(np.maximum(one.T, LEAST))) for one in values]
        return cls(
            level,
            median,
            errors[0],
            found[1],
            found[2],
            spread,
            spreads,
            np.array([one.cycle_sigma for one in parted]),
            np.array([one.cell_sigma for one in parted]),
            slope_of(scale, median),
            float(np.std(slopes, ddof=1)),
        )


@final
@dataclass(frozen=True, eq=False)
class Curves:
    """Hold the curves of a run, of the cells that switch; a part that was left out is None.

    `erased` (S) is what all erasures left; `half` (V) is the SL voltage at which the median of the ladder has
    lost half of its way down, with its standard error, NaN if it never has.
    """

    gate: Curve
    ladder: Curve | None
    width: Curve | None
    erased: FloatArray
    half: float
    half_error: float

    @classmethod
    def of(cls, found: Response, rng: np.random.Generator) -> "Curves":
        """Return the curves of a response."""
        good = found.outcomes() == Responded.SWITCHES
        erased = found.reading[found.where(Part.ERASE) + 1][:, good]
        gate, ladder, width = (
            _curve(found, part, good, rng) for part in (Part.GATE, Part.LADDER, Part.WIDTH)
        )
        assert gate is not None
        if ladder is None:
            return cls(gate, None, width, erased, float("nan"), float("nan"))
        before = found.reading[found.where(Part.LADDER)[0]][good]
        return cls(gate, ladder, width, erased, *_half(found, good, before, rng))


def slope_of(x: FloatArray, y: FloatArray) -> float:
    """Return the slope of the least-squares line through points; NaN for fewer than two."""
    if len(x) < 2 or not np.isfinite(y).all():
        return float("nan")
    away = x - x.mean()
    return float(away @ y / (away @ away))


def crossing(x: FloatArray, y: FloatArray, level: float) -> float:
    """Return where a falling curve first comes down to a level, interpolated; NaN if it does not."""
    below = np.flatnonzero(y <= level)
    if not below.size or below[0] == 0:
        return float("nan")
    k = int(below[0])
    share = (y[k - 1] - level) / (y[k - 1] - y[k])
    return float(x[k - 1] + share * (x[k] - x[k - 1]))


def levelled(found: Response, part: Part) -> tuple[FloatArray, FloatArray]:
    """Return the levels of a part (V or s), rising, and the readings after them, (levels, repeats, cells)."""
    rows, of_step = found.where(part), [_level(found, i) for i in found.where(part)]
    levels = np.unique(of_step)
    table = [found.reading[rows[np.array(of_step) == level] + 1] for level in levels]
    return levels, np.array(table)


def _level(found: Response, number: int) -> float:
    step = found.steps[number]
    if step.part == Part.GATE:
        return step.gates[0]
    return step.drive if step.part == Part.LADDER else step.width


def _curve(found: Response, part: Part, good: NDArray[np.bool_], rng: np.random.Generator) -> Curve | None:
    if not found.where(part).size:
        return None
    level, values = levelled(found, part)
    return Curve.of(level, values[..., good], np.log10(level) if part == Part.WIDTH else level, rng)


def _figures(values: FloatArray) -> FloatArray:
    """Return median and 16 % and 84 % quantile over repeats and cells, (3, levels)."""
    flat = values.reshape(len(values), -1)
    if not flat.shape[1]:
        return np.full((3, len(values)), np.nan)
    return np.asarray(np.quantile(flat, [0.5, *_ONE_SIGMA], axis=1))


def _half(
    found: Response, good: NDArray[np.bool_], before: FloatArray, rng: np.random.Generator
) -> tuple[float, float]:
    volts, values = levelled(found, Part.LADDER)
    values = values[..., good]

    def half(chosen: NDArray[np.int64]) -> float:
        course = np.median(values[..., chosen].reshape(len(volts), -1), axis=1)
        start = float(np.median(before[chosen]))
        return crossing(np.append(0.0, volts), np.append(start, course), 0.5 * (start + course[-1]))

    n = len(before)
    if not n:
        return float("nan"), float("nan")
    drawn = [half(rng.integers(0, n, n)) for _ in range(DRAWS)]
    return half(np.arange(n)), float(np.std(drawn, ddof=1))
