"""Draw letters that look handwritten: strokes bent, slanted and pressed differently each time.

They stand in where no real handwriting is given, and every set of them says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.letters.letter_set import LetterSet
from rramlab.letters.preprocess import RAW_SIDE, preprocess
from rramlab.letters.strokes import STROKES, Pen, pens

FloatArray = NDArray[np.float64]

SOURCE = "drawn"
WAVES = 3
"""Waves of the elastic distortion in each direction."""
CHUNK = 256
"""Images rendered at once; the letters do not depend on it."""


@final
@dataclass(frozen=True)
class Hand:
    """Hold how much letters differ, as standard deviations in heights of a letter unless said otherwise.

    `slant` is a shear (mean and deviation), `turn` in radians, `aspect` the range of width over height,
    `slip` displaces each stroke, `bow` bends it, `reach` lengthens it; `elastic` is the amplitude of the
    smooth distortion. `height` is the range of the longer side, `pen` that of the stroke width, `blur` that
    of the optical blur, all in pixels of 28.
    """

    slant: tuple[float, float] = (0.20, 0.25)
    turn: float = 0.08
    aspect: tuple[float, float] = (0.5, 1.1)
    slip: float = 0.035
    bow: float = 0.035
    reach: float = 0.07
    elastic: float = 0.022
    height: tuple[float, float] = (17.0, 23.0)
    pen: tuple[float, float] = (1.6, 4.2)
    blur: tuple[float, float] = (0.5, 0.9)


def draw_letters(
    classes: Sequence[str], per_class: int, rng: np.random.Generator, hand: Hand | None = None
) -> LetterSet:
    """Draw `per_class` letters of each class (A to Z), class after class, as 12 x 12 images."""
    if not classes or len(set(classes)) != len(classes) or not set(classes) <= set(STROKES):
        asked = ", ".join(classes)
        raise ValueError(f"classes {asked} were asked for; possible are different ones of A to Z")
    if per_class < 1:
        raise ValueError(f"{per_class} letters of each class were asked for; at least 1 is possible")
    images = [preprocess(draw_raw(name, per_class, rng, hand)) for name in classes]
    labels = np.repeat(np.arange(len(classes)), per_class)
    return LetterSet(np.concatenate(images), labels, tuple(classes), SOURCE)


def draw_raw(letter: str, count: int, rng: np.random.Generator, hand: Hand | None = None) -> FloatArray:
    """Draw one letter `count` times as images (count, 28, 28) from 0 (paper) to 1 (ink)."""
    hand = hand or Hand()
    ways = pens(letter)
    which = rng.integers(len(ways), size=count)
    points = np.empty((count, len(ways[0].points), 2))
    for index, way in enumerate(ways):
        chosen = np.flatnonzero(which == index)
        points[chosen] = _written(way, len(chosen), rng, hand)
    width = rng.uniform(*hand.pen, count)
    placed = _placed(points, width, rng, hand)
    blur = rng.uniform(*hand.blur, count)
    return _rendered(placed, width, blur)


def _written(way: Pen, count: int, rng: np.random.Generator, hand: Hand) -> FloatArray:
    """Return the points (count, p, 2) of a letter written again and again, in heights of the letter."""
    points = np.broadcast_to(way.points - 0.5, (count, *way.points.shape))
    points = points * _per_letter(rng.uniform(*hand.aspect, count), 1.0)
    points = points + _strokes_apart(way, points, rng, hand)
    points = points + _elastic(points, rng, hand)
    shear = rng.normal(*hand.slant, count)
    turn = rng.normal(0.0, hand.turn, count)
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    x, y = points[..., 0] - shear[:, None] * points[..., 1], points[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


def _per_letter(x: FloatArray, y: float) -> FloatArray:
    """Return factors (count, 1, 2) along x and y."""
    return np.stack([x, np.full_like(x, y)], axis=-1)[:, None, :]


def _strokes_apart(way: Pen, points: FloatArray, rng: np.random.Generator, hand: Hand) -> FloatArray:
    """Return the displacements of strokes that slip, bow and reach each for itself."""
    shape = (len(points), way.strokes, 1)
    slip = rng.normal(0.0, hand.slip, (*shape[:2], 2))
    bow = rng.normal(0.0, hand.bow, shape)
    reach = rng.normal(0.0, hand.reach, shape)
    starts = np.flatnonzero(np.diff(way.stroke, prepend=-1))
    ends = np.flatnonzero(np.diff(way.stroke, append=way.strokes))
    chord = points[:, ends] - points[:, starts]
    normal = np.stack([-chord[..., 1], chord[..., 0]], axis=-1)
    arch = np.sin(np.pi * way.along)[None, :, None]
    along = (way.along - 0.5)[None, :, None]
    of = way.stroke
    return np.asarray(slip[:, of] + (bow * normal)[:, of] * arch + (reach * chord)[:, of] * along)


def _elastic(points: FloatArray, rng: np.random.Generator, hand: Hand) -> FloatArray:
    """Return smooth displacements: a few waves, between a half and one and a half to a height."""
    shape = (len(points), 1, WAVES, 2)
    angle, phase = (rng.uniform(0.0, 2.0 * np.pi, shape) for _ in range(2))
    pitch = 2.0 * np.pi * rng.uniform(0.5, 1.5, shape)
    amplitude = rng.normal(0.0, hand.elastic / np.sqrt(WAVES), shape) * np.sqrt(2.0)
    x, y = points[..., 0, None, None], points[..., 1, None, None]
    waves = amplitude * np.sin(pitch * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return np.asarray(waves.sum(axis=2))


def _placed(points: FloatArray, width: FloatArray, rng: np.random.Generator, hand: Hand) -> FloatArray:
    """Return the points in pixels: the letter in the middle, its longer side as long as drawn by chance."""
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    longer = (high - low).max(axis=-1, keepdims=True)
    height = rng.uniform(*hand.height, len(points)) - 0.5 * (width - hand.pen[0])
    middle = (RAW_SIDE - 1) / 2 + rng.normal(0.0, 0.4, (len(points), 1, 2))
    return np.asarray((points - 0.5 * (low + high)) / longer * height[:, None, None] + middle)


def _rendered(points: FloatArray, width: FloatArray, blur: FloatArray) -> FloatArray:
    """Return what a round pen of this width (pixels) leaves along the points, blurred."""
    return np.concatenate(
        [
            _blurred(_inked(points[i : i + CHUNK], width[i : i + CHUNK]), blur[i : i + CHUNK])
            for i in range(0, len(points), CHUNK)
        ]
    )


def _inked(points: FloatArray, width: FloatArray) -> FloatArray:
    """Return images (n, 28, 28) of ink nearer to a point than half the width, with soft edges of a pixel."""
    axis = np.arange(RAW_SIDE)
    across = (axis[:, None] - points[:, None, :, 0]) ** 2
    down = (axis[:, None] - points[:, None, :, 1]) ** 2
    nearest = np.stack([(down[:, row, None, :] + across).min(axis=-1) for row in axis], axis=1)
    return np.asarray(np.clip(0.5 * width[:, None, None] + 0.5 - np.sqrt(nearest), 0.0, 1.0))


def _blurred(images: FloatArray, blur: FloatArray) -> FloatArray:
    """Return the images under Gaussian blurs of these deviations (pixels), the brightest pixel at 1."""
    axis = np.arange(RAW_SIDE)
    kernel = np.exp(-0.5 * ((axis[:, None] - axis) / blur[:, None, None]) ** 2)
    kernel /= kernel.sum(axis=2, keepdims=True)
    soft = kernel @ images @ kernel.transpose(0, 2, 1)
    return np.asarray(soft / soft.max(axis=(1, 2), keepdims=True))
