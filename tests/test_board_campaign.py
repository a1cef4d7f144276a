"""Whatever breaks between host and board, a pulse goes out once or is reported as unknown."""

import numpy as np
from board_hosts import HostKilled, Laboratory
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rramlab.cells import Cells
from rramlab.errors import LinkError
from rramlab.pulse import Delivery, Pulse, PulseTrain
from sim_backend.options import Options
from sim_backend.virtual.faults import Fault, When
from sim_backend.virtual.world import World

OPTIONS = Options(macros=1, rows=2, cols=4)
CELLS = Cells.of_shape((2, 4))
PULSE = Pulse.parse("SET 0.8V gate=1.2V 1us")

MESSAGE_FAULTS = [
    Fault.LOSE_REQUEST,
    Fault.FLIP_REQUEST,
    Fault.LATE_REQUEST,
    Fault.TWICE_REQUEST,
    Fault.LOSE_REPLY,
    Fault.FLIP,
    Fault.TWICE,
    Fault.LATE,
    Fault.CUT,
    Fault.UNTERMINATED,
    Fault.GARBAGE,
    Fault.FOREIGN,
]
RESETS = [Fault.RESET_BEFORE, Fault.RESET_DURING, Fault.RESET_AFTER]


def train(count: int, first: int = 0) -> PulseTrain:
    return PulseTrain.of(CELLS.take((first + np.arange(count)) % len(CELLS)), PULSE)


class Campaign(RuleBasedStateMachine):
    """Send, lose, corrupt, duplicate, delay, reorder, reset, kill; the crossbar is the judge."""

    @initialize(backup=st.booleans())
    def begin(self, backup: bool) -> None:
        self.world = World(OPTIONS, seed=1).__enter__()
        self.lab = Laboratory(self.world, backup)
        self.was_reset = False
        self.lab.start()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.__exit__()

    @rule(fault=st.sampled_from(MESSAGE_FAULTS), first=st.integers(1, 4), times=st.integers(1, 3))
    def break_messages(self, fault: Fault, first: int, times: int) -> None:
        self.lab.injector.set(fault, When.nth(first, times))

    @rule(delay=st.sampled_from([0.02, 0.15, 0.6, 2.0]))
    def delay(self, delay: float) -> None:
        self.lab.injector.delay = delay

    @rule(fault=st.sampled_from(RESETS), first=st.integers(1, 6))
    def reset_soon(self, fault: Fault, first: int) -> None:
        self.lab.injector.set(fault, When.nth(first))
        self.was_reset = True

    @rule()
    def reset_now(self) -> None:
        self.lab.board.reset()
        self.was_reset = True

    @rule(uses=st.integers(1, 12))
    def kill_soon(self, uses: int) -> None:
        self.lab.net.kill_after = uses

    @rule(seconds=st.sampled_from([0.01, 0.5, 10.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.world.clock.sleep(seconds)

    @precondition(lambda self: self.lab.host is not None)
    @rule(count=st.integers(1, 8), first=st.integers(0, 7))
    def pulse(self, count: int, first: int) -> None:
        self._survive(lambda: self.lab.pulse(train(count, first)))

    @precondition(lambda self: self.lab.host is None)
    @rule()
    def start_again(self) -> None:
        self._survive(self.lab.start)

    def _survive(self, do: object) -> None:
        try:
            do()  # type: ignore[operator]
        except (HostKilled, LinkError):
            self.lab.host = None

    @invariant()
    def crossbar_and_record_agree(self) -> None:
        if hasattr(self, "lab"):
            self.lab.check()
            if not self.was_reset:
                assert not self.lab.counts(Delivery.UNKNOWN).any()
            assert self.world.violations == []


TestCampaign = Campaign.TestCase
TestCampaign.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
