"""Whatever breaks between host and board, a pulse goes out once or is reported as unknown."""

from collections.abc import Callable

import numpy as np
import pytest
from board_hosts import HostKilled, Laboratory
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.errors import LinkError
from rramlab.pulse import Delivery, Pulse, PulseTrain
from sim_backend.options import Options
from sim_backend.virtual.faults import Fault, When
from sim_backend.virtual.world import World

OPTIONS = Options(macros=1, rows=2, cols=4)
CELLS = Cells.of_shape((2, 4))
PULSE = Pulse.parse("SET 0.8V gate=1.2V 1us")

Apply = Callable[..., NDArray[np.uint8]]

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
        self.world.pulse = self._seen(self.world.pulse)  # type: ignore[method-assign]
        self.lab = Laboratory(self.world, backup)
        self.was_reset = False
        self.lab.start()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.__exit__()

    @rule(fault=st.sampled_from(MESSAGE_FAULTS), first=st.integers(1, 4), times=st.integers(1, 3))
    def break_messages(self, fault: Fault, first: int, times: int) -> None:
        self.lab.injector.set(fault, When.nth(first, times))

    @rule(
        pair=st.lists(st.sampled_from(MESSAGE_FAULTS), min_size=2, max_size=2, unique=True),
        first=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    )
    def break_two(self, pair: list[Fault], first: tuple[int, int]) -> None:
        for fault, nth in zip(pair, first, strict=True):
            self.lab.injector.set(fault, When.nth(nth))

    @precondition(lambda self: self.lab.host is not None)
    @rule(
        fault=st.sampled_from([Fault.LATE_REQUEST, Fault.LOSE_REPLY, Fault.LATE, Fault.TWICE_REQUEST]),
        uses=st.integers(2, 4),
        count=st.integers(1, 8),
    )
    def die_with_a_request_on_its_way(self, fault: Fault, uses: int, count: int) -> None:
        self.lab.injector.set(fault, When.nth(1))
        self.lab.net.kill_after = uses
        self._survive(lambda: self.lab.pulse(train(count)))

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

    def _seen(self, pulse: Apply) -> Apply:
        """Return `pulse` with a look at what goes out: nothing but what was asked."""

        def seen(train: PulseTrain, began: float | None = None) -> NDArray[np.uint8]:
            whole = train.width == PULSE.width
            assert (train.drive == PULSE.drive).all() and (train.gate == PULSE.gate).all()
            assert whole[:-1].all() and (self.was_reset or whole.all())
            return pulse(train, began)

        return seen

    def _survive(self, do: Callable[[], None]) -> None:
        try:
            do()
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
    max_examples=80,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_long_campaign() -> None:
    many = settings(TestCampaign.settings, max_examples=3000, derandomize=False)
    run_state_machine_as_test(Campaign, settings=many)
