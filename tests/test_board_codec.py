"""The bytes of the board protocol: whatever arrives, what comes out is what was sent, or nothing."""

import itertools
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rramlab.board_protocol.frame import REQUEST_BYTES, RESPONSE_BYTES, Request, Response, frame, unframe
from rramlab.board_protocol.hello import HelloReply, HelloRequest, StatusReply
from rramlab.board_protocol.limits import NAMES, BoardLimits, Refusal
from rramlab.board_protocol.lines import (
    ConnectRequest,
    GateRequest,
    MultiplyRequest,
    WaitRequest,
    pack_findings,
    unpack_findings,
)
from rramlab.board_protocol.loop import (
    FetchReply,
    FetchRequest,
    LoadRequest,
    RunRequest,
    loads,
    pack_problem,
    unpack_problem,
)
from rramlab.board_protocol.pulses import HEAD_BYTES, PULSE_BYTES, PulseReply, PulseRequest
from rramlab.board_protocol.readings import ReadRequest, pack_floats, unpack_floats
from rramlab.board_protocol.settling import SettleReply, SettleRequest
from rramlab.board_protocol.splitter import PANIC, PanicWatch, Splitter
from rramlab.board_protocol.units import microvolts, nanoseconds, volts
from rramlab.board_protocol.words import Command, Fault, Feature, Outcome, State, Status, Target
from rramlab.cells import Cells
from rramlab.errors import LinkError, LinkFault
from rramlab.finding import Finding
from rramlab.limits import Limits
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.pulse import PulseTrain
from rramlab.reading import ReadSpec

u8, u16, u32, u64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
i32 = st.integers(-(2**31), 2**31 - 1)
bodies = st.binary(max_size=600)
requests = st.builds(Request, st.sampled_from(Command), u32, u32, u64, bodies, u8)
responses = st.builds(
    Response,
    st.sampled_from(Command),
    st.sampled_from(Status),
    st.integers(0, 63).map(State),
    u32,
    u32,
    u64,
    u64,
    u32,
    u64,
    bodies,
)
cells = st.integers(1, 40).map(lambda n: Cells(np.arange(n) * 7 % 512, np.arange(n) * 3 % 512))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


# Frames.


@given(requests)
def test_a_request_comes_back_from_its_frame(request: Request) -> None:
    data = request.encode()
    assert data.count(b"\0") == 1 and data.endswith(b"\0")
    content = unframe(data[:-1])
    assert content is not None and len(content) == REQUEST_BYTES + len(request.body)
    assert Request.decode(content) == request


@given(responses)
def test_a_response_comes_back_from_its_frame(response: Response) -> None:
    content = unframe(response.encode()[:-1])
    assert content is not None and len(content) == RESPONSE_BYTES + len(response.body)
    assert Response.decode(content) == response


def test_the_check_sum_is_the_one_of_the_specification() -> None:
    assert zlib.crc32(b"123456789") == 0xCBF43926


@given(st.binary(max_size=80))
def test_what_is_no_message_is_refused_and_breaks_nothing(content: bytes) -> None:
    for kind in (Request, Response):
        try:
            kind.decode(content)
        except LinkError as error:
            assert error.fault is LinkFault.GARBLED


# Streams.


@given(st.lists(requests, max_size=6), st.lists(st.integers(0, 5000), max_size=12))
def test_a_stream_cut_anywhere_gives_its_frames(sent: list[Request], cuts: list[int]) -> None:
    splitter = Splitter()
    stream = b"".join(request.encode() for request in sent)
    found = [Request.decode(c) for piece in pieces(stream, cuts) for c in splitter.feed(piece)]
    assert found == sent and splitter.broken == 0


# A broken frame passes with odds of 2^-32. Each of the two tests below breaks at most some 500 frames a run:
# false alarm in 1 of 8 million runs.
@settings(max_examples=100)
@given(st.lists(requests, min_size=1, max_size=4), st.data())
def test_flipped_bits_never_make_a_wrong_frame(sent: list[Request], data: st.DataObject) -> None:
    stream = bytearray(b"".join(b"\0" + request.encode() for request in sent))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(stream) - 1))
        stream[at] ^= 1 << data.draw(st.integers(0, 7))
    found = [Request.decode(content) for content in Splitter().feed(bytes(stream))]
    remaining = iter(sent)
    assert all(any(frame == request for request in remaining) for frame in found)  # a part, in order


@settings(max_examples=100)
@given(st.binary(max_size=300), requests, st.lists(st.integers(0, 2000), max_size=6))
def test_after_garbage_and_a_zero_the_next_frame_is_found(
    garbage: bytes, request: Request, cuts: list[int]
) -> None:
    splitter = Splitter()
    stream = garbage + b"\0" + request.encode()
    found = [c for piece in pieces(stream, cuts) for c in splitter.feed(piece)]
    assert [Request.decode(content) for content in found] == [request]


def test_a_frame_whose_end_is_lost_costs_itself_and_the_next() -> None:
    first, second, third = (Request(Command.STATUS, request=n).encode() for n in (1, 2, 3))
    splitter = Splitter()
    found = splitter.feed(first[:-1] + second + third)
    assert [Request.decode(content).request for content in found] == [3]
    assert splitter.broken == 1


def test_a_zero_before_each_frame_saves_the_next() -> None:
    first, second = (Request(Command.STATUS, request=n).encode() for n in (1, 2))
    found = Splitter().feed(first[:-1] + b"\0" + second)
    assert [Request.decode(content).request for content in found] == [1, 2]


def test_endless_noise_takes_no_memory_and_ends_at_a_zero() -> None:
    splitter = Splitter(most=1000)
    for _ in range(50):
        assert splitter.feed(b"\x11" * 999) == []
    assert splitter.feed(b"\0" + Request(Command.STATUS).encode()) != []
    assert splitter.broken == 1


@given(requests, st.lists(st.integers(0, 2000), max_size=6))
def test_no_frame_makes_a_panic(request: Request, cuts: list[int]) -> None:
    watch = PanicWatch()
    stream = b"".join(b"\0" + request.encode() for _ in range(3))
    assert not any(watch.feed(piece) for piece in pieces(stream, cuts))


@given(st.binary(max_size=40), st.lists(st.integers(0, 60), max_size=8))
def test_panic_is_seen_in_any_stream_however_it_is_cut(before: bytes, cuts: list[int]) -> None:
    watch = PanicWatch()
    assert any(watch.feed(piece) for piece in pieces(before + PANIC, cuts))
    assert unframe(b"\x18") is None  # the bytes of PANIC are no frame


# Bodies.


@given(cells, st.data())
def test_a_batch_of_pulses_comes_back(these: Cells, data: st.DataObject) -> None:
    n = len(these)
    columns = []
    for most in (2, 2**32 - 1, 2**32 - 1, 2**32 - 1):
        value = st.integers(1, most)
        same = data.draw(st.booleans())
        drawn = [data.draw(value)] * n if same else data.draw(st.lists(value, min_size=n, max_size=n))
        columns.append(np.array(drawn, dtype=np.int64))
    verify = data.draw(st.sampled_from([None, ReadSpec(0.2, 3.3, 4), ReadSpec(-0.1, 2.5, 1)]))
    batch = PulseRequest(these, *columns, verify)
    body = batch.pack()
    assert len(body) <= HEAD_BYTES + PULSE_BYTES * n
    back = PulseRequest.unpack(body)
    assert back.verify == verify
    assert (back.cells.row == these.row).all() and (back.cells.col == these.col).all()
    for name, column in zip(("polarity", "drive", "gate", "width"), columns, strict=True):
        assert (getattr(back, name) == column).all()


def test_a_train_crosses_the_wire_to_the_nearest_microvolt_and_nanosecond() -> None:
    rng = np.random.default_rng(1)
    these = Cells.of_shape((8, 8))
    train = PulseTrain(
        these, rng.integers(0, 3, 64), rng.uniform(0.1, 3.3, 64), rng.uniform(0.1, 3.3, 64), np.full(64, 1e-7)
    )
    back = PulseRequest.unpack(PulseRequest.of(train).pack()).train()
    assert np.abs(back.drive - train.drive).max() <= 0.5e-6 + 1e-12
    assert np.abs(back.gate - train.gate).max() <= 0.5e-6 + 1e-12
    assert (back.width == 1e-7).all() and (back.polarity == train.polarity).all()


def test_columns_of_one_value_are_sent_as_one() -> None:
    these = Cells.of_shape((32, 32))
    train = PulseTrain(these, 0, 1.2, np.linspace(1.0, 2.0, 1024), 1e-6)
    assert len(PulseRequest.of(train).pack()) == 4 + 1024 * (2 + 2 + 4) + 1 + 4 + 4


@given(st.sampled_from(Fault), st.integers(0, 50), st.booleans())
def test_the_answer_to_a_batch_comes_back(stopped: Fault, executed: int, read: bool) -> None:
    readings = np.linspace(1e-6, 1e-4, executed) if read else None
    back = PulseReply.unpack(PulseReply(executed, stopped, readings).pack())
    assert (back.executed, back.stopped) == (executed, stopped)
    if readings is None:
        assert back.readings is None
    else:
        assert back.readings is not None and np.allclose(back.readings, readings, rtol=1e-7, atol=0)


@given(i32, u32, u16, cells)
def test_a_reading_comes_back(v_read: int, gate: int, samples: int, these: Cells) -> None:
    back = ReadRequest.unpack(ReadRequest(v_read, gate, samples, these).pack())
    assert (back.v_read, back.gate, back.samples) == (v_read, gate, samples)
    assert (back.cells.row == these.row).all() and (back.cells.col == these.col).all()


def test_readings_are_counted_exactly() -> None:
    body = pack_floats(np.array([1e-6, 2e-6]))
    assert unpack_floats(body, 2, "READ").shape == (2,)
    for count in (1, 3):
        with pytest.raises(LinkError, match="READ"):
            unpack_floats(body, count, "READ")


texts = st.text(max_size=20)
SMALL = {
    HelloRequest: st.builds(HelloRequest, u32, texts),
    HelloReply: st.builds(
        HelloReply, st.integers(0, 63).map(Feature), *[u16] * 5, *[u32] * 5, texts, texts, texts
    ),
    StatusReply: st.builds(
        StatusReply, u32, u32, u16, u16, i32, i32, i32, st.sampled_from(Fault), u32, texts
    ),
    BoardLimits: st.builds(BoardLimits, *[u32] * 10),
    Refusal: st.builds(Refusal, u32, u8, st.integers(-(2**63), 2**63 - 1), u64),
    SettleRequest: st.builds(SettleRequest, u32, u32, u64),
    SettleReply: st.builds(
        SettleReply, st.sampled_from(Outcome), st.sampled_from(Status), u32, u64, st.binary(max_size=30)
    ),
    ConnectRequest: st.builds(ConnectRequest, u16, u16, u32),
    GateRequest: st.builds(GateRequest, u32),
    WaitRequest: st.builds(WaitRequest, u64),
    RunRequest: st.builds(RunRequest, u32, u16),
    FetchRequest: st.builds(FetchRequest, u8, u32, u32),
}


@pytest.mark.parametrize("kind", SMALL, ids=lambda kind: kind.__name__)
@settings(max_examples=30)
@given(st.data())
def test_a_body_of_fixed_layout_comes_back(kind: type, data: st.DataObject) -> None:
    message = data.draw(SMALL[kind])
    assert kind.unpack(message.pack()) == message


@pytest.mark.parametrize(
    "kind", [*SMALL, PulseRequest, PulseReply, ReadRequest, MultiplyRequest, LoadRequest]
)
@settings(max_examples=30)
@given(st.binary(max_size=60))
def test_a_body_of_any_bytes_is_understood_or_refused(kind: type, body: bytes) -> None:
    try:
        kind.unpack(body)
    except (LinkError, ValueError) as error:
        assert not isinstance(error, LinkError) or error.fault is LinkFault.GARBLED


@pytest.mark.parametrize("kind", [kind for kind in SMALL if kind not in (SettleReply,)])
def test_a_body_too_short_or_too_long_is_refused(kind: type) -> None:
    with pytest.raises(LinkError):
        kind.unpack(bytes(300))
    with pytest.raises(LinkError):
        kind.unpack(b"")


def test_a_multiplication_comes_back() -> None:
    given_volts = np.arange(12, dtype=np.float32).reshape(3, 4) / 100
    back = MultiplyRequest.unpack(MultiplyRequest(1, given_volts).pack())
    assert back.macro == 1 and (back.volts == given_volts).all()


def test_findings_come_back() -> None:
    findings = [Finding("supply", "3.3 V", True), Finding("line 3", "shorted to ground", False)]
    assert unpack_findings(pack_findings(findings)) == findings
    assert unpack_findings(b"") == []


def a_loop(ticks: int = 7) -> LoopRun:
    rng = np.random.default_rng(2)
    layers = Region((0, 1), (0, 1, 2), 1), Region((4, 5, 6, 7), (3, 4, 5), 2)
    columns = [rng.normal(size=ticks) for _ in range(3)]
    coefficients = Coefficients(5e-3, columns[0], columns[1], rng.normal(size=(ticks, 2)), columns[2])
    return LoopRun(layers, (20e-6, 10e-6), 5.0, 0.1, rng.normal(size=(3, 2)), coefficients, 2, 3)


def test_a_loop_problem_comes_back_in_parts() -> None:
    run = a_loop()
    parts = loads(Target.PROBLEM, pack_problem(run), 100)
    assert max(len(part.pack()) for part in parts) <= 100
    blob = b"".join(LoadRequest.unpack(part.pack()).data for part in parts)
    back = unpack_problem(blob, run.start)
    assert (back.layers, back.scale, back.gain, back.volts) == (run.layers, run.scale, run.gain, run.volts)
    assert (back.kept, back.stride, back.coefficients.tick) == (2, 3, 5e-3)
    for name in ("drift", "drive", "embedding", "noise"):
        there, here = getattr(back.coefficients, name), getattr(run.coefficients, name)
        assert there.shape == here.shape and np.allclose(there, here, rtol=1e-7, atol=1e-12)


def test_a_part_of_a_waveform_comes_back_and_must_fit_its_array() -> None:
    part = FetchReply(2, (3, 4, 2), 10, np.arange(5.0))
    back = FetchReply.unpack(part.pack())
    assert (back.array, back.shape, back.offset) == (2, (3, 4, 2), 10) and (back.values == part.values).all()
    with pytest.raises(LinkError, match="array"):
        FetchReply.unpack(FetchReply(2, (3, 4), 10, np.arange(5.0)).pack())


# Limits.


def test_whole_numbers_are_the_nearest_and_large_ones_are_refused() -> None:
    assert (microvolts(1.2), microvolts(-0.2), nanoseconds(1e-7)) == (1_200_000, -200_000, 100)
    assert volts(1_200_000) == 1.2
    for value in (float("nan"), float("inf"), 5000.0):
        with pytest.raises(ValueError, match="does not fit"):
            microvolts(value)


@given(st.floats(0.0, 4.0), st.floats(0.0, 4.0))
def test_rounding_takes_no_value_over_its_limit(value: float, limit: float) -> None:
    low, high = sorted((value, limit))
    assert microvolts(low) <= microvolts(high)


def test_the_limits_of_the_board_are_those_of_the_bench_file() -> None:
    limits = Limits()
    board = BoardLimits.of(limits)
    assert all(
        getattr(board, name) in (round(1e6 * v), round(1e9 * v))
        for name in NAMES
        if (v := getattr(limits, name))
    )
    assert board.lowered(BoardLimits.of(limits.model_copy(update={"v_set": 1.5}))).v_set == 1_500_000


@pytest.mark.parametrize(
    ("polarity", "drive", "gate", "width", "name"),
    [
        (0, 2_000_000, 1_400_000, 1000, None),
        (0, 2_000_001, 1_400_000, 1000, "v_set"),
        (0, 1_600_001, 2_000_001, 1000, "v_set_open_gate"),
        (0, 1_600_000, 2_000_001, 1000, None),
        (1, 2_000_000, 3_300_000, 10_000, None),
        (1, 2_000_001, 3_300_000, 1000, "v_reset"),
        (1, 1_000_000, 3_300_001, 1000, "gate"),
        (1, 1_000_000, 3_300_000, 10_001, "width"),
        (2, 3_300_000, 1_600_000, 1_000_000, None),
        (2, 3_300_001, 1_600_000, 1000, "v_form"),
        (2, 3_300_000, 1_600_001, 1000, "gate_form"),
        (2, 3_300_000, 1_600_000, 1_000_001, "width_form"),
    ],
)
def test_a_batch_is_refused_by_its_first_value_beyond(
    polarity: int, drive: int, gate: int, width: int, name: str | None
) -> None:
    two = Cells.parse("r0c0-1")
    values = [np.array(pair) for pair in ((0, polarity), (1000, drive), (1000, gate), (100, width))]
    breach = BoardLimits.of(Limits()).breach_of_pulses(PulseRequest(two, *values))
    assert (breach and breach.name) == name
    assert breach is None or breach.index == 1


def test_readings_gates_and_inputs_have_limits() -> None:
    board, one = BoardLimits.of(Limits()), Cells.parse("r0c0")
    assert board.breach_of_reading(ReadRequest(-200_000, 3_300_000, 1, one)) is None
    negative = board.breach_of_reading(ReadRequest(-200_001, 3_300_000, 1, one))
    assert negative is not None and negative.name == "v_read"
    gate = board.breach_of_gate(3_300_001)
    assert gate is not None and gate.name == "gate"
    assert board.breach_of_volts(np.full(3, 0.2, dtype=np.float32)) is None  # 0.2 as f32 is above 0.2
    for value in (0.200001, -0.21, np.nan, np.inf):
        assert board.breach_of_volts(np.array([0.1, value], dtype=np.float32)) is not None


def test_the_frame_of_a_full_batch_is_small_enough_for_its_header() -> None:
    assert len(frame(bytes(REQUEST_BYTES + HEAD_BYTES + 1024 * PULSE_BYTES))) < 20 * 1024
