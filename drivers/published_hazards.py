"""Refuse settings of the published firmware that would carry a converter word over into another channel.

The firmware does not clamp. x >= 1 makes a code of 4096 or more, which is ORed into the bits that name the
channel: channel A writes B and C writes D, B and D jump to the other end of their range. x < -1 stays at the
lowest code, and the run is not the one that was asked for. So both are refused before anything is sent.
"""

import numpy as np
from numpy.typing import NDArray

from drivers.published_schedule import BIASES, BOUND, CODE, TICKS, PublishedSettings
from rramlab.errors import LimitExceeded

FloatArray = NDArray[np.float64]

SINGLE = 1e-6
"""What single precision may add to a value on its way to a code."""


def check(settings: PublishedSettings) -> None:
    """Raise LimitExceeded, with the reason and the remedy, when these settings do not fit the converters."""
    complaints = [*_embedding(settings), *_factor(settings), *_noise(settings)]
    if complaints:
        raise LimitExceeded(
            f"the published firmware would overflow its converters with {settings.text()}: "
            f"{'; '.join(complaints)}; nothing was sent"
        )


def fits(settings: PublishedSettings) -> bool:
    """Tell whether `check` lets these settings pass."""
    return not (_embedding(settings) or _factor(settings) or _noise(settings))


def _beyond(x: FloatArray) -> NDArray[np.bool_]:
    """Tell of each value, in shares of the range, whether the converter cannot hold it."""
    return (x < -1.0) | (x >= 1.0 - SINGLE)


def _embedding(settings: PublishedSettings) -> list[str]:
    x = settings.embedding()
    beyond = _beyond(x)
    if not beyond.any():
        return []
    worst = x[beyond][np.argmax(np.abs(x[beyond]))]
    where = ", ".join(f"t{i + 1} in {n} ticks" for i, n in enumerate(beyond.sum(axis=0)) if n)
    lower = [bias for bias in BIASES if bias < settings.v_bias and not _beyond(_at(settings, bias)).any()]
    remedy = f"take v_bias = {lower[-1]:g} V" if lower else "take another table"
    return [f"{where} of {TICKS} (worst {worst:.3f}, range -1 to {1 - CODE:.4f}): {remedy}"]


def _at(settings: PublishedSettings, bias: float) -> FloatArray:
    return PublishedSettings(settings.table, bias).embedding()


def _factor(settings: PublishedSettings) -> list[str]:
    most = float(np.abs(settings.g2()).max())
    if most < 1.0 - SINGLE:
        return []
    return [f"coef = {settings.coef:g} makes g2 = {most:.3f} at the first tick: take coef = 3.99 or less"]


def _noise(settings: PublishedSettings) -> list[str]:
    """Return what a noise channel may do at worst; the generator never leaves +-6."""
    offset = max(abs(value) for value in settings.offsets)
    peak = BOUND * float(np.abs(settings.sigma()).max())
    if peak + offset < 1.0 - SINGLE:
        return []
    room = max(0.0, 1.0 - SINGLE - offset)
    most = int(100.0 * room / (peak / settings.noise))
    remedy = f"take noise = {most / 100:.2f} or less" + (", or smaller offsets" if offset else "")
    return [f"noise = {settings.noise:g} may reach {peak + offset:.3f} (generator within +-6): {remedy}"]
