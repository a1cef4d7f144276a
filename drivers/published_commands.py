"""Write the commands of the published firmware, always of full length, with the replies that they must bring.

A short command would be completed by what is left of the one before, because the firmware never clears its
buffer. It computes in single precision and prints six decimals; whether a constant was folded in double
precision before is the compiler's choice, so that a value may have two texts.
(Repository yangjc97/memristor-sde-diffusion, MCU_Project.)
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from drivers.published_schedule import BIASES, PublishedSettings


@final
@dataclass(frozen=True)
class Command:
    """Hold a command and every text, without the last CR LF, that is a right reply to it."""

    text: str
    replies: frozenset[str]


GO = Command("Go", frozenset({""}))
"""Ask for a run; the reply is the same when it is refused."""


def commands(settings: PublishedSettings) -> list[Command]:
    """Return what sets the firmware to these settings; the bias comes into force with the `In` at the end."""
    return [_bias(settings), _offsets(settings), _coef(settings), _noise(settings), _start(settings)]


def probes() -> list[Command]:
    """Return two commands that change nothing, for they are out of range, and are echoed like no other."""
    coefs = frozenset(f"Coef: {text}" for n in range(1, 1000) for text in _texts(n))
    return [Command("C000", coefs), Command("D9", frozenset(map(_bias_reply, BIASES)))]


def _bias(settings: PublishedSettings) -> Command:
    return Command(f"D{BIASES.index(settings.v_bias)}", frozenset({_bias_reply(settings.v_bias)}))


def _bias_reply(v_bias: float) -> str:
    return f"V_bias and DAC coef: {v_bias:.6f}"


def _offsets(settings: PublishedSettings) -> Command:
    steps = [round(offset * 100) + 50 for offset in settings.offsets]
    first, second = (_texts(n, 0.5) for n in steps)
    replies = frozenset(f"Offset set1: {a}\nOffset set2: {b}" for a in first for b in second)
    return Command(f"O{steps[0]:02d}{steps[1]:02d}", replies)


def _coef(settings: PublishedSettings) -> Command:
    n = round(settings.coef * 100)
    return Command(f"C{n:03d}", frozenset(f"Coef: {text}" for text in _texts(n)))


def _noise(settings: PublishedSettings) -> Command:
    n = round(settings.noise * 100)
    return Command(f"N{n:03d}", frozenset(f"Noise Scale: {text}" for text in _texts(n)))


def _start(settings: PublishedSettings) -> Command:
    flag = 1 if settings.noise else 0
    return Command(f"In{settings.table}{flag}", frozenset({f"Type:{settings.table}\tStart..."}))


def _texts(hundredths: int, less: float = 0.0) -> set[str]:
    """Return how the firmware may print n 0.01 - less."""
    single = np.float32(hundredths) * np.float32(0.01) - np.float32(less)
    double = np.float32(hundredths * 0.01 - less)
    return {f"{float(value):.6f}" for value in (single, double)} | ({"-0.000000"} if not double else set())
