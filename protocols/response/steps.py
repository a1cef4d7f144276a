"""Plan the pulses of a response: gate staircase, SL ladder, width sweep, with erasures in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import final

import numpy as np

from rramlab.cells import Cells
from rramlab.pulse import Polarity, PulseTrain


@final
class Part(IntEnum):
    """Tell what a pulse is for.

    BEGIN brings all cells to one state before a repeat; LEAVE is the last SET, at gates dealt out in turn.
    """

    ERASE = 0
    GATE = 1
    LADDER = 2
    WIDTH = 3
    LEAVE = 4
    BEGIN = 5


@final
@dataclass(frozen=True)
class Step:
    """Hold one pulse for all cells: part, repeat, polarity, drive (V), width (s), gates (V) in turn.

    `gates` has one value, or several of which cell k takes number k modulo their count.
    """

    part: Part
    repeat: int
    polarity: Polarity
    drive: float
    width: float
    gates: tuple[float, ...]

    def train(self, cells: Cells, first: int = 0) -> PulseTrain:
        """Return the pulse of these cells, which are number `first` and following."""
        return self.train_of(cells, first + np.arange(len(cells)))

    def train_of(self, cells: Cells, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> PulseTrain:
        """Return the pulse of cells that have these numbers."""
        gate = np.array(self.gates)[numbers % len(self.gates)]
        n = len(cells)
        kind = np.full(n, self.polarity, np.uint8)
        return PulseTrain(cells, kind, np.full(n, self.drive), gate, np.full(n, self.width))


def sequence(
    gates: Sequence[float],
    ladder: Sequence[float],
    widths: Sequence[float],
    repeats: int,
    *,
    v_set: float,
    v_erase: float,
    gate_width: float,
    gate_reset: float,
    width: float,
) -> list[Step]:
    """Return all pulses in order (V, s).

    Each repeat is: a SET at the highest gate, so that all repeats begin alike; for each gate an erasure and a
    SET; from the last of these the ladder of RESETs downwards; for each width an erasure and a SET. At the
    end an erasure, and a SET at the gates in turn.
    """
    steps: list[Step] = []

    def erase(repeat: int) -> Step:
        return Step(Part.ERASE, repeat, Polarity.RESET, v_erase, width, (gate_reset,))

    for n in range(repeats):
        steps.append(Step(Part.BEGIN, n, Polarity.SET, v_set, width, (gates[-1],)))
        for gate in gates:
            steps += [erase(n), Step(Part.GATE, n, Polarity.SET, v_set, width, (gate,))]
        steps += [Step(Part.LADDER, n, Polarity.RESET, volt, width, (gate_reset,)) for volt in ladder]
        for each in widths:
            steps += [erase(n), Step(Part.WIDTH, n, Polarity.SET, v_set, each, (gate_width,))]
    leave = Step(Part.LEAVE, repeats, Polarity.SET, v_set, width, tuple(gates))
    return [*steps, erase(repeats), leave]
