"""The driver of the published firmware, against a firmware in memory that has its hazards."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_published import ToldClock, ToyFirmware, ToyScope, board_spec, scope_spec

from drivers.bench_options import BenchOptions
from drivers.memory_wire import MemoryWire
from drivers.published_board import PublishedBoard
from drivers.published_circuit import PublishedCircuit, published_coefficients
from drivers.published_commands import commands
from drivers.published_match import match
from drivers.published_options import PublishedOptions
from drivers.published_pace import time_to_wait
from drivers.published_schedule import PublishedSettings
from rramlab.bench import Bench as BenchText
from rramlab.errors import BenchFileError, LimitExceeded, LinkError, LinkFault, Unsupported
from rramlab.loop import Coefficients, LoopRun, Region

LAYERS = (
    Region(tuple(range(2)), tuple(range(15))),
    Region(tuple(range(14)), tuple(range(15))),
    Region(tuple(range(14)), tuple(range(3))),
)


class Bench:
    """Hold a board, its firmware and the oscilloscope."""

    def __init__(self, **changes: object) -> None:
        self.clock = ToldClock()
        # As if switched on long ago: the counter of the firmware stands somewhere.
        self.firmware = ToyFirmware(self.clock, self.clock.now() - 100.0)
        self.scope = ToyScope(self.firmware)
        self.wire = MemoryWire(self.firmware, "toy")
        self.board = PublishedBoard(board_spec(**changes), self.wire, self.clock)
        self.board.watch(self.scope, scope_spec())

    def opened(self) -> "Bench":
        self.board.open()
        return self


def loop_run(settings: PublishedSettings | None = None, runs: int = 1, ticks: int = 200) -> LoopRun:
    settings = settings or PublishedSettings()
    start = np.tile([0.05, -0.05], (runs, 1)) / settings.v_bias
    coefficients = published_coefficients(settings, ticks=ticks)
    return LoopRun(LAYERS, (1e-5,) * 3, 5.0, settings.v_bias, start, coefficients, kept=1, stride=10)


# What is said.


def test_all_commands_have_full_length_and_the_bias_comes_before_the_table() -> None:
    settings = PublishedSettings("b", 0.05, 2.37, 0.2, (0.01, -0.5))
    assert [(c.text, sorted(c.replies)) for c in commands(settings)] == [
        ("D0", ["V_bias and DAC coef: 0.050000"]),
        ("O5100", ["Offset set1: 0.010000\nOffset set2: -0.500000"]),
        ("C237", ["Coef: 2.370000"]),
        ("N020", ["Noise Scale: 0.200000"]),
        ("Inb1", ["Type:b\tStart..."]),
    ]


def test_the_greeting_changes_nothing() -> None:
    bench = Bench().opened()
    assert bench.firmware.lines == ["C000", "D9"]
    assert (bench.firmware.coef, bench.firmware.v_bias) == (1.0, 0.1)


@pytest.mark.parametrize("left", [b"", b"C1", b"\r", b"C12\r", b"In01\r\n", b"xx\ry\r", b"C" * 150])
def test_what_an_earlier_talk_left_in_the_buffer_is_dropped(left: bytes) -> None:
    bench = Bench()
    bench.firmware(left)
    bench.board.open()
    assert bench.firmware.coef == 1.0
    assert bench.firmware.lines[-2:] == ["C000", "D9"]


def test_somebody_else_at_the_other_end_is_a_mismatch() -> None:
    bench = Bench()
    bench.firmware.replies[b"C"] = b"READY\r\n"
    with pytest.raises(LinkError, match="does not answer as the published firmware does") as raised:
        bench.board.open()
    assert raised.value.fault is LinkFault.MISMATCH


def test_silence_is_a_timeout_that_names_the_speed() -> None:
    bench = Bench()
    bench.firmware.deaf = True
    with pytest.raises(LinkError, match="at 9600 baud") as raised:
        bench.board.open()
    assert raised.value.fault is LinkFault.TIMEOUT


def test_a_reply_that_is_off_by_a_digit_is_garbled_and_the_line_is_opened_anew() -> None:
    bench = Bench().opened()
    bench.firmware.replies[b"N"] = b"Noise Scale: 0.000001\r\n"
    with pytest.raises(LinkError, match=r"'Noise Scale: 0.000000' was due") as raised:
        bench.board.solve(loop_run(), 1)
    assert raised.value.fault is LinkFault.GARBLED
    bench.firmware.replies.clear()
    bench.board.solve(loop_run(), 2)
    # Probed again, and everything is set again, for nobody knows what of it had arrived.
    assert bench.firmware.lines[-8:] == ["C000", "D9", "D1", "O5050", "C100", "N000", "In00", "Go"]


def test_bytes_that_nobody_asked_for_are_garbled() -> None:
    bench = Bench().opened()
    bench.wire.arrive(b"Coef: 1.0")
    with pytest.raises(LinkError, match="came before the command") as raised:
        bench.board.solve(loop_run(), 1)
    assert raised.value.fault is LinkFault.GARBLED


# When it is said.


def test_nothing_is_sent_during_a_run_and_5_s_pass_between_two() -> None:
    bench = Bench().opened()
    bench.board.solve(loop_run(runs=4), 1)
    bench.board.self_test()
    began = [moment for moment, _ in bench.firmware.runs]
    assert len(began) == 4
    assert 5.01 <= min(np.diff(began)) <= max(np.diff(began)) < 5.2
    assert bench.firmware.heard_in_a_run == 0


def test_safe_waits_for_the_end_of_a_run_and_sends_nothing() -> None:
    bench = Bench().opened()
    bench.scope.blind = True
    bench.board.safe()
    bench.firmware.lines.clear()
    bench.scope.safe()
    before = bench.clock.now()
    bench.board._talk.go()
    assert not bench.board.is_safe()
    bench.board.safe()
    assert bench.board.is_safe()
    assert 1.21 < bench.clock.now() - before < 1.4
    assert bench.firmware.lines == ["Go"]


def test_a_process_that_died_in_a_run_is_not_disturbed_after() -> None:
    bench = Bench()
    bench.firmware.go()
    bench.board.open()
    assert bench.firmware.heard_in_a_run == 0


@given(st.floats(0.0, 5000.0))
def test_a_go_never_falls_into_a_dead_time(elapsed: float) -> None:
    waited = time_to_wait(elapsed)
    # The board's clock may be 100 ppm off, and it may have begun 20 ms later.
    for late, rate in [(0.0, 1.0001), (0.02, 0.9999), (0.0, 0.9999), (0.02, 1.0001)]:
        assert ((elapsed + waited) * rate - late) % 600.0 >= 5.005
    assert waited < 7.0


def test_the_wrap_after_ten_minutes_is_waited_out() -> None:
    bench = Bench().opened()
    bench.board.solve(loop_run(), 1)
    bench.clock.sleep(600.0 - (bench.clock.now() - bench.firmware.runs[0][0]) + 0.5)
    bench.board.solve(loop_run(), 2)
    assert len(bench.firmware.runs) == 2
    assert [line for line in bench.firmware.lines if line == "Go"] == ["Go"] * 2


def test_a_counter_that_nobody_knows_costs_one_more_go() -> None:
    bench = Bench()
    bench.firmware.zero = bench.clock.now()
    bench.board.open()
    result = bench.board.solve(loop_run(), 1)
    assert len(bench.firmware.runs) == 1
    assert np.isfinite(result.end).all()


def test_a_go_without_a_reply_may_have_begun_a_run_and_the_next_one_is_played_all_the_same() -> None:
    bench = Bench().opened()
    bench.board.solve(loop_run(), 1)
    bench.firmware.replies[b"G"] = b""
    with pytest.raises(LinkError, match="answered 'Go' with nothing"):
        bench.board.solve(loop_run(), 2)
    bench.firmware.replies.clear()
    result = bench.board.solve(loop_run(), 3)
    assert np.isfinite(result.end).all()
    assert len(bench.firmware.runs) == 3
    assert bench.firmware.heard_in_a_run == 0


def test_a_run_that_the_oscilloscope_did_not_see_is_told() -> None:
    bench = Bench().opened()
    bench.scope.blind = True
    with pytest.raises(LinkError, match=re.escape("run 1 of 1, and the oscilloscope saw none")) as raised:
        bench.board.solve(loop_run(), 1)
    assert raised.value.fault is LinkFault.INSTRUMENT
    # The trigger was missed, and the loop ran twice: never more often than that.
    assert len(bench.firmware.runs) == 2


# What can be played.


def test_a_run_comes_back_as_the_oscilloscope_saw_it() -> None:
    result = Bench().opened().board.solve(loop_run(runs=2), 1)
    expected = np.array([0.05 + 0.02 * 1.0, -0.05 - 0.02 * 1.0]) / 0.1
    # A code of the toy is 1e-5 V, 1e-4 network units.
    assert np.allclose(result.end, expected, atol=1e-4)
    assert result.time.tolist() == [0.005 * tick for tick in (*range(0, 200, 10), 200)]
    assert result.state.shape == (1, 21, 2)
    assert result.trace.shape == (21, 2, 2)
    assert [h.shape for h in result.hidden] == [(1, 21, 14)] * 2
    assert result.output.shape == (1, 21, 2)
    unseen = [*result.hidden, result.output, result.energy]
    assert all(np.isnan(values).all() for values in unseen)


def test_the_settings_arrive_before_the_run() -> None:
    bench = Bench().opened()
    bench.board.solve(loop_run(PublishedSettings("3", 0.1, 1.5, 0.25)), 1)
    assert bench.firmware.runs[-1][1] == {"table": "3", "v_bias": 0.1, "coef": 1.5, "noise": True}


CHANNELS = ((1, 0.05), (2, 0.05), (3, 0.2), (4, 0.2))


def test_the_outputs_are_read_where_they_are_connected() -> None:
    bench = Bench().opened()
    bench.board.watch(bench.scope, scope_spec(channels={"x1": 1, "x2": 2, "out1": 3, "out2": 4}))
    result = bench.board.solve(loop_run(), 1)
    assert np.array_equal(result.output, result.state[:, :, [1, 1]])
    # 1.25 times 1.5 units of 0.1 V for a state, and four times that for an output, over 4 divisions.
    assert bench.scope.told[:4] == [("channel", n, scale, 0.0) for n, scale in CHANNELS]
    assert ("trigger", "EXT", 1.65, "rise") in bench.scope.told


@given(st.sampled_from("01234abcdefgABCDEFGHI"), st.integers(1, 399), st.integers(0, 33), st.integers(1, 241))
def test_every_setting_is_recognised_from_its_coefficients(
    table: str, coef: int, noise: int, ticks: int
) -> None:
    settings = PublishedSettings(table, 0.05, coef / 100, noise / 100)
    circuit = PublishedCircuit(-2.0, 3.0, 0.25, 7.0)
    assert match(published_coefficients(settings, circuit, ticks), 0.05, circuit) == settings


def test_coefficients_of_another_network_are_unsupported_with_the_nearest() -> None:
    run = loop_run(PublishedSettings("1"))
    other = replace(run.coefficients, embedding=run.coefficients.embedding + 0.3)
    with pytest.raises(
        Unsupported, match=r"nearest to this run is table '1', .* the embedding differs by \d+"
    ):
        Bench().opened().board.solve(replace(run, coefficients=other), 1)


def test_another_bias_than_the_firmware_knows_is_unsupported() -> None:
    with pytest.raises(Unsupported, match=re.escape("0.05, 0.1, 0.2 V: take 0.05 V")):
        Bench().opened().board.solve(replace(loop_run(), volts=0.07), 1)


def test_what_would_overflow_is_refused_before_anything_is_sent() -> None:
    bench = Bench().opened()
    bench.firmware.lines.clear()
    run = loop_run(PublishedSettings("2", 0.05))
    # At twice the bias the same embedding, in network units, needs twice the range.
    with pytest.raises(LimitExceeded, match=r"t6 in 54 ticks.*take v_bias = 0.05 V"):
        bench.board.solve(replace(run, volts=0.1, start=0.5 * run.start), 1)
    assert bench.firmware.lines == []


def test_a_start_that_cannot_be_set_is_unsupported() -> None:
    run = loop_run()
    with pytest.raises(Unsupported, match=re.escape("charged to (0.500, -0.500)")):
        Bench().opened().board.solve(replace(run, start=run.start + 0.1), 1)
    with pytest.raises(Unsupported, match=re.escape("start = [x1, x2] (V)")):
        Bench(start=None).opened().board.solve(run, 1)


def test_a_start_that_is_seen_elsewhere_is_a_mismatch() -> None:
    bench = Bench().opened()
    bench.scope.begin = 0.06
    with pytest.raises(LinkError, match=re.escape("began at (0.600, -0.600)")) as raised:
        bench.board.solve(loop_run(), 1)
    assert raised.value.fault is LinkFault.MISMATCH


def test_without_an_oscilloscope_nothing_can_be_solved() -> None:
    bench = Bench()
    board = PublishedBoard(board_spec(), bench.wire, bench.clock)
    assert board.capabilities == frozenset()
    assert bench.board.capabilities == {"solve"}
    with pytest.raises(Unsupported, match="seen only on an oscilloscope"):
        board.solve(loop_run(), 1)


def test_too_few_points_are_told_with_how_many_it_takes() -> None:
    bench = Bench().opened()
    bench.board.watch(bench.scope, scope_spec(points=500))
    with pytest.raises(Unsupported, match=r"write at least points = 1[34]"):
        bench.board.solve(loop_run(), 1)


def test_an_unknown_extra_is_told_with_the_possible_ones() -> None:
    with pytest.raises(BenchFileError, match=r"gain: .*f_gain, g_gain, embedding_volts"):
        PublishedBoard(board_spec(extras={"gain": 1.0}))


def test_the_page_of_the_manual_holds() -> None:
    page = (Path(__file__).parent.parent / "docs" / "published-board.md").read_text(encoding="utf-8")
    bench_file, example = (
        re.findall(f"```{kind}\n(.*?)```", page, re.DOTALL)[0] for kind in ("toml", "python")
    )
    options = BenchOptions.model_validate(BenchText.parse(bench_file).backend.options)
    assert options.board is not None and options.oscilloscope is not None
    # The extras that the page shows are the defaults that it says they are.
    assert PublishedOptions.of(options.board) == PublishedOptions()
    names: dict[str, object] = {}
    exec(example, names)
    assert isinstance(names["coefficients"], Coefficients)
