"""Find the settings of the published firmware that play a closed-loop run."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from drivers.published_circuit import PublishedCircuit
from drivers.published_hazards import check
from drivers.published_schedule import BIASES, CODE, TICK, TICKS, PublishedSettings
from drivers.published_tables import PAIRS, published_tables
from rramlab.errors import Unsupported
from rramlab.loop import Coefficients

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Played:
    """Hold a run as its converters would have to play it, in shares of their range, tick by tick."""

    f: FloatArray
    g2: FloatArray
    embedding: FloatArray
    sigma: FloatArray

    @classmethod
    def of(cls, c: Coefficients, circuit: PublishedCircuit, v_bias: float) -> "Played":
        """Return what the converters would have to play for these coefficients."""
        return cls(
            c.drift / circuit.f_gain,
            c.drive / circuit.g_gain,
            c.embedding * v_bias / circuit.embedding_volts,
            c.noise / circuit.noise_factor(v_bias),
        )

    @classmethod
    def by(cls, settings: PublishedSettings, ticks: int) -> "Played":
        """Return what the firmware plays with these settings in its first ticks."""
        every = settings.f(), settings.g2(), settings.embedding(), np.abs(settings.sigma())
        return cls(*(values[:ticks] for values in every))

    def differences(self, other: "Played") -> list[str]:
        """Return where the two differ by more than one code, in words."""
        parts = (
            ("the factor of the state", self.f, other.f),
            ("the factor of the network", self.g2, other.g2),
            ("the embedding", self.embedding, other.embedding),
            ("the noise", self.sigma, other.sigma),
        )
        return [text for name, ours, theirs in parts if (text := _difference(name, ours, theirs))]


def match(
    c: Coefficients, volts: float, circuit: PublishedCircuit, offsets: tuple[float, float] = (0.0, 0.0)
) -> PublishedSettings:
    """Return the settings that play these coefficients to a code; Unsupported tells the nearest."""
    v_bias = _bias(volts)
    _check_form(c)
    asked = Played.of(c, circuit, v_bias)
    nearest = replace(_nearest(asked, v_bias), offsets=offsets)
    if differences := asked.differences(Played.by(nearest, len(c.drift))):
        raise Unsupported(
            "the published firmware plays its own 21 tables and nothing else; the nearest to this run is "
            f"{nearest.text()}, and there {'; '.join(differences)}. Take the coefficients from "
            "`published_coefficients`, and the gains of the circuit from the bench file"
        )
    check(nearest)
    return nearest


def _bias(volts: float) -> float:
    near = min(BIASES, key=lambda bias: abs(bias - volts))
    if abs(near - volts) > 1e-6:
        raise Unsupported(
            f"a network unit of {volts:g} V was asked for; the published firmware knows "
            f"{', '.join(map(str, BIASES))} V: take {near:g} V"
        )
    return near


def _check_form(c: Coefficients) -> None:
    channels = c.embedding.shape[1]
    if abs(c.tick - TICK) > 1e-9 or len(c.drift) > TICKS or channels != 2 * PAIRS:
        raise Unsupported(
            f"a run of {len(c.drift)} ticks of {c.tick:g} s with {channels} embedding channels was asked "
            f"for; the published firmware plays up to {TICKS} ticks of {TICK:g} s with {2 * PAIRS}"
        )


def _nearest(asked: Played, v_bias: float) -> PublishedSettings:
    """Return the settings that come nearest: the factors by least squares, the table by its worst channel."""
    ticks = len(asked.f)
    unit = PublishedSettings(v_bias=v_bias, coef=1.0, noise=1.0)
    coef = _fitted(asked.g2, unit.g2()[:ticks], low=0.01)
    noise = _fitted(asked.sigma, np.abs(unit.sigma()[:ticks]), low=0.0)

    def distance(table: str) -> float:
        played = PublishedSettings(table, v_bias).embedding()[:ticks]
        return float(np.abs(played - asked.embedding).max())

    return PublishedSettings(min(published_tables(), key=distance), v_bias, coef, noise)


def _fitted(asked: FloatArray, unit: FloatArray, low: float) -> float:
    """Return how much of `unit` is in `asked`, in hundredths as the firmware takes them."""
    share = float(asked @ unit / (unit @ unit))
    return round(min(max(share, low), 9.99), 2)


def _difference(name: str, ours: FloatArray, theirs: FloatArray) -> str:
    apart = np.abs(ours - theirs)
    if apart.max() <= CODE:
        return ""
    tick, *channel = np.unravel_index(np.argmax(apart), apart.shape)
    where = f" channel {channel[0] + 1}" if channel else ""
    return f"{name} differs by {apart.max() / CODE:.1f} codes at tick {tick}{where}"
