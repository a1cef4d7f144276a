"""Program by raising the gate: the transistor's compliance sets the conductance (IGVVA)."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from protocols.write_verify.ladder import Ladder
from protocols.write_verify.strategy import Arrays, BoolArray, Choice, FloatArray, State, Strategy
from rramlab.pulse import Polarity

_GATES = Ladder(1.0, 2.0, 0.02)


@final
@dataclass(frozen=True)
class GateStaircase(Strategy):
    """Raise the WL under a full BL until the target is reached; RESET an overshoot and go back some steps.

    Incremental gate voltage with verify (Perez et al., Milo et al.); step 20 mV, RESET 1.6 V.
    """

    name: ClassVar[str] = "gate-staircase"
    ladder: Ladder = _GATES
    drive_set: float = 2.0
    drive_reset: float = 1.6
    gate_reset: float = 3.3
    back: int = 4
    width: float = 1e-6

    def init(self, targets: FloatArray, memory: Arrays, shared: Arrays) -> State:
        """Return a state that stands before the first rung."""
        return State({"rung": np.full(targets.size, -1, np.int16)}, shared)

    def next_pulses(self, state: State, targets: FloatArray, reading: FloatArray) -> Choice:
        """Return the next rung of the gate, or a RESET."""
        down = reading > targets
        rung = np.where(down, np.maximum(state["rung"] - self.back - 1, -1), state["rung"] + 1)
        state.cells["rung"] = rung.astype(np.int16)
        gate = np.where(down, self.gate_reset, self.ladder.volts(state["rung"]))
        polarity = np.where(down, Polarity.RESET, Polarity.SET).astype(np.uint8)
        drive = np.where(down, self.drive_reset, self.drive_set)
        strong = down | self.ladder.is_top(state["rung"])
        return Choice(polarity, drive, gate, np.full(targets.size, self.width), strong)

    def learn(
        self, state: State, before: FloatArray, sent: Choice, after: FloatArray, known: BoolArray
    ) -> None:
        """Learn nothing: the rung is all that is remembered."""
