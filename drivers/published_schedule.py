"""Compute what the published controller firmware plays, tick by tick, and what its settings are called.

Every 5 ms of a run one tick, 241 in all; with t the time of the tick in s, u = 1 - t and
beta(u) = 0.499 u + 0.001:

    f  = -beta(u) / 4              g2 = beta(u) coef / 2
    embedding = scale (sin or cos(2 pi t_coef u) + c)
    noise = G(0, noise_scale) beta(u - tick) + offset, or the offset alone when noise is off

in shares of the converter's range; a converter of 12 bit plays trunc(2048 (1 + x)). The generator adds twelve
uniform numbers, so that it never leaves +-6. (Repository yangjc97/memristor-sde-diffusion, MCU_Project.)
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.published_tables import published_table
from rramlab.errors import InputError

FloatArray = NDArray[np.float64]

TICK = 5e-3
"""Time between two ticks (s), and the step of t."""
TICKS = 241
"""Ticks of a run: t = 0 to 1.2."""
TICKS_TO_DATA = 200
"""Ticks until t = 1, where the reverse equation ends; after that the firmware plays on."""
SWITCHING = 100e-6
"""Time from the first switch to the second, which closes the loop (s)."""
DURATION = (TICKS + 1) * TICK + SWITCHING
"""Time from the first to the last switch of a run (s)."""
CODE = 1.0 / 2048
"""One code of a converter, in shares of its range."""
BOUND = 6.0
"""Largest number that the firmware's Gaussian generator makes."""
BIASES = (0.05, 0.1, 0.2)
"""Volts of one network unit that the firmware knows (V), in the order of the `D` command."""


def moments(ticks: int = TICKS) -> FloatArray:
    """Return the time of each tick (s), added up in single precision as the firmware does."""
    steps = np.full(ticks, TICK, dtype=np.float32)
    steps[:1] = 0.0
    return np.cumsum(steps, dtype=np.float32).astype(np.float64)


def beta(u: FloatArray) -> FloatArray:
    """Return the diffusion rate at diffusion time u; no command changes it."""
    return 0.499 * u + 0.001


@final
@dataclass(frozen=True)
class PublishedSettings:
    """Declare what one run plays: table, bias (V), coef, noise scale (0: off), and the two offset trims.

    The firmware takes hundredths: coef 0.01 to 9.99, noise 0 to 9.99, offsets -0.50 to 0.49.
    """

    table: str = "0"
    v_bias: float = 0.1
    coef: float = 1.0
    noise: float = 0.0
    offsets: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        published_table(self.table)
        if self.v_bias not in BIASES:
            raise InputError(f"v_bias = {self.v_bias} V; the firmware knows {', '.join(map(str, BIASES))} V")
        object.__setattr__(self, "coef", _hundredths("coef", self.coef, 1, 999))
        object.__setattr__(self, "noise", _hundredths("noise", self.noise, 0, 999))
        both = tuple(_hundredths("offset", offset, -50, 49) for offset in self.offsets)
        if len(both) != 2:
            raise InputError(f"offsets = {self.offsets}; give one for each of the two states")
        object.__setattr__(self, "offsets", both)

    def f(self) -> FloatArray:
        """Return the converter of the state's factor (241,), in shares of its range."""
        return -0.25 * beta(1.0 - moments())

    def g2(self) -> FloatArray:
        """Return the converter of the network's factor (241,), in shares of its range."""
        return 0.5 * beta(1.0 - moments()) * self.coef

    def embedding(self) -> FloatArray:
        """Return the embedding converters (241, 14), in shares of their range."""
        table = published_table(self.table)
        return table.full_scale(self.v_bias) * table.embedding(1.0 - moments())

    def sigma(self) -> FloatArray:
        """Return the standard deviation of the noise converters (241,), in shares of their range."""
        return self.noise * beta(1.0 - moments() - TICK)

    def text(self) -> str:
        """Return the settings in one line."""
        noise = f"noise {self.noise:g}" if self.noise else "no noise"
        return f"table '{self.table}', {self.v_bias:g} V, coef {self.coef:g}, {noise}, offsets {self.offsets}"


def _hundredths(name: str, value: float, low: int, high: int) -> float:
    """Return the value as the firmware can take it, in whole hundredths within its bounds."""
    whole = round(value * 100.0)
    if not (abs(value * 100.0 - whole) < 1e-6 and low <= whole <= high):
        raise InputError(
            f"{name} = {value}; the firmware takes hundredths from {low / 100:.2f} to {high / 100:.2f}"
        )
    return whole / 100.0
