"""Take cells to levels by one RESET and one SET pulse each, without correction."""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.noise.rotation import levels_of
from protocols.write_verify import typical
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Polarity, PulseTrain
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]

WIDTH, DRIVE_SET, DRIVE_RESET, GATE_RESET = 1e-6, 2.0, 1.6, 3.3
"""Width (s), BL voltage of SET, SL voltage and gate of RESET (V), where the limits admit them."""
_START, _UNFORMED, _FOLLOWS = 11e-6, 1e-6, 0.25


@final
class SinglePulses:
    """Send the pulses and read what each leaves."""

    def __init__(self, bench: Retold, limits: Limits, reading: ReadSpec) -> None:
        self._bench, self._limits, self._reading = bench, limits, reading

    def left(
        self, cells: Cells, levels: FloatArray, repeats: int, watch: Callable[[int, int], None]
    ) -> FloatArray:
        """Return what a SET towards each level (S) left (S), (levels, cells, repeats); NaN: never formed."""
        found = np.full((len(levels), len(cells), repeats), np.nan)
        last = self._bench.read(cells, self._reading)
        formed = np.flatnonzero(last >= _UNFORMED)
        total = repeats * len(levels)
        for turn in range(total if formed.size else 0):
            level = levels_of(len(cells), len(levels), turn)
            last = self._cycle(cells, formed, levels[level], last)
            found[level[formed], formed, turn // len(levels)] = last[formed]
            watch(turn + 1, total)
        return found

    def gates(self, levels: FloatArray) -> FloatArray:
        """Return the gate (V) at which a SET takes a typical cell to each level (S)."""
        gate = typical.SET.drive(np.full(levels.size, _START), np.maximum(levels - _START, 1e-6))
        return np.asarray(np.minimum(gate, self._limits.gate_set))

    def _cycle(
        self, cells: Cells, formed: NDArray[np.intp], wanted: FloatArray, last: FloatArray
    ) -> FloatArray:
        limits, down = self._limits, formed[last[formed] >= self._limits.reset_floor]
        drive, gate = min(DRIVE_RESET, limits.v_reset), min(GATE_RESET, limits.gate)
        if down.size:
            self._bench.pulse(_train(cells.take(down), Polarity.RESET, drive, np.full(down.size, gate)))
        gates = self.gates(wanted[formed])
        self._bench.pulse(_train(cells.take(formed), Polarity.SET, min(DRIVE_SET, limits.v_set), gates))
        after = np.full(len(cells), np.nan)
        after[formed] = self._bench.read(cells.take(formed), self._reading)
        return after


def following(left: FloatArray) -> NDArray[np.bool_]:
    """Return which cells follow the levels: those that move at least a quarter as far as most do."""
    with np.errstate(invalid="ignore"):
        span = np.ptp(left.mean(axis=2), axis=0)
    known = span[np.isfinite(span)]
    least = _FOLLOWS * float(np.median(known)) if known.size else np.inf
    return np.asarray(np.nan_to_num(span) >= least)


def _train(cells: Cells, polarity: Polarity, drive: float, gate: FloatArray) -> PulseTrain:
    n = len(cells)
    return PulseTrain(cells, np.full(n, polarity), np.full(n, drive), gate, np.full(n, WIDTH))
