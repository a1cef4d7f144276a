"""Program by raising the amplitude under a gate that is fixed for the level (ISPVA)."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from protocols.write_verify.ladder import Ladder
from protocols.write_verify.strategy import Arrays, BoolArray, Choice, FloatArray, State, Strategy
from rramlab.pulse import Polarity

_RISE = Ladder(0.5, 2.0, 0.05)
_FALL = Ladder(1.6, 2.0, 0.1)


@final
@dataclass(frozen=True)
class Ispva(Strategy):
    """Raise the BL under the gate of the level; RESET an overshoot and try again with a lower gate.

    Incremental step pulse with verify (Perez et al., IHP). `gate_offset` and `gate_slope` (V, V/S) give
    the gate of a level; where the BL ends without reaching it, the gate rises by `lower` (V).
    """

    name: ClassVar[str] = "ispva"
    set_ladder: Ladder = _RISE
    reset_ladder: Ladder = _FALL
    gate_reset: float = 3.3
    gate_offset: float = 1.0
    gate_slope: float = 1.05e4
    gate_min: float = 0.9
    gate_max: float = 2.0
    lower: float = 0.02
    width: float = 1e-6

    def init(self, targets: FloatArray, memory: Arrays, shared: Arrays) -> State:
        """Return a state that stands before the first rung, with the gate of the level."""
        gate = np.minimum(self.gate_offset + self.gate_slope * targets, self.gate_max)
        rung, turn = np.full(targets.size, -1, np.int16), np.zeros(targets.size, np.uint8)
        return State({"rung": rung, "turn": turn, "gate": gate.astype(np.float32)}, shared)

    def next_pulses(self, state: State, targets: FloatArray, reading: FloatArray) -> Choice:
        """Return the next rung of the BL, or of the SL where the target was passed."""
        down = reading > targets
        turn = np.where(down, Polarity.RESET, Polarity.SET).astype(np.uint8)
        same = turn == state["turn"]
        ended = same & ~down & (state["rung"] >= 0) & self.set_ladder.is_top(state["rung"])
        shift = np.where(ended, self.lower, np.where(down & ~same, -self.lower, 0.0))
        gate = np.clip(state["gate"] + shift, self.gate_min, self.gate_max).astype(np.float32)
        rung = np.where(same, state["rung"] + 1, 0).astype(np.int16)
        state.cells |= {"rung": rung, "turn": turn, "gate": gate}
        drive = np.where(down, self.reset_ladder.volts(rung), self.set_ladder.volts(rung))
        strong = np.where(down, self.reset_ladder.is_top(rung), ended & (gate >= self.gate_max - 1e-6))
        gates = np.where(down, self.gate_reset, gate.astype(float))
        return Choice(turn, drive, gates, np.full(targets.size, self.width), strong)

    def learn(
        self, state: State, before: FloatArray, sent: Choice, after: FloatArray, known: BoolArray
    ) -> None:
        """Learn nothing: rung and gate are all that is remembered."""
