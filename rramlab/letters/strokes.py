"""Strokes of the upper-case letters, as a pen writes them."""

from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LENGTH = 160
"""Points along all strokes of a letter."""

# Ways of writing each letter. A stroke lists its points "x,y" in a box from 0,0 (upper left) to 1,1; one that
# begins with ~ runs smoothly through its points, any other in straight lines.
STROKES: dict[str, tuple[tuple[str, ...], ...]] = {
    "A": (("0,1 .5,0", ".5,0 1,1", ".2,.62 .8,.62"), ("0,1 .5,0 1,1", ".18,.6 .85,.6")),
    "B": (("0,0 0,1", "~0,0 .55,.03 .8,.22 .55,.44 .05,.48", "~.05,.48 .65,.5 1,.74 .65,.97 0,1"),),
    "C": (("~.95,.18 .6,0 .2,.15 0,.5 .2,.86 .6,1 1,.82",),),
    "D": (("0,0 0,1", "~0,0 .55,.06 .95,.32 .95,.68 .55,.95 0,1"),),
    "E": (("0,0 0,1", "0,0 .9,0", "0,.5 .75,.5", "0,1 1,1"), (".9,0 0,0 0,1 1,1", "0,.5 .75,.5")),
    "F": (("0,0 0,1", "0,0 1,0", "0,.48 .8,.48"),),
    "G": (("~.95,.18 .6,0 .2,.15 0,.5 .2,.86 .6,1 .95,.85", ".95,.9 .95,.56 .55,.56"),),
    "H": (("0,0 0,1", "1,0 1,1", "0,.5 1,.5"),),
    "I": ((".5,0 .5,1", ".15,0 .85,0", ".15,1 .85,1"), (".5,0 .5,1",)),
    "J": (("~.75,0 .75,.6 .65,.92 .35,1 .08,.85 0,.65",), ("~.7,0 .7,.6 .6,.92 .3,1 0,.7", ".35,0 1,0")),
    "K": (("0,0 0,1", "1,0 .05,.56", ".2,.46 1,1"), ("0,0 0,1", ".95,0 .1,.52 1,1")),
    "L": (("0,0 0,1", "0,1 1,1"), ("0,0 0,1 1,1",)),
    "M": (("0,1 .08,0 .5,.7 .92,0 1,1",), ("0,0 0,1", "0,0 .5,.6", ".5,.6 1,0", "1,0 1,1")),
    "N": (("0,1 0,0 1,1 1,0",), ("0,0 0,1", "0,0 1,1", "1,0 1,1")),
    "O": (("~.5,0 .15,.14 0,.5 .15,.86 .5,1 .85,.86 1,.5 .85,.14 .5,0 .4,.02",),),
    "P": (("0,0 0,1", "~0,0 .6,.02 .95,.25 .65,.5 0,.54"),),
    "Q": (("~.5,0 .15,.14 0,.48 .15,.82 .5,.94 .85,.82 1,.48 .85,.14 .5,0 .4,.02", ".6,.65 1,1"),),
    "R": (("0,0 0,1", "~0,0 .6,.02 .92,.24 .6,.47 0,.5", ".35,.5 1,1"),),
    "S": (("~.9,.12 .55,0 .15,.1 .12,.33 .5,.48 .86,.64 .88,.88 .5,1 0,.86",),),
    "T": ((".5,0 .5,1", "0,0 1,0"),),
    "U": (
        ("~0,0 .02,.5 .14,.87 .5,1 .86,.87 .98,.5 1,0",),
        ("~0,0 .02,.5 .14,.87 .45,1 .8,.85 .97,.5 1,0", "1,0 1,1"),
    ),
    "V": (("0,0 .5,1 1,0",), ("0,0 .5,1", ".5,1 1,0")),
    "W": (("0,0 .26,1 .5,.25 .74,1 1,0",),),
    "X": (("0,0 1,1", "1,0 0,1"),),
    "Y": (("0,0 .5,.48", "1,0 .5,.48 .5,1"), ("0,0 .5,.5", "1,0 .25,1")),
    "Z": (("0,0 1,0 0,1 1,1",),),
}


@final
@dataclass(frozen=True, eq=False)
class Pen:
    """Hold the way of a pen: `points` (160, 2), the `stroke` of each, and how far `along` it is (0..1)."""

    points: FloatArray
    stroke: NDArray[np.int64]
    along: FloatArray

    @property
    def strokes(self) -> int:
        """Return how many strokes there are."""
        return int(self.stroke[-1]) + 1


@cache
def pens(letter: str) -> tuple[Pen, ...]:
    """Return the ways in which a letter is written."""
    return tuple(_pen(tuple(_course(stroke) for stroke in way)) for way in STROKES[letter])


def _course(text: str) -> FloatArray:
    """Return a stroke as many points, close together."""
    corners = np.array([[float(part) for part in point.split(",")] for point in text.lstrip("~").split()])
    return _smooth(corners) if text.startswith("~") else corners


def _smooth(corners: FloatArray, parts: int = 12) -> FloatArray:
    """Return a Catmull-Rom spline through the corners, the ends continued straight."""
    padded = np.concatenate([2 * corners[:1] - corners[1:2], corners, 2 * corners[-1:] - corners[-2:-1]])
    t = (np.arange(parts) / parts)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        slope, bend = c - a, 2 * a - 5 * b + 4 * c - d
        pieces.append(b + 0.5 * (slope * t + bend * t**2 + (3 * (b - c) + d - a) * t**3))
    return np.concatenate([*pieces, corners[-1:]])


def _pen(courses: tuple[FloatArray, ...]) -> Pen:
    """Share the points among the strokes by length, and spread them evenly."""
    lengths = np.array([_distance(course)[-1] for course in courses])
    ends = np.rint(LENGTH * np.cumsum(lengths) / lengths.sum()).astype(int)
    counts = np.diff(ends, prepend=0)
    points = np.concatenate([_spread(c, n) for c, n in zip(courses, counts, strict=True)])
    along = np.concatenate([np.linspace(0.0, 1.0, n) for n in counts])
    return Pen(points, np.repeat(np.arange(len(courses)), counts), along)


def _spread(course: FloatArray, count: int) -> FloatArray:
    """Return `count` points at even distances along a course."""
    distance = _distance(course)
    wanted = np.linspace(0.0, distance[-1], count)
    return np.stack([np.interp(wanted, distance, course[:, axis]) for axis in (0, 1)], axis=1)


def _distance(course: FloatArray) -> FloatArray:
    """Return how far each point is along a course."""
    steps = np.linalg.norm(np.diff(course, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])
