"""Translate between what the published firmware plays and a closed-loop run in units of rramlab.

The board outside the microcontroller is not documented, so that the gains between a converter and the loop
are stated here, as an option. With x in shares of a converter's range and `v_bias` the volts of a unit:

    drift     = f_gain f                                        (1/s)
    drive     = g_gain g2                                       (1/s, of the amplified network output)
    embedding = embedding_volts / v_bias x                      (network units)
    noise     = noise_gain sqrt(tick) / v_bias sigma            (network units per sqrt(s))

The defaults make of coef = 1 the ordinary reverse equation of the released notebooks at their sampling scale
s = 2: with f = -beta/4 and dt = 1 s, f_gain = -2 s gives s beta/2, and g_gain = s gives the same for the
score, which is the network output after its amplifier. 0.2 V at full range makes the embedding of the tables
with scale 5 v_bias one network unit per unit. What the offset channels add is a trim of the integrators and
no part of the equation. (Repository yangjc97/memristor-sde-diffusion; arXiv 2404.05648.)
"""

from dataclasses import dataclass
from math import sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.published_hazards import check
from drivers.published_schedule import TICK, TICKS, TICKS_TO_DATA, PublishedSettings
from rramlab.errors import InputError
from rramlab.loop import Coefficients

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class PublishedCircuit:
    """Hold the gains behind the converters at full range: f and g2 (1/s), embedding (V), noise (V/s)."""

    f_gain: float = -4.0
    g_gain: float = 2.0
    embedding_volts: float = 0.2
    noise_gain: float = 10.0

    def __post_init__(self) -> None:
        if self.f_gain >= 0 or min(self.g_gain, self.embedding_volts, self.noise_gain) <= 0:
            raise InputError(f"{self}: f_gain is below zero, for f is negative; the others are above zero")

    def noise_factor(self, v_bias: float) -> float:
        """Return the noise (network units per sqrt(s)) of a converter that plays full range."""
        return self.noise_gain * sqrt(TICK) / v_bias


def published_coefficients(
    settings: PublishedSettings, circuit: PublishedCircuit | None = None, ticks: int = TICKS_TO_DATA
) -> Coefficients:
    """Return what the board plays with these settings, for the first ticks of its run.

    After 200 ticks t = 1 and the equation has arrived; the firmware plays on to 241, where beta is negative.
    """
    if not 1 <= ticks <= TICKS:
        raise InputError(f"{ticks} ticks were asked for; a run of the published firmware has 1 to {TICKS}")
    check(settings)
    c = circuit or PublishedCircuit()
    return Coefficients(
        tick=TICK,
        drift=c.f_gain * settings.f()[:ticks],
        drive=c.g_gain * settings.g2()[:ticks],
        embedding=c.embedding_volts / settings.v_bias * settings.embedding()[:ticks],
        # Noise adds up as a power: the sign of beta after t = 1 does not matter.
        noise=c.noise_factor(settings.v_bias) * np.abs(settings.sigma()[:ticks]),
    )
