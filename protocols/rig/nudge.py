"""Move cells a little, to see whether pulses reach them."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from protocols.characterise.retold import Retold
from protocols.write_verify import typical
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Polarity, PulseTrain
from rramlab.reading import ReadSpec

FloatArray = NDArray[np.float64]

GENTLE, STEPS, WIDTH = 1e-6, 12, 1e-6
"""Step (S) that the first pulse aims at, pulses up to the strongest one, their width (s)."""
MOVED, LEAST = 6.0, 0.5e-6
"""A cell has moved when it reads more than so many sigma of its reading, and so much (S), elsewhere."""
MIDDLE = 60e-6
"""Cells that read less (S) are tested by SET, the others by RESET."""
_GATE, _DRIVE, _OPEN_GATE = 2.0, 2.0, 3.3


@final
class Nudge:
    """Apply test pulses of rising strength until a cell moves; what moved gets no further pulse."""

    def __init__(self, bench: Retold, limits: Limits, reading: ReadSpec) -> None:
        self._bench, self._limits, self._reading = bench, limits, reading

    def moved(self, cells: Cells, conductance: FloatArray, sigma: float) -> tuple[FloatArray, FloatArray]:
        """Return the last reading (S) of each cell, and how far (S) it moved at last."""
        up = conductance < MIDDLE
        last, still = conductance.copy(), np.ones(len(cells), bool)
        for step in range(STEPS):
            places = np.flatnonzero(still & (up | (last >= self._limits.reset_floor)))
            if not places.size:
                break
            listed = cells.take(places)
            self._bench.pulse(self._train(listed, up[places], conductance[places], step))
            last[places] = self._bench.read(listed, self._reading)
            still = ~self.is_move(last - conductance, sigma)
        return last, last - conductance

    def is_move(self, step: FloatArray, sigma: float) -> NDArray[np.bool_]:
        """Tell which steps (S) are no noise of a reading of this sigma (S)."""
        return np.asarray(np.abs(step) > max(MOVED * sigma, LEAST))

    def _train(self, cells: Cells, up: NDArray[np.bool_], conductance: FloatArray, step: int) -> PulseTrain:
        """Return pulses of which the first moves a typical cell gently, and the last any cell that lives."""
        share = step / (STEPS - 1)
        limits, gentle = self._limits, np.full(conductance.size, GENTLE)
        gate = typical.SET.drive(conductance, gentle)
        gate += share * (min(_GATE, limits.gate_set) - gate)
        sl = np.exp(typical.RESET.drive(-np.log(conductance), GENTLE / conductance))
        sl += share * (min(_DRIVE, limits.v_reset) - sl)
        kind = np.where(up, Polarity.SET, Polarity.RESET).astype(np.uint8)
        drive = np.where(up, min(_DRIVE, limits.v_set), np.minimum(sl, limits.v_reset))
        gates = np.where(up, np.clip(gate, 0.75, limits.gate_set), min(_OPEN_GATE, limits.gate))
        return PulseTrain(cells, kind, drive, gates, np.full(len(cells), WIDTH))
