"""Draw the moon-and-star pattern: a 32x32 target map, as a grayscale image and as conductances.

Run `python examples/moon_star.py`; it writes moon_star.png (black 20 uS, white 100 uS) and moon_star.npy (S)
beside itself, then `rramlab program examples/moon_star.png` programs it.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
# Points per cell and direction: edges come out in 8 x 8 + 1 levels of grey.
FINE = 8
LOW, HIGH = 20e-6, 100e-6

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


def plane() -> tuple[FloatArray, FloatArray]:
    """Return x (to the right) and y (upwards) of the fine grid, in cells."""
    fine = (np.arange(SIDE * FINE) + 0.5) / FINE
    x, y = np.meshgrid(fine, SIDE - fine)
    return x, y


def disc(x: FloatArray, y: FloatArray, centre: tuple[float, float], radius: float) -> BoolArray:
    """Return which points lie within a circle."""
    return np.asarray(np.hypot(x - centre[0], y - centre[1]) <= radius)


def moon(x: FloatArray, y: FloatArray) -> BoolArray:
    """Return which points lie in the crescent, which opens to the upper right."""
    return disc(x, y, (14.0, 14.5), 12.0) & ~disc(x, y, (18.6, 17.6), 10.4)


def star(
    x: FloatArray, y: FloatArray, centre: tuple[float, float] = (22.5, 22.5), radius: float = 6.5
) -> BoolArray:
    """Return which points lie in a five-pointed star: inside four of its five long lines, or all."""
    angles = np.pi / 2 + 2 * np.pi * np.arange(5) / 5
    normal = np.cos(angles)[:, None, None] * (x - centre[0]) + np.sin(angles)[:, None, None] * (y - centre[1])
    inside = normal <= radius * np.cos(2 * np.pi / 5)
    return np.asarray(inside.sum(axis=0) >= 4)


def pattern() -> NDArray[np.uint8]:
    """Return the picture as grey levels 0 to 255, shape (32, 32), smoothed over the area of each cell."""
    x, y = plane()
    drawn = (moon(x, y) | star(x, y)).reshape(SIDE, FINE, SIDE, FINE)
    return np.round(255.0 * drawn.mean(axis=(1, 3))).astype(np.uint8)


def conductance(grey: NDArray[np.uint8]) -> FloatArray:
    """Return the conductances (S) that grey levels stand for: 0 is 20 uS, 255 is 100 uS."""
    return LOW + (HIGH - LOW) * grey / 255.0


def main() -> None:
    """Write the image and the array beside this script."""
    here = Path(__file__).parent
    grey = pattern()
    Image.fromarray(grey).save(here / "moon_star.png", optimize=True)
    np.save(here / "moon_star.npy", conductance(grey))


if __name__ == "__main__":
    main()
