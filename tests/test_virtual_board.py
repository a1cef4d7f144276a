"""The virtual board keeps the rules of the rramlab board protocol."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.hello import HelloReply, HelloRequest, StatusReply
from rramlab.board_protocol.limits import BoardLimits, Refusal
from rramlab.board_protocol.lines import ConnectRequest, GateRequest, MultiplyRequest, WaitRequest
from rramlab.board_protocol.pulses import PulseReply, PulseRequest
from rramlab.board_protocol.readings import ReadRequest, unpack_floats
from rramlab.board_protocol.settling import SettleReply, SettleRequest
from rramlab.board_protocol.splitter import PANIC, Splitter
from rramlab.board_protocol.words import Command, Fault, Outcome, State, Status
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.pulse import Pulse, PulseTrain
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.virtual import faults
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.clock import VirtualClock, WorldClock
from sim_backend.virtual.faults import When
from sim_backend.virtual.world import World

OPTIONS = Options(macros=1, rows=8, cols=8)
SET = Pulse.parse("SET 1.4V gate=1.3V 1us")


class HandClock(WorldClock):
    """Pass by itself, as a real clock does, but when the test says so."""

    def __init__(self) -> None:
        self.moment = 0.0

    @property
    def waits(self) -> bool:
        return True

    def now(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += seconds

    def reach(self, moment: float) -> None:
        pass

    def start(self, moment: float) -> None:
        self.moment = moment


class Host:
    """Ask the board frame by frame."""

    def __init__(self, board: VirtualBoard, session: int = 7) -> None:
        self.talk, self.board, self.session = board.attach(), board, session
        self.boot = board.boot
        self._splitter, self._ids = Splitter(), itertools.count(1)
        self.hello = HelloReply.unpack(self.ask(Command.HELLO, HelloRequest(0, "test").pack()).body)

    def request(self, command: Command, body: bytes = b"", number: int | None = None) -> Request:
        return Request(command, self.boot, self.session, next(self._ids) if number is None else number, body)

    def answers(self, data: bytes) -> list[Response]:
        replies = b"".join(self.talk.feed(data) if data else self.talk.poll())
        return [Response.decode(content) for content in self._splitter.feed(replies)]

    def ask(self, command: Command, body: bytes = b"", number: int | None = None) -> Response:
        (answer,) = self.answers(b"\0" + self.request(command, body, number).encode())
        return answer

    def status(self) -> StatusReply:
        return StatusReply.unpack(self.ask(Command.STATUS).body)

    def pulse(self, cells: Cells, number: int | None = None, pulse: Pulse = SET) -> Response:
        return self.ask(Command.PULSE, batch(cells, pulse), number)


def batch(cells: Cells, pulse: Pulse = SET, verify: ReadSpec | None = None) -> bytes:
    return PulseRequest.of(PulseTrain.of(cells, pulse), verify).pack()


def f32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def cells(count: int) -> Cells:
    return Cells.of_shape((8, 8)).take(np.arange(count))


@pytest.fixture
def world() -> Iterator[World]:
    with World(OPTIONS, seed=5, clock=VirtualClock()) as world:
        yield world


def board_of(world: World, backup: bool = False) -> VirtualBoard:
    return VirtualBoard(world, backup=backup, aside=False, boots=itertools.count(100).__next__)


def test_what_comes_over_the_wire_is_what_the_simulation_says(world: World) -> None:
    host, spec = Host(board_of(world)), ReadSpec(samples=2)
    volts = np.full((2, 8), 0.1, dtype=np.float32)
    with SimBackend(OPTIONS, seed=5) as sim:
        for _ in range(3):
            host.ask(Command.SELF_TEST)
            read = unpack_floats(host.ask(Command.READ, ReadRequest.of(cells(64), spec).pack()).body, 64, "")
            assert (read == f32(sim.read(cells(64), spec))).all()
            host.pulse(cells(50))
            sim.pulse(PulseTrain.of(cells(50), SET))
            product = host.ask(Command.MULTIPLY, MultiplyRequest(0, volts).pack()).body
            assert (unpack_floats(product, 16, "") == f32(sim.multiply(volts)).ravel()).all()
            host.ask(Command.WAIT, WaitRequest(10**15).pack())
            sim.wait(1e6)
    assert world.clock.now() == sim.now() and world.violations == []
    assert world.pulses_seen.sum() == 150


def test_the_same_request_again_is_answered_and_not_executed(world: World) -> None:
    host = Host(board_of(world))
    first = host.pulse(cells(5), 10)
    world.clock.sleep(1.0)
    again = host.pulse(cells(5), 10)
    assert (first.status, first.body) == (again.status, again.body)
    assert PulseReply.unpack(again.body).executed == 5
    assert world.pulses_seen.sum() == 5 and again.pulse_total == 5 and again.last_executed == 10


def test_other_content_under_the_same_id_and_ids_that_are_over_are_refused(world: World) -> None:
    host = Host(board_of(world))
    host.pulse(cells(5), 10)
    assert host.pulse(cells(6), 10).status is Status.ID_REUSE
    assert host.pulse(cells(5), 9).status is Status.STALE
    assert world.pulses_seen.sum() == 5


def test_a_request_for_another_boot_or_session_does_nothing(world: World) -> None:
    board = board_of(world)
    host = Host(board)
    late = host.request(Command.PULSE, batch(cells(5)), 10)
    other = Host(board, session=8)
    assert [a.status for a in host.answers(late.encode())] == [Status.WRONG_SESSION]
    assert host.ask(Command.HELLO, HelloRequest(0, "late").pack()).status is Status.WRONG_SESSION
    board.reset()
    assert [a.status for a in other.answers(late.encode())] == [Status.WRONG_BOOT]
    assert world.pulses_seen.sum() == 0


def test_settling_closes_a_session_for_good(world: World) -> None:
    board = board_of(world)
    host = Host(board)
    executed = host.pulse(cells(5), 10)
    heir = Host(board, session=8)

    def settle(session: int, request: int) -> SettleReply:
        body = SettleRequest(board.boot, session, request).pack()
        return SettleReply.unpack(heir.ask(Command.SETTLE, body).body)

    assert settle(7, 10) == SettleReply(Outcome.EXECUTED, Status.OK, 5, 10, executed.body)
    assert settle(7, 11).outcome is Outcome.NEVER
    assert settle(7, 3).outcome is Outcome.EARLIER
    assert settle(99, 3).outcome is Outcome.FORGOTTEN
    assert settle(8, 1 << 40).outcome is Outcome.NEVER
    assert heir.pulse(cells(5), 12).status is Status.STALE


@pytest.mark.parametrize(
    ("fault", "seen", "begun"),
    [(faults.Fault.RESET_BEFORE, 2, 2), (faults.Fault.RESET_DURING, 3, 3), (faults.Fault.RESET_AFTER, 3, 3)],
)
@pytest.mark.parametrize("backup", [False, True])
def test_a_reset_in_a_batch_is_told_as_far_as_the_board_knows(
    world: World, fault: faults.Fault, seen: int, begun: int, backup: bool
) -> None:
    board = board_of(world, backup)
    host = Host(board)
    place = host.boot, host.session
    host.pulse(cells(4), 10)
    board.injector.set(fault, When.nth(3))
    assert host.answers(host.request(Command.PULSE, batch(cells(6)), 11).encode()) == []
    assert world.pulses_seen.sum() == 4 + seen and board.boot != place[0]
    heir = Host(board, session=8)
    asked = SettleRequest(*place, 11).pack()
    reply = SettleReply.unpack(heir.ask(Command.SETTLE, asked).body)
    told = (Outcome.BROKEN, begun) if backup else (Outcome.FORGOTTEN, 0)
    assert (reply.outcome, reply.executed) == told


def test_a_whole_batch_is_refused_for_one_value(world: World) -> None:
    host = Host(board_of(world))
    host.ask(Command.LIMITS, BoardLimits.of(Limits()).pack())

    def train(drive: float) -> PulseTrain:
        drives = np.array([1.4, 1.4, drive, 1.4])
        return replace(PulseTrain.of(cells(4), SET), drive=drives)

    low, high = (PulseRequest.of(train(drive)).pack() for drive in (2.0, 2.000001))
    answer = host.ask(Command.PULSE, high, 10)
    assert answer.status is Status.REFUSED
    refusal = Refusal.unpack(answer.body)
    assert (refusal.index, refusal.name, refusal.asked, refusal.allowed) == (2, "v_set", 2_000_001, 2_000_000)
    assert host.ask(Command.PULSE, low, 11).status is Status.OK
    assert world.pulses_seen.sum() == 4


def test_limits_only_go_down_until_the_session_ends(world: World) -> None:
    board = board_of(world)
    host = Host(board)
    factory = BoardLimits.unpack(host.ask(Command.LIMITS).body)
    low = BoardLimits.of(Limits(v_set=1.0))
    assert BoardLimits.unpack(host.ask(Command.LIMITS, low.pack()).body) == low
    assert BoardLimits.unpack(host.ask(Command.LIMITS, factory.pack()).body) == low
    assert BoardLimits.unpack(Host(board, session=8).ask(Command.LIMITS).body) == factory


def test_a_board_that_overreaches_shows_it_in_the_limits_read_back(world: World) -> None:
    host = Host(board_of(world))
    host.board.injector.set(faults.Fault.OVERREACH)
    low = BoardLimits.of(Limits())
    assert BoardLimits.unpack(host.ask(Command.LIMITS, low.pack()).body) != low


def test_what_the_macro_would_not_survive_fails_before_it_goes_out(world: World) -> None:
    host = Host(board_of(world))
    answer = host.pulse(cells(2), 10, Pulse.parse("SET 2.5V gate=2.5V 1ms"))
    assert answer.status is Status.FAILED and b"would not survive" in answer.body
    assert world.pulses_seen.sum() == 0 and world.violations == []


@pytest.mark.parametrize(
    "body", [batch(Cells.parse("r8c0")), batch(cells(3))[:-1], batch(cells(3)) + b"x", b"", batch(cells(0))]
)
def test_a_body_without_sense_is_malformed(world: World, body: bytes) -> None:
    assert Host(board_of(world)).ask(Command.PULSE, body, 5).status is Status.MALFORMED
    assert world.pulses_seen.sum() == 0


def test_panic_works_in_the_middle_of_a_broken_frame(world: World) -> None:
    host = Host(board_of(world))
    host.ask(Command.CONNECT, ConnectRequest(3, 4, 3_300_000).pack(), 10)
    assert world.off_at is None
    # Within what could be a frame, and in pieces.
    for part in (b"\x07garbage" + PANIC[:3], PANIC[3:]):
        assert host.answers(part) == []
    assert world.off_at is not None and world.lines.cell is None
    assert host.status().fault is Fault.PANIC
    assert host.pulse(cells(2), 11).status is Status.LATCHED
    assert host.ask(Command.CLEAR, b"", 12).status is Status.OK
    assert host.pulse(cells(2), 13).status is Status.OK


def test_an_open_interlock_takes_the_lines_off_and_is_cleared_only_when_it_is_closed(world: World) -> None:
    host = Host(board_of(world))
    host.ask(Command.CONNECT, ConnectRequest(3, 4, 3_300_000).pack(), 10)
    host.board.set_interlock(True)
    assert world.off_at is not None and host.status().fault is Fault.INTERLOCK
    assert host.pulse(cells(2), 11).state == State.FAULT | State.INTERLOCK_OPEN
    assert host.ask(Command.CLEAR, b"", 12).status is Status.FAILED
    host.board.reset()  # does not close it
    host = Host(host.board, session=8)
    assert host.pulse(cells(2), 11).status is Status.LATCHED
    host.board.set_interlock(False)
    assert host.ask(Command.CLEAR, b"", 13).state == State(0)
    assert host.pulse(cells(2), 14).status is Status.OK


def test_the_multiplexer_never_switches_live_lines(world: World) -> None:
    host = Host(board_of(world))
    for i, cell in enumerate([(3, 4), (3, 5)]):
        host.ask(Command.CONNECT, ConnectRequest(*cell, 3_300_000).pack(), 10 + i)
    assert world.lines.cell == (3, 5) and world.violations == []
    assert host.pulse(cells(2), 15).status is Status.NOT_READY
    assert host.ask(Command.GATE, GateRequest(3_630_001).pack(), 16).status is Status.REFUSED
    assert host.ask(Command.DISCONNECT, b"", 17).state == State(0)
    assert host.ask(Command.GATE, GateRequest(1_000_000).pack(), 18).status is Status.NOT_READY


def test_a_switch_under_a_live_source_meter_is_seen(world: World) -> None:
    host = Host(board_of(world))
    host.ask(Command.CONNECT, ConnectRequest(3, 4, 3_300_000).pack(), 10)
    world.set_output("meter", 0.1)
    host.ask(Command.CONNECT, ConnectRequest(3, 5, 3_300_000).pack(), 11)
    told = [violation.text for violation in world.violations]
    assert any("before the drain" in text for text in told) and any("lines live" in text for text in told)


def test_a_silent_host_loses_its_lines() -> None:
    clock = HandClock()
    with World(OPTIONS, clock=clock) as world:
        host = Host(board_of(world))
        host.ask(Command.HELLO, HelloRequest(3000, "test").pack())
        host.ask(Command.CONNECT, ConnectRequest(3, 4, 3_300_000).pack(), 10)
        for _ in range(4):
            clock.moment += 2.9
            assert host.status().fault is Fault.NONE
        clock.moment += 3.1
        host.board.tick()
        assert world.lines.cell is None and world.off_at is not None
        assert (
            host.ask(Command.READ, ReadRequest.of(cells(1), ReadSpec()).pack(), 11).status is Status.LATCHED
        )
        assert State.WATCHDOG_TRIPPED in host.ask(Command.STATUS).state


def test_a_batch_stopped_half_way_says_how_far_it_got() -> None:
    clock = HandClock()
    with World(OPTIONS, clock=clock) as world:
        host = Host(board_of(world))
        slow = Pulse.parse("SET 1.0V gate=1.2V 10us")
        assert host.answers(host.request(Command.PULSE, batch(cells(10), slow), 10).encode()) == []
        clock.moment += 45e-6  # 20 us each: the third one is on
        assert State.OUTPUTS_ON in host.ask(Command.STATUS).state
        stopped, status = host.answers(host.request(Command.PANIC).encode())
        assert stopped.status is Status.STOPPED
        reply = PulseReply.unpack(stopped.body)
        assert (reply.executed, reply.stopped) == (3, Fault.PANIC)
        assert StatusReply.unpack(status.body).fault is Fault.PANIC
        assert world.pulses_seen.sum() == 3
        assert host.pulse(cells(10), 10, slow).body == stopped.body


def test_work_takes_its_time_and_later_frames_wait_for_it() -> None:
    clock = HandClock()
    with World(OPTIONS, clock=clock) as world:
        host = Host(board_of(world))
        read = host.request(Command.READ, ReadRequest.of(cells(64), ReadSpec()).pack(), 10)
        assert host.answers(read.encode()) == [] and host.answers(read.encode()) == []
        clock.moment += 0.0639
        assert host.answers(b"") == []
        clock.moment += 0.0002
        first, again = host.answers(b"")
        assert first.status is Status.OK and first.body == again.body


def test_pulse_and_verify_reads_each_cell_after_its_pulse(world: World) -> None:
    host = Host(board_of(world))
    reply = PulseReply.unpack(host.ask(Command.PULSE, batch(cells(6), SET, ReadSpec()), 10).body)
    read = unpack_floats(host.ask(Command.READ, ReadRequest.of(cells(6), ReadSpec()).pack(), 11).body, 6, "")
    assert reply.readings is not None
    # Read noise and a little relaxation part the two readings: 5 uS is far more than both.
    assert np.abs(reply.readings - read).max() < 5e-6


def test_any_bytes_do_no_harm(world: World) -> None:
    host, rng = Host(board_of(world)), np.random.default_rng(3)
    frame = host.request(Command.PULSE, batch(cells(5)), 10).encode()
    for _ in range(300):
        spoilt = bytearray(frame)
        for at in rng.integers(len(spoilt), size=rng.integers(1, 4)):
            spoilt[at] ^= int(rng.integers(1, 256))
        host.talk.feed(bytes(spoilt))
    host.talk.feed(rng.bytes(5000) + b"\0")
    # A broken frame passes with odds of 2^-32 each: 1e-7 for all of them.
    assert world.pulses_seen.sum() == 0
    world.safe()
    host.ask(Command.CLEAR, b"", 20)
    assert host.pulse(cells(5), 21).status is Status.OK
