"""Program by two staircases that take turns: SET from below, RESET from above."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from protocols.write_verify.ladder import Ladder
from protocols.write_verify.strategy import Arrays, BoolArray, Choice, FloatArray, State, Strategy
from rramlab.pulse import Polarity

_AMPLITUDES = Ladder(0.65, 2.0, 0.05)


@final
@dataclass(frozen=True)
class PingPong(Strategy):
    """Raise the amplitude until the target is passed, then turn round and begin again at the start.

    The rule of NeuRRAM (public code weierwan/Neurram_48core, `wupdate_control.py`): WL fixed per polarity,
    BL or SL in steps, amplitude restarts at each change of polarity. Voltages are those of this window.
    """

    name: ClassVar[str] = "ping-pong"
    set_ladder: Ladder = _AMPLITUDES
    reset_ladder: Ladder = _AMPLITUDES
    gate_set: float = 2.0
    gate_reset: float = 3.3
    width: float = 1e-6

    def init(self, targets: FloatArray, memory: Arrays, shared: Arrays) -> State:
        """Return a state that stands before the first rung."""
        rung, turn = np.full(targets.size, -1, np.int16), np.full(targets.size, 255, np.uint8)
        return State({"rung": rung, "turn": turn}, shared)

    def next_pulses(self, state: State, targets: FloatArray, reading: FloatArray) -> Choice:
        """Return the next rung, or the first one where the target was passed."""
        turn = np.where(reading > targets, Polarity.RESET, Polarity.SET).astype(np.uint8)
        rung = np.where(turn == state["turn"], state["rung"] + 1, 0).astype(np.int16)
        state.cells |= {"rung": rung, "turn": turn}
        up = turn == Polarity.SET
        drive = np.where(up, self.set_ladder.volts(rung), self.reset_ladder.volts(rung))
        strong = np.where(up, self.set_ladder.is_top(rung), self.reset_ladder.is_top(rung))
        gate = np.where(up, self.gate_set, self.gate_reset)
        return Choice(turn, drive, gate, np.full(targets.size, self.width), strong)

    def learn(
        self, state: State, before: FloatArray, sent: Choice, after: FloatArray, known: BoolArray
    ) -> None:
        """Learn nothing: the rule looks at the last reading alone."""
