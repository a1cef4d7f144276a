"""What the host says to a board and what it makes of the answers, byte by byte."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pairs import Pair, PairWire, pairs

from drivers.board_session import OPENINGS, PAUSE
from drivers.rramlab_board import RramlabBoard
from drivers.spec import BoardSpec
from drivers.wire import Wire
from rramlab.board_protocol.frame import Request, Response, frame, unframe
from rramlab.board_protocol.golden import GOLDEN, SESSION
from rramlab.board_protocol.hello import NOWHERE, HelloReply, HelloRequest, StatusReply
from rramlab.board_protocol.limits import BoardLimits, Refusal
from rramlab.board_protocol.lines import ConnectRequest, GateRequest, MultiplyRequest, WaitRequest
from rramlab.board_protocol.pulses import PulseReply, PulseRequest
from rramlab.board_protocol.readings import ReadRequest, pack_floats
from rramlab.board_protocol.settling import SettleReply, SettleRequest
from rramlab.board_protocol.words import Command, Fault, Feature, Outcome, State, Status
from rramlab.cells import Cells
from rramlab.clock import Clock
from rramlab.errors import LinkError, LinkFault
from rramlab.limits import Limits
from rramlab.pulse import Delivery, Pulse, PulseTrain
from rramlab.reading import ReadSpec

BOOT, NEXT = 0x0BADB007, 0x5EED0002
TAG = 1 << 63 | SESSION << 16
ALL = Feature.MULTIPLY | Feature.LOOP | Feature.ROUTE | Feature.VERIFY
HELLO = HelloReply(ALL, 4, 4, 2, 400, 3, 3000, 10_000, 1_000_000, 8, 4096, "board", "B1", "1.0")
IDLE = StatusReply(0, 0, NOWHERE, NOWHERE, 0, 0, 0, Fault.NONE, 3000)
LIMITS = BoardLimits.of(Limits())
TWO = PulseTrain.of(Cells.parse("r0c0; r3c2"), Pulse.parse("SET 1.2V gate=1.4V 1us"))
SPEC = BoardSpec(use="rramlab-board", port="pairs", timeout=0.01, retries=2)


class Still(Clock):
    """Count the time that is slept away."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Script:
    """Write down an expected talk: which requests come, and the answer to each."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self.boot, self.session, self.tag = 0, 0, TAG

    def free(
        self, command: Command, body: bytes, answer: bytes, status: Status = Status.OK, **more: Any
    ) -> None:
        self.tag += 1
        self.say(Request(command, self.boot, self.session, self.tag, body), answer, status, **more)

    def once(
        self,
        command: Command,
        identity: int,
        body: bytes,
        answer: bytes,
        status: Status = Status.OK,
        **more: Any,
    ) -> None:
        self.say(Request(command, self.boot, self.session, identity, body), answer, status, **more)

    def say(self, request: Request, answer: bytes, status: Status = Status.OK, **more: Any) -> None:
        told = {"state": State(0), "boot": self.boot, "session": self.session, "time": 0} | more
        response = Response(request.command, status, request=request.request, body=answer, **told)
        self.pairs.append((b"\0" + request.encode(), response.encode()))

    def hello(
        self, boot: int = BOOT, hello: HelloReply = HELLO, status: Status = Status.OK, **more: Any
    ) -> None:
        self.free(Command.STATUS, b"", IDLE.pack(), boot=boot, **more)
        self.boot, self.session = boot, SESSION
        self.free(Command.HELLO, HelloRequest(3000, "rramlab").pack(), hello.pack(), status, **more)

    def limits(self, kept: BoardLimits = LIMITS) -> None:
        self.free(Command.LIMITS, LIMITS.pack(), kept.pack())

    def last_again(self, *received: Any) -> None:
        """Let the last request come again: `received` are the answers to the ones before its true one."""
        sent, answer = self.pairs.pop()
        self.pairs += [(sent, item) for item in received] + [(sent, answer)]


def made(wire: Wire, clock: Clock | None = None) -> RramlabBoard:
    return RramlabBoard(SPEC, wire, clock or Still(), draw=lambda: SESSION)


def talk(
    build: Callable[[Script], None], do: Callable[[RramlabBoard], Any], clock: Clock | None = None
) -> tuple[Any, list[dict[str, Any]], PairWire]:
    """Return what `do` returns on an open board that is asked what `build` adds; and notes, and wire."""
    script, notes = Script(), []
    script.hello()
    script.limits()
    build(script)
    with pairs(*script.pairs) as wire:
        board = made(wire, clock)
        board.open()
        board.begin(Limits(), lambda what, facts: notes.append({"what": what} | facts))
        result = do(board)
    return result, notes, wire


def pulse_pair(script: Script, identity: int = 7 << 16, **more: Any) -> None:
    script.once(Command.PULSE, identity, PulseRequest.of(TWO).pack(), PulseReply(2).pack(), **more)


def refuses(fault: LinkFault, match: str) -> Any:
    return pytest.raises(LinkError, match=match, check=lambda error: error.fault is fault)


# Who is there.


def test_the_host_asks_for_the_boot_opens_a_session_and_gives_the_limits() -> None:
    identity, notes, wire = talk(lambda script: None, lambda board: (board.identify(), board.shape))
    assert identity == ({"name": "board", "serial": "B1", "firmware": "1.0"}, (2, 4, 4))
    assert wire.openings == 1
    told = {"boot": BOOT, "session": SESSION, "cells": 3, "start": 0, "is_torn": False}
    assert notes == [{"what": "board", **told, "applied": 0, "unknown": 0}]


def test_the_first_bytes_are_those_of_the_golden_request() -> None:
    golden = next(golden for golden in GOLDEN if golden.name == "pulse-request")
    assert isinstance(golden.message, Request)
    train = replace(TWO, cells=Cells.parse("r0c0; r3c7"))
    request = Request(Command.PULSE, BOOT, SESSION, 7 << 16, PulseRequest.of(train).pack())
    assert request.encode() == golden.frame


def test_what_the_board_has_is_what_it_can_do() -> None:
    script = Script()
    script.hello(hello=replace(HELLO, features=Feature.MULTIPLY))
    with pairs(*script.pairs) as wire:
        board = made(wire)
        assert {"read", "pulse", "multiply", "connect", "solve"} <= board.capabilities
        board.open()
        assert board.capabilities == {"read", "pulse", "wait", "multiply"}


def test_what_an_earlier_session_left_latched_is_cleared_at_0_volts() -> None:
    script = Script()
    script.hello(state=State.FAULT)
    script.free(Command.SAFE, b"", IDLE.pack(), state=State.FAULT)
    script.once(Command.CLEAR, 1, b"", b"")
    script.limits()
    with pairs(*script.pairs) as wire:
        board = made(wire)
        board.open()  # to look at it clears nothing
        board.begin(Limits(), lambda what, facts: None)


def test_a_board_that_is_looked_at_stays_latched_and_says_so() -> None:
    script = Script()
    script.hello(state=State.FAULT)
    script.once(Command.SELF_TEST, 1, b"", b"+supply\tgood", state=State.FAULT)
    told = replace(IDLE, fault=Fault.PANIC, text="PANIC was asked for")
    script.free(Command.STATUS, b"", told.pack(), state=State.FAULT)
    with pairs(*script.pairs) as wire:
        board = made(wire)
        board.open()
        assert "PANIC was asked for" in board.self_test()[0].answer


@pytest.mark.parametrize("watchdog", [0, 3001, 10_000])
def test_a_board_that_would_watch_less_closely_is_refused(watchdog: int) -> None:
    script = Script()
    script.hello(hello=replace(HELLO, watchdog=watchdog))
    with pairs(*script.pairs) as wire, refuses(LinkFault.MISMATCH, "watchdog of 3000 ms"):
        made(wire).open()


def test_the_time_of_a_board_goes_on_over_its_reset() -> None:
    virtual = replace(HELLO, features=ALL | Feature.VIRTUAL_TIME)
    script = Script()
    script.hello(hello=virtual, time=5_000_000_000)
    script.hello(NEXT, hello=virtual, time=1_000_000_000)
    with pairs(*script.pairs) as wire:
        board = made(wire)
        board.open()
        assert board.now() == 5.0
        board.open()
        assert board.now() == 6.0


def test_a_board_that_keeps_other_limits_is_refused() -> None:
    for kept, cure in ((3_000_000, "firmware"), (1_000_000, "bench file")):
        script = Script()
        script.hello()
        script.limits(replace(LIMITS, v_set=kept))
        with pairs(*script.pairs) as wire:
            board = made(wire)
            board.open()
            with refuses(LinkFault.MISMATCH, f"v_set.*{cure}"):
                board.begin(Limits(), lambda what, facts: None)


def test_a_reset_between_status_and_hello_is_met_by_asking_again() -> None:
    script = Script()
    script.hello(status=Status.WRONG_BOOT)
    script.hello(NEXT)
    with pairs(*script.pairs) as wire:
        made(wire).open()


# Once.


def test_pulses_go_out_in_batches_with_ids_that_rise() -> None:
    train = PulseTrain.of(Cells.parse("r0c0-3; r1c0"), Pulse.parse("RESET 1.5V gate=3.3V 1us"))

    def build(script: Script) -> None:
        for part, which in enumerate(([0, 1, 2], [3, 4])):
            body = PulseRequest.of(train.take(np.array(which))).pack()
            script.once(Command.PULSE, 7 << 16 | part, body, PulseReply(len(which)).pack())

    delivery, _, _ = talk(build, lambda board: board.pulse(train, 7))
    assert delivery.tolist() == [Delivery.APPLIED] * 5


LATE = Response(Command.PULSE, Status.OK, State(0), BOOT, SESSION, 6 << 16, body=PulseReply(1).pack())
SPOILT = bytearray(LATE.encode())
SPOILT[9] ^= 4


@pytest.mark.parametrize(
    "received",
    [
        (None,),  # lost
        (None, None),
        (LATE.encode(),),  # the answer to an older request
        (bytes(SPOILT),),  # corrupt
        (b"noise without an end",),
        (LATE.encode()[:20],),  # cut
    ],
)
def test_without_its_answer_the_same_bytes_are_sent_again(received: tuple[bytes | None, ...]) -> None:
    def build(script: Script) -> None:
        pulse_pair(script)
        script.last_again(*received)

    delivery, notes, wire = talk(build, lambda board: board.pulse(TWO, 7))
    assert delivery.tolist() == [Delivery.APPLIED] * 2 and len(notes) == 1 and wire.openings == 1


def test_a_status_that_is_none_is_nonsense_and_takes_the_lines_to_0_volts() -> None:
    def build(script: Script) -> None:
        pulse_pair(script)
        sent, answer = script.pairs.pop()
        assert isinstance(answer, bytes)
        content = bytearray(unframe(answer[:-1]) or b"")
        content[2] = 99
        script.pairs.append((sent, frame(bytes(content))))
        script.free(Command.SAFE, b"", IDLE.pack())

    with refuses(LinkFault.GARBLED, "99 is no Status"):
        talk(build, lambda board: board.pulse(TWO, 7))


def test_an_echo_of_the_request_is_no_answer() -> None:
    def build(script: Script) -> None:
        pulse_pair(script)
        sent, answer = script.pairs.pop()
        assert isinstance(sent, bytes) and isinstance(answer, bytes)
        script.pairs.append((sent, sent + answer))

    delivery, _, _ = talk(build, lambda board: board.pulse(TWO, 7))
    assert delivery.tolist() == [Delivery.APPLIED] * 2


def test_an_answer_that_comes_twice_is_not_taken_for_the_next() -> None:
    def build(script: Script) -> None:
        pulse_pair(script)
        sent, answer = script.pairs.pop()
        assert isinstance(answer, bytes)
        script.pairs.append((sent, answer + answer))
        pulse_pair(script, 8 << 16)

    both, _, _ = talk(build, lambda board: [board.pulse(TWO, 7), board.pulse(TWO, 8)])
    assert np.concatenate(both).tolist() == [Delivery.APPLIED] * 4


def test_a_broken_link_is_opened_anew_and_the_same_request_goes_on() -> None:
    def build(script: Script) -> None:
        pulse_pair(script)
        sent, answer = script.pairs.pop()
        script.pairs.append((sent, LinkFault.LOST))
        script.free(Command.STATUS, b"", IDLE.pack())
        script.pairs.append((sent, answer))

    delivery, notes, wire = talk(build, lambda board: board.pulse(TWO, 7))
    assert delivery.tolist() == [Delivery.APPLIED] * 2
    assert len(notes) == 1 and wire.openings == 2


def test_another_host_on_the_board_ends_this_one() -> None:
    def build(script: Script) -> None:
        pulse_pair(script, status=Status.WRONG_SESSION, session=1)

    with refuses(LinkFault.MISMATCH, "another host"):
        talk(build, lambda board: board.pulse(TWO, 7))


class Unplugged(Wire):
    """Be a wire that nobody plugs in again; count how often it is tried."""

    name = "unplugged"

    def __init__(self, fault: LinkFault) -> None:
        self.fault, self.openings, self.is_open = fault, 0, True

    def open(self) -> None:
        self.openings += 1
        if self.fault is LinkFault.REFUSED:
            raise LinkError(self.fault, "nobody there")

    def close(self) -> None:
        pass

    def write(self, data: bytes, timeout: float) -> None:
        pass

    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        raise LinkError(self.fault, "as the test says")

    def unasked(self) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (LinkFault.REFUSED, LinkFault.LOST),
        (LinkFault.LOST, LinkFault.LOST),
        (LinkFault.TIMEOUT, LinkFault.TIMEOUT),
    ],
)
def test_a_board_that_does_not_come_back_is_given_up_in_finite_time(then: LinkFault, told: LinkFault) -> None:
    script, clock = Script(), Still()
    script.hello()
    script.limits()
    with pairs(*script.pairs) as wire:
        board = made(wire, clock)
        board.open()
        board.begin(Limits(), lambda what, facts: None)
    dead = Unplugged(then)
    board._session.link._wire = dead
    with refuses(told, "--resume"):
        board.pulse(TWO, 7)
    assert dead.openings <= OPENINGS and clock.time <= OPENINGS * PAUSE


class Silent(Unplugged):
    """Take whatever is sent, say nothing, and count it."""

    def __init__(self) -> None:
        super().__init__(LinkFault.TIMEOUT)
        self.frames = 0

    def write(self, data: bytes, timeout: float) -> None:
        self.frames += 1


def test_where_nobody_was_ever_heard_a_person_does_not_wait_long() -> None:
    silent = Silent()
    board = made(silent)
    with refuses(LinkFault.TIMEOUT, "asked 3 times"):
        board.open()
    assert silent.frames == 1 + SPEC.retries
    with refuses(LinkFault.TIMEOUT, "asked 2 times"):
        board.safe()
    assert silent.frames == 1 + SPEC.retries + 2 + 1 + 2, "SAFE, the bytes of PANIC, STATUS"


# Resets.


def reset_in_flight(script: Script, settled: SettleReply) -> None:
    pulse_pair(script, status=Status.WRONG_BOOT, boot=NEXT, session=0)
    script.hello(NEXT)
    script.limits()
    asked = SettleRequest(BOOT, SESSION, 7 << 16)
    script.free(Command.SETTLE, asked.pack(), settled.pack())


@pytest.mark.parametrize(
    ("settled", "fate"),
    [
        (SettleReply(Outcome.FORGOTTEN), [2, 2]),
        (SettleReply(Outcome.NEVER, last=6 << 16, executed=2), [1, 1]),
        (SettleReply(Outcome.EXECUTED, last=7 << 16, executed=2), [0, 0]),
        (SettleReply(Outcome.EXECUTED, Status.STOPPED, 1, 7 << 16), [0, 1]),
        (SettleReply(Outcome.BROKEN, Status.STOPPED, 2, 7 << 16), [0, 2]),
        (SettleReply(Outcome.BROKEN, Status.STOPPED, 1, 7 << 16), [2, 1]),
        (SettleReply(Outcome.BROKEN, Status.STOPPED, 0, 7 << 16), [1, 1]),
    ],
)
def test_after_a_reset_the_board_is_asked_and_otherwise_nobody_knows(
    settled: SettleReply, fate: list[int]
) -> None:
    delivery, notes, _ = talk(
        lambda script: reset_in_flight(script, settled), lambda board: board.pulse(TWO, 7)
    )
    assert delivery.tolist() == fate
    assert (notes[1]["boot"], notes[1]["start"], notes[1]["is_torn"]) == (NEXT, (7 << 16) + 1, True)
    assert (notes[1]["applied"], notes[1]["unknown"]) == (fate.count(0), fate.count(2))


def test_the_batches_after_a_reset_go_on() -> None:
    train = PulseTrain.of(Cells.parse("r0c0-3; r1c0"), Pulse.parse("RESET 1.5V gate=3.3V 1us"))
    bodies = [PulseRequest.of(train.take(np.array(which))).pack() for which in ([0, 1, 2], [3, 4])]

    def build(script: Script) -> None:
        script.once(Command.PULSE, 7 << 16, bodies[0], b"", Status.WRONG_BOOT, boot=NEXT, session=0)
        script.hello(NEXT)
        script.limits()
        asked = SettleRequest(BOOT, SESSION, 7 << 16).pack()
        script.free(Command.SETTLE, asked, SettleReply(Outcome.FORGOTTEN).pack())
        script.once(Command.PULSE, 7 << 16 | 1, bodies[1], PulseReply(2).pack())

    delivery, _, _ = talk(build, lambda board: board.pulse(train, 7))
    assert delivery.tolist() == [2, 2, 2, 0, 0]


def test_a_reading_is_taken_anew_after_a_reset() -> None:
    cells, siemens = Cells.parse("r0c0; r1c1"), np.array([50e-6, 20e-6])
    body = ReadRequest.of(cells, ReadSpec()).pack()

    def build(script: Script) -> None:
        script.once(Command.READ, 7 << 16, body, b"", Status.WRONG_BOOT, boot=NEXT, session=0)
        script.hello(NEXT)
        script.limits()
        script.once(Command.READ, 7 << 16 | 1, body, pack_floats(siemens))

    read, notes, _ = talk(build, lambda board: board.read(cells, ReadSpec(), 7))
    assert np.allclose(read, siemens, rtol=1e-7) and [note["start"] for note in notes] == [0, 0]


def test_a_board_that_is_reset_while_a_cell_is_connected_ends_the_sweep() -> None:
    def build(script: Script) -> None:
        body = ConnectRequest(1, 2, 0).pack()
        script.once(Command.CONNECT, 7 << 16, body, b"", state=State.ARMED)
        gate = GateRequest(1_400_000).pack()
        script.once(Command.GATE, 7 << 16 | 1, gate, b"", Status.WRONG_BOOT, boot=NEXT, session=0)
        script.hello(NEXT)
        script.limits()

    def do(board: RramlabBoard) -> None:
        board.connect(Cells.parse("r1c2"), 0.0, 7)
        board.gate(1.4)

    with refuses(LinkFault.LOST, "reset while"):
        talk(build, do)


# Refusals.


def test_a_refusal_names_the_limit() -> None:
    def build(script: Script) -> None:
        body = Refusal(1, 1, 1_200_000, 1_000_000).pack()
        script.once(Command.PULSE, 7 << 16, PulseRequest.of(TWO).pack(), body, Status.REFUSED)

    with refuses(LinkFault.INSTRUMENT, "v_set of 1000000"):
        talk(build, lambda board: board.pulse(TWO, 7))


def test_a_batch_that_was_stopped_tells_how_far_it_got_and_no_more_is_sent() -> None:
    train = PulseTrain.of(Cells.parse("r0c0-3"), Pulse.parse("RESET 1.5V gate=3.3V 1us"))

    def build(script: Script) -> None:
        body = PulseRequest.of(train.take(np.arange(3))).pack()
        script.once(Command.PULSE, 7 << 16, body, PulseReply(2, Fault.PANIC).pack(), Status.STOPPED)

    delivery, _, _ = talk(build, lambda board: board.pulse(train, 7))
    assert delivery.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "status", [s for s in Status if s not in (Status.OK, Status.REFUSED, Status.STOPPED)]
)
def test_every_other_answer_is_an_error_that_says_what_to_do(status: Status) -> None:
    if status is Status.WRONG_BOOT:
        return  # a reset, above

    def build(script: Script) -> None:
        pulse_pair(script, status=status)

    with pytest.raises(LinkError, match="PULSE: the board"):
        talk(build, lambda board: board.pulse(TWO, 7))


# A board that cannot be right.


@pytest.mark.parametrize(
    "answer",
    [
        PulseReply(1).pack(),  # all is well, but one is missing
        PulseReply(3).pack(),  # more than were asked for
        PulseReply(2).pack() + b"\0",
        b"",
    ],
)
def test_an_impossible_answer_to_pulses_takes_the_lines_to_0_volts(answer: bytes) -> None:
    def build(script: Script) -> None:
        script.once(Command.PULSE, 7 << 16, PulseRequest.of(TWO).pack(), answer)
        script.free(Command.SAFE, b"", IDLE.pack())

    with refuses(LinkFault.GARBLED, "no sense"):
        talk(build, lambda board: board.pulse(TWO, 7))


def test_pulses_can_be_read_right_after_in_the_same_request() -> None:
    spec, siemens = ReadSpec(), np.array([50e-6, 20e-6])

    def build(script: Script) -> None:
        body = PulseRequest.of(TWO, spec).pack()
        script.once(Command.PULSE, 7 << 16, body, PulseReply(2, readings=siemens).pack())
        stopped = PulseReply(1, Fault.INTERLOCK, siemens[:1]).pack()
        script.once(Command.PULSE, 8 << 16, body, stopped, Status.STOPPED)
        script.once(Command.PULSE, 9 << 16, body, PulseReply(2).pack())
        script.free(Command.SAFE, b"", IDLE.pack())

    def do(board: RramlabBoard) -> None:
        delivery, read = board.pulse_and_verify(TWO, spec, 7)
        assert delivery.tolist() == [0, 0] and np.allclose(read, siemens, rtol=1e-7)
        delivery, read = board.pulse_and_verify(TWO, spec, 8)
        assert delivery.tolist() == [0, 1] and np.isnan(read).tolist() == [False, True]
        with refuses(LinkFault.GARBLED, "readings"):
            board.pulse_and_verify(TWO, spec, 9)

    talk(build, do)


@pytest.mark.parametrize("values", [[1e-6], [1e-6, np.nan], [1e-6, 2e3]])
def test_impossible_readings_take_the_lines_to_0_volts(values: list[float]) -> None:
    cells = Cells.parse("r0c0; r1c1")

    def build(script: Script) -> None:
        body = ReadRequest.of(cells, ReadSpec()).pack()
        script.once(Command.READ, 7 << 16, body, pack_floats(np.array(values)))
        script.free(Command.SAFE, b"", IDLE.pack())

    with refuses(LinkFault.GARBLED, "no sense"):
        talk(build, lambda board: board.read(cells, ReadSpec(), 7))


# Lines, time, safety.


def test_a_cell_is_connected_its_gate_raised_and_all_taken_down_again() -> None:
    def build(script: Script) -> None:
        script.once(Command.CONNECT, 7 << 16, ConnectRequest(1, 2, 0).pack(), b"")
        script.once(Command.GATE, 7 << 16 | 1, GateRequest(1_400_000).pack(), b"")
        script.free(Command.STATUS, b"", IDLE.pack(), state=State.ARMED)
        script.once(Command.GATE, 7 << 16 | 2, GateRequest(0).pack(), b"")
        script.once(Command.DISCONNECT, 7 << 16 | 3, b"", b"")

    def do(board: RramlabBoard) -> None:
        board.connect(Cells.parse("r1c2"), 0.0, 7)
        board.gate(1.4)
        board.feed()
        board.gate(0.0)
        board.disconnect(7)

    talk(build, do)


def test_a_watchdog_that_has_tripped_is_told_at_the_next_feeding() -> None:
    def build(script: Script) -> None:
        told = replace(IDLE, fault=Fault.WATCHDOG, text="host silent")
        script.free(Command.STATUS, b"", told.pack(), state=State.WATCHDOG_TRIPPED)

    with refuses(LinkFault.INSTRUMENT, "host silent"):
        talk(build, lambda board: board.feed())


def test_a_product_is_asked_for_in_as_many_frames_as_it_takes() -> None:
    volts = np.linspace(0, 0.2, 40 * 4).reshape(40, 4)

    def build(script: Script) -> None:
        for part, some in enumerate((volts[:24], volts[24:])):
            body = MultiplyRequest(1, some.astype(np.float32)).pack()
            script.once(Command.MULTIPLY, 7 << 16 | part, body, pack_floats(1e-6 * some))

    currents, _, _ = talk(build, lambda board: board.multiply(volts, 1, 7))
    assert np.allclose(currents, 1e-6 * volts, rtol=1e-6)


def test_time_passes_on_this_computer_unless_the_board_has_its_own() -> None:
    clock = Still()
    talk(lambda script: None, lambda board: board.wait(3.0), clock)
    assert clock.time == 3.0
    script = Script()
    script.hello(hello=replace(HELLO, features=Feature.VIRTUAL_TIME))
    script.once(Command.WAIT, 1, WaitRequest(3_000_000_000).pack(), b"", time=5_000_000_000)
    with pairs(*script.pairs) as wire:
        board = made(wire, clock)
        board.open()
        board.wait(3.0)
        assert (board.now(), clock.time) == (5.0, 3.0)


@pytest.mark.parametrize("state", [State.OUTPUTS_ON, State.ARMED, State.RUNNING])
def test_a_board_that_is_not_safe_when_it_should_be_is_told(state: State) -> None:
    def build(script: Script) -> None:
        script.free(Command.SAFE, b"", IDLE.pack(), state=state)

    with refuses(LinkFault.INSTRUMENT, "supply"):
        talk(build, lambda board: board.safe())


def test_safe_is_done_on_any_boot() -> None:
    def build(script: Script) -> None:
        script.free(Command.SAFE, b"", IDLE.pack(), boot=NEXT, session=0)
        script.free(Command.STATUS, b"", IDLE.pack(), boot=NEXT, session=0)

    def do(board: RramlabBoard) -> bool:
        board.safe()
        return board.is_safe()

    assert talk(build, do)[0]
