"""Program conductances by pulses and readings: strategies, and the engine that drives them."""

from protocols.write_verify.adaptive import Adaptive
from protocols.write_verify.engine import WriteVerify
from protocols.write_verify.gate_staircase import GateStaircase
from protocols.write_verify.ispva import Ispva
from protocols.write_verify.ladder import Ladder
from protocols.write_verify.ping_pong import PingPong
from protocols.write_verify.programmed import PassStatistics, Programmed
from protocols.write_verify.spec import Spec
from protocols.write_verify.strategy import Choice, State, Strategy

__all__ = [
    "Adaptive",
    "Choice",
    "GateStaircase",
    "Ispva",
    "Ladder",
    "PassStatistics",
    "PingPong",
    "Programmed",
    "Spec",
    "State",
    "Strategy",
    "WriteVerify",
]
