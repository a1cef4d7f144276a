"""The published firmware, byte by byte, with each of its hazards."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest

from rramlab.loop import LoopRun
from sim_backend.virtual.clock import VirtualClock, WorldClock
from sim_backend.virtual.published import BUFFER, PublishedFirmware, Wiring
from sim_backend.virtual.published_play import (
    IDLE,
    TICKS,
    Gains,
    Played,
    Settings,
    codes,
    shares,
    tables,
    write,
)


@final
@dataclass
class Bench:
    """Stand for a world: keep the runs that are asked for."""

    clock: WorldClock = field(default_factory=VirtualClock)
    runs: list[tuple[LoopRun, float]] = field(default_factory=list)
    loop: list[bool] = field(default_factory=list)
    macro_shape: tuple[int, int] = (32, 32)

    def set_loop(self, running: bool) -> None:
        self.loop.append(running)

    def solve(self, run: LoopRun, began: float) -> None:
        self.runs.append((run, began))
        self.clock.reach(began + run.coefficients.duration)


@final
class Host:
    """Speak to the firmware over its one serial line."""

    def __init__(self, **extras: Any) -> None:
        self.world = Bench()
        world: Any = self.world
        self.firmware = PublishedFirmware(world, **extras)
        self.talk = self.firmware.attach()

    def ask(self, text: str | bytes, end: bytes = b"\r\n") -> bytes:
        data = text.encode("latin-1") if isinstance(text, str) else text
        return b"".join(self.talk.feed(data + end))

    def wait(self, seconds: float) -> None:
        self.world.clock.sleep(seconds)


@pytest.fixture
def host() -> Iterator[Host]:
    yield Host()


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("In01", b"Type:0\tStart...\r\n"),
        ("InA0", b"Type:A\tStart...\r\n"),
        ("Go", b"\r\n"),
        ("O5050", b"Offset set1: 0.000000\nOffset set2: 0.000000\r\n"),
        ("O0099", b"Offset set1: -0.500000\nOffset set2: 0.490000\r\n"),
        ("C100", b"Coef: 1.000000\r\n"),
        ("C399", b"Coef: 3.990000\r\n"),
        ("D0", b"V_bias and DAC coef: 0.050000\r\n"),
        ("D2", b"V_bias and DAC coef: 0.200000\r\n"),
        ("N033", b"Noise Scale: 0.330000\r\n"),
        # Out of range: the old value is kept and echoed.
        ("C000", b"Coef: 1.000000\r\n"),
        ("D9", b"V_bias and DAC coef: 0.100000\r\n"),
        # An unknown table gets the same reply.
        ("InZ0", b"Type:Z\tStart...\r\n"),
        # Digits are not checked: 'A' is 17.
        ("CA00", b"Coef: 1.000000\r\n"),
        ("C0A0", b"Coef: 1.700000\r\n"),
        ("?", b""),
        ("go", b""),
        ("x" * 30, b""),
    ],
)
def test_commands_and_replies(host: Host, command: str, reply: bytes) -> None:
    assert host.ask(command) == reply


def test_the_bias_takes_effect_at_the_next_in(host: Host) -> None:
    host.ask("D0")
    assert (host.firmware.settings.scale, host.firmware.settings.played_bias) == (0.5, 0.1)
    host.ask("In00")
    assert (host.firmware.settings.scale, host.firmware.settings.played_bias) == (0.25, 0.05)
    host.ask("In40")
    assert host.firmware.settings.scale == 0.05


# The line.


def test_a_short_command_is_completed_by_what_stands_in_the_buffer(host: Host) -> None:
    host.ask("C123")
    assert host.ask("C4") == b"Coef: 4.230000\r\n"


def test_an_empty_line_executes_the_last_command_again(host: Host) -> None:
    host.wait(5.01)
    assert host.ask("Go") == b"\r\n"
    host.wait(5.01)
    assert host.ask("") == b"\r\n"
    assert host.firmware.runs == 2


def test_cr_without_lf_drops_the_line_silently(host: Host) -> None:
    assert host.ask(b"C250\rX", b"") == b""
    # The byte after the CR is lost with it.
    assert host.ask("C100") == b"Coef: 1.000000\r\n"


def test_what_comes_while_a_line_waits_for_the_main_loop_is_lost(host: Host) -> None:
    # Back to back: the main loop finds the first line up to 10 ms later, 9 bytes of the second are gone.
    assert host.ask(b"C250\r\nC100\r\nC300") in (b"Coef: 2.500000\r\n",)
    assert host.ask("") == b"Coef: 2.500000\r\n"


def test_a_line_that_is_too_long_wraps(host: Host) -> None:
    assert host.ask("x" * BUFFER + "C300") == b"Coef: 3.000000\r\n"


def test_bytes_in_pieces_and_replies_in_their_time(host: Host) -> None:
    assert host.ask(b"C2", b"") == b""
    before = host.world.clock.now()
    assert host.ask("50") == b"Coef: 2.500000\r\n"
    assert host.world.clock.now() - before <= 0.01


def test_nobody_else_answers(host: Host) -> None:
    for question in ("*IDN?", "HELLO", "\0\0\0"):
        assert host.ask(question) == b""


# Runs.


def test_go_within_five_seconds_is_answered_and_does_nothing(host: Host) -> None:
    assert host.ask("Go") == b"\r\n"
    assert host.firmware.runs == 0
    host.wait(5.02)
    assert host.ask("Go") == b"\r\n"
    assert host.firmware.runs == 1
    host.wait(3.0)
    assert host.ask("Go") == b"\r\n"
    assert host.firmware.runs == 1


def test_every_ten_minutes_go_is_dead_again(host: Host) -> None:
    host.wait(601.0)
    host.ask("Go")
    assert host.firmware.runs == 0
    host.wait(4.1)
    host.ask("Go")
    assert host.firmware.runs == 1


def test_a_run_is_what_the_tables_play(host: Host) -> None:
    host.wait(5.02)
    host.ask("In00")
    host.ask("Go")
    ((run, began),) = host.world.runs
    c = run.coefficients
    assert (c.drift.size, c.tick, run.volts) == (TICKS, 5e-3, 0.1)
    assert began <= host.world.clock.now()
    assert host.world.loop == [True, False]
    # At t = 0: beta = 0.5, one code of 1/2048 of the range.
    assert c.drift[0] == pytest.approx(0.5, abs=4 / 2048)
    assert c.drive[0] == pytest.approx(0.5, abs=2 / 2048)
    first = np.sin(2 * np.pi * 0.262)
    assert c.embedding[0, 0] == pytest.approx(first, abs=0.2 / 0.1 / 2048)
    # At the end beta is negative.
    assert c.drift[-1] < 0 > c.drive[-1]
    assert c.noise.max() == 0
    assert run.start[0] == pytest.approx(np.array(host.firmware.wiring.start) / 0.1)


def test_noise_is_switched_by_in_and_scaled_by_n(host: Host) -> None:
    for command in ("N033", "In01"):
        host.ask(command)
    host.wait(5.02)
    host.ask("Go")
    noise = host.world.runs[0][0].coefficients.noise
    # 10 V/s of full range, 5 ms, 0.1 V per unit; sigma 0.33 beta at the next tick.
    assert noise[0] == pytest.approx(10 * np.sqrt(5e-3) / 0.1 * 0.33 * (0.499 * 0.995 + 0.001))
    assert host.firmware.hazards == []
    host.ask("N100")
    host.wait(5.02)
    host.ask("Go")
    assert any("noise" in hazard for hazard in host.firmware.hazards)


def test_in_during_a_run_is_a_hazard() -> None:
    host = Host()
    host.wait(5.02)
    host.firmware._until = host.world.clock.now() + 1.2  # a run is going on
    for _ in range(20):  # some bytes are lost, not all lines arrive
        host.ask("In00")
    assert any("corrupted" in hazard for hazard in host.firmware.hazards)


def test_bytes_are_lost_during_a_run() -> None:
    host = Host(seed=1)
    host.firmware._until = 1e9
    replies = [host.ask("C100") for _ in range(50)]
    # A line arrives whole with 0.85^6 = 0.38: 50 of 50 by chance has odds below 1e-20, none below 1e-10.
    assert b"Coef: 1.000000\r\n" in replies and b"" in replies


# What overflows.


def misses(table: str, bias: float) -> int:
    played = Played.of(Settings(table=table, scale=tables()[table]["own_scale"] or 5 * bias))
    return played.astray + played.low


@pytest.mark.parametrize(
    ("bias", "safe"),
    [(0.05, set("01234abcdefgABCDEFGHI")), (0.1, set("0134bE")), (0.2, {"4"})],
)
def test_which_tables_overflow_at_which_bias(bias: float, safe: set[str]) -> None:
    assert {table for table in tables() if misses(table, bias) == 0} == safe


@pytest.mark.parametrize(
    ("table", "channel", "ticks"), [("2", 6, 54), ("e", 10, 21), ("f", 8, 43), ("g", 10, 53)]
)
def test_how_often_a_channel_overflows(table: str, channel: int, ticks: int) -> None:
    x = shares(Settings(table=table))[:, channel - 1]
    assert int(np.count_nonzero(codes(x) >= 4096)) == ticks


def test_a_code_that_overflows_writes_the_neighbour() -> None:
    registers = np.full(20, IDLE, dtype=np.int64)
    words = np.full(16, IDLE, dtype=np.int64)
    words[[0, 5, 10]] = 4096 + 7  # A of the first converter, B of the second, C of the third
    assert write(registers, words) == 3
    assert registers[0] == IDLE and registers[1] == IDLE  # A keeps, B is repaired by its own word
    assert registers[5] == 7  # B wraps
    assert registers[10] == IDLE and registers[11] == IDLE
    words[:] = IDLE
    words[1] = 8192  # two bits too many: B names D
    write(registers, words)
    assert registers[3] == IDLE and registers[1] == IDLE


def test_what_is_below_the_range_stays_at_its_end() -> None:
    assert codes(np.array([-1.5, -1.0, 0.0, 0.9999, 1.0], np.float32)).tolist() == [0, 0, 2048, 4095, 4096]


def test_a_coefficient_of_four_holds_g2_at_rest_until_beta_falls() -> None:
    played = Played.of(Settings(coef=4.2))
    assert played.astray > 0
    assert abs(played.shares[0, 14]) < 1e-5
    assert played.shares[20:60, 14].max() > 0.9
    # f is written after g2 and is what it should be.
    assert played.shares[0, 15] == pytest.approx(-0.125, abs=1 / 2048)


def test_the_tables_are_those_of_the_source() -> None:
    assert len(tables()) == 21
    assert tables()["4"]["own_scale"] == 0.05
    for table in tables().values():
        assert (len(table["t_coef"]), len(table["c"])) == (7, 14)
    text = (Path(__file__).parent.parent / "sim_backend" / "virtual" / "published_tables.json").read_text()
    assert json.loads(text)["0"]["t_coef"][1] == -0.81893


def test_wiring_and_gains_are_of_the_board() -> None:
    wiring = Wiring.first(start=(0.02, -0.03))
    assert [(region.inputs, region.outputs) for region in wiring.layers] == [(2, 14), (14, 14), (14, 2)]
    host = Host(wiring=Wiring(wiring.layers, (1e-5,) * 3, start=(0.02, -0.03), gains=Gains(f=-1.0)))
    host.wait(5.02)
    host.ask("Go")
    run = host.world.runs[0][0]
    assert run.start[0] == pytest.approx([0.2, -0.3])
    assert run.coefficients.drift[0] == pytest.approx(0.125, abs=1 / 2048)
