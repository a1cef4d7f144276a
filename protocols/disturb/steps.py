"""Stress cells and look at them: the two procedures of disturb."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.contrast import checkpoints
from protocols.characterise.retold import Retold
from protocols.disturb.layout import FloatArray, IntArray
from protocols.disturb.request import Request
from protocols.write_verify.spec import FLOOR
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.pulse import PulseTrain

Progress = Callable[[int, int], None]

LONGEST = 10_000
"""Samples of one request that stresses; more of them are given in several."""


@final
@dataclass(frozen=True, eq=False)
class Looks:
    """Hold readings (looks, cells) in S after so much stress (looks), in readings or pulses."""

    stress: NDArray[np.int64]
    conductance: FloatArray


@final
@dataclass(frozen=True)
class Steps:
    """Hold what both procedures need; a continued run is told again what it did before."""

    bench: Retold
    file: Bench
    request: Request

    def look(self, cells: Cells) -> FloatArray:
        """Return the conductance (S) of each cell, averaged."""
        return self.bench.read(cells, self.request.look(self.file))

    def by_reading(self, cells: Cells, arm: IntArray, progress: Progress) -> Looks:
        """Read the cells of each arm at its voltage, many times; those of arm 0 are only looked at."""
        counts = checkpoints(self.request.reads)
        found = [self.look(cells)]
        for before, after in pairwise(counts):
            for number, voltage in enumerate(self.request.voltages, start=1):
                self._stress(cells.take(arm == number), voltage, int(after - before))
            found.append(self.look(cells))
            progress(int(after), self.request.reads)
        return Looks(counts, np.array(found))

    def by_pulsing(self, cells: Cells, aggressors: IntArray, pulses: int, progress: Progress) -> Looks:
        """Give the aggressors SET and RESET in turn, and look at all cells now and then."""
        counts = checkpoints(pulses, step=2)
        found = [self.look(cells)]
        for before, after in pairwise(counts):
            for _ in range(int(after - before) // 2):
                self._cycle(cells.take(aggressors))
            found.append(self.look(cells))
            progress(int(after), pulses)
        return Looks(counts, np.array(found))

    def _stress(self, cells: Cells, voltage: float, samples: int) -> None:
        while samples > 0 and len(cells):
            part = min(samples, LONGEST)
            self.bench.read(cells, self.request.stress(self.file, voltage, part))
            samples -= part

    def _cycle(self, aggressors: Cells) -> None:
        """Give one SET, and one RESET to those that read high enough to bear it."""
        set_pulse, reset_pulse = self.request.strokes()
        self.bench.pulse(PulseTrain.of(aggressors, set_pulse))
        reading = self.bench.read(aggressors, self.file.reading.spec())
        high = aggressors.take(reading > FLOOR)
        if len(high):
            self.bench.pulse(PulseTrain.of(high, reset_pulse))
