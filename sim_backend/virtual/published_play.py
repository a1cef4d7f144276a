"""Compute what the published firmware writes to its converters, tick by tick, with all that overflows.

A converter word is 4 bits of command and 12 of data; the firmware ORs a code into it without a bound. So a
code of 4096 or more lands in the command: that of channel A writes B, that of C writes D, and both keep what
they had. Below -1 the conversion to an unsigned number stops at code 0.
(Repository yangjc97/memristor-sde-diffusion, MCU_Project; confirmed in its hex image.)
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.loop import Coefficients

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]

TICK = 5e-3
"""Period of the interrupt (s), and step of t."""
TICKS = 241
IDLE = 2048
"""Code of a converter at rest."""
NEUTRAL = 1e-3
"""A thousandth of a code, that a code which was computed back is not cut to the one below."""
CHANNELS = 18
"""t1 to t14 on the converters 1 to 4; g2, f and the two noise channels on A to D of converter 9."""
BOUND = 6.0
"""Largest number of the generator: twelve uniform numbers, less 6."""


@final
@dataclass
class Settings:
    """Hold what commands set: table, scale of the embedding, coef, noise, offsets, and the bias (V)."""

    table: str = "0"
    scale: float = 0.5
    coef: float = 1.0
    noise_scale: float = 1.0
    noise: bool = False
    offsets: tuple[float, float] = (0.0, 0.0)
    v_bias: float = 0.1
    played_bias: float = 0.1
    """The bias that the last `In` brought into force."""


@final
@dataclass(frozen=True)
class Gains:
    """Hold what stands behind the converters at full range: f and g2 (1/s), embedding (V), noise (V/s)."""

    f: float = -4.0
    g: float = 2.0
    embedding: float = 0.2
    noise: float = 10.0


@cache
def tables() -> dict[str, Any]:
    """Return the 21 tables of embedding coefficients by their letter."""
    text = (files("sim_backend.virtual") / "published_tables.json").read_text(encoding="utf-8")
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def shares(settings: Settings) -> SingleArray:
    """Return what each channel is to play (241, 16), in shares of its range: t1 to t14, g2, f.

    In single precision, as the firmware computes: a cosine next to 1 is 1 there, and overflows.
    """
    one, step = np.float32(1), np.full(TICKS - 1, TICK, np.float32)
    u = one - np.cumsum(np.r_[np.float32(0), step], dtype=np.float32)
    table = tables()[settings.table]
    phase = np.float32(2 * np.pi) * np.outer(u, np.array(table["t_coef"], np.float32))
    waves = np.hstack([np.sin(phase), np.cos(phase)]) + np.array(table["c"], np.float32)
    beta = np.float32(0.499) * u + np.float32(0.001)
    g2, f = np.float32(0.5 * settings.coef) * beta, np.float32(-0.25) * beta
    return np.column_stack([np.float32(settings.scale) * waves, g2, f]).astype(np.float32)


def codes(x: SingleArray) -> NDArray[np.int64]:
    """Return the code that the firmware computes of a share: cut, never below 0, not bounded above."""
    cut = np.trunc(np.float32(2048) * (np.float32(1) + x))
    return np.asarray(np.maximum(cut, 0), dtype=np.int64)


@final
@dataclass(frozen=True, eq=False)
class Played:
    """Hold what the converters really play (241, 16) in shares, and what went wrong.

    `astray` counts the words that wrote another channel, `low` those that stopped at the lower end.
    """

    shares: FloatArray
    astray: int
    low: int

    @classmethod
    def of(cls, settings: Settings) -> "Played":
        """Return what comes of these settings: words that overflow write another channel."""
        x = shares(settings)
        wanted = codes(x)
        registers = np.full(20, IDLE, dtype=np.int64)
        played = np.empty(wanted.shape, dtype=np.int64)
        astray = 0
        for tick, words in enumerate(wanted):
            if words.max() < 4096:
                registers[:16] = words
            else:
                astray += write(registers, words)
            played[tick] = registers[:16]
        return cls(
            np.asarray((played - IDLE + NEUTRAL) / 2048.0, dtype=np.float64), astray, int(np.sum(x < -1))
        )

    def coefficients(self, settings: Settings, gains: Gains) -> Coefficients:
        """Return the run that the analog loop makes of it, in network units of the bias in force."""
        x, bias = self.shares, settings.played_bias
        u = 1.0 - np.linspace(TICK, TICKS * TICK, TICKS)
        beta = 0.499 * u + 0.001
        sigma = np.abs(settings.noise_scale * beta) if settings.noise else np.zeros(TICKS)
        return Coefficients(
            tick=TICK,
            drift=gains.f * x[:, 15],
            drive=gains.g * x[:, 14],
            embedding=gains.embedding / bias * x[:, :14],
            noise=gains.noise * sqrt(TICK) / bias * sigma,
        )


def write(registers: NDArray[np.int64], words: NDArray[np.int64]) -> int:
    """Write the words of one tick one after the other as they go out; return how many went astray."""
    astray = 0
    for channel, code in enumerate(words.tolist()):
        word = (channel % 4) << 12 | code
        command, value = word >> 12, word & 0xFFF
        astray += code >= 4096
        if command < 4:  # what is beyond names no channel
            registers[channel - channel % 4 + command] = value
    return astray


def may_overflow(settings: Settings) -> bool:
    """Tell whether the noise channels can leave their range: then D jumps, and C keeps its value."""
    if not settings.noise:
        return False
    return BOUND * settings.noise_scale * 0.4985 + max(map(abs, settings.offsets)) >= 1.0
