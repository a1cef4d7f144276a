"""Count false alarms and misses of the telegraph detection in noise whose truth is known.

Readings every 64 ms with white noise of 0.1 uS and flicker of 0.08 uS per decade; telegraphs of several steps
and dwell times. Goal for false alarms: as stated, 1 in 1 000 per cell.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from protocols.noise.telegraph import detect

READS, DT, NULL, EACH = 1024, 0.064, 600, 20
WHITE, FLICKER = 0.1, 0.08
FloatArray = NDArray[np.float64]


def noise(cells: int, rng: np.random.Generator) -> FloatArray:
    """Return readings (uS) of cells without telegraph."""
    total = rng.normal(0, WHITE, (READS, cells))
    for tau in 10.0 ** np.arange(-2, 4):
        keep = np.exp(-DT / tau)
        step = rng.normal(0, FLICKER * np.sqrt(1 - keep**2), (READS, cells))
        step[0] = rng.normal(0, FLICKER, cells)
        for i in range(1, READS):
            step[i] += keep * step[i - 1]
        total += step
    return total


def main() -> None:
    rng = np.random.default_rng(0)
    alarms = sum(int(detect(noise(60, rng), DT, rng).found.sum()) for _ in range(NULL // 60))
    print(f"false alarms: {alarms} of {NULL} cells; goal 1 in 1 000, here up to 3")
    print(f"{'step':>8} {'dwell':>8} {'found':>8} {'step seen':>12} {'dwell seen':>12}")
    for step in (0.3, 0.6, 1.2):
        for tau in (0.2, 2.0, 10.0):
            series = noise(EACH, rng)
            series += step * (np.cumsum(rng.random(series.shape) < 1 - np.exp(-DT / tau), axis=0) % 2)
            told = [each for each in detect(series, DT, rng).telegraphs if each is not None]
            seen = np.mean([each.step for each in told]) if told else np.nan
            time = np.mean([(each.time_low + each.time_high) / 2 for each in told]) if told else np.nan
            share = 100 * len(told) / EACH
            print(f"{step:5.1f} uS {tau:6.1f} s {share:6.0f} % {seen:9.2f} uS {time:10.2f} s")
    sys.exit(alarms > 3)


if __name__ == "__main__":
    main()
