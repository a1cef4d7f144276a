"""What each oscilloscope driver says, and what it makes of the answers, as (sent, received)."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import Pair, PairWire, pairs, set_pairs
from toy_published import ToldClock, scope_spec

from drivers.keysight_infiniivision import KeysightInfiniiVision
from drivers.oscilloscope import Oscilloscope
from drivers.rigol_ds1000z import RigolDs1000z
from drivers.scope_steps import deep_enough, stepped
from drivers.scpi_scope import ScpiScope
from drivers.tektronix_mso4000 import TektronixMso4000
from rramlab.errors import InputError, LinkError, LinkFault

TEK_CLEAN: list[Pair] = [("*ESR?", "0"), ("ALLEV?", '0,"No events to report - queue empty"')]
CLEAN: list[Pair] = [(":SYST:ERR?", '+0,"No error"')]
TEK_OPEN: list[Pair] = [
    ("*IDN?", "TEKTRONIX,MSO4104,C000101,CF:91.1CT FV:v2.68"),
    ("ACQ:STATE OFF", None),
    *set_pairs("*CLS"),
    ("*ESR?", "128"),
    ("ALLEV?", '401,"Power on; "'),
    *set_pairs("HEAD 0", "VERB 0"),
    *TEK_CLEAN,
]
KEY_OPEN: list[Pair] = [
    ("*IDN?", "KEYSIGHT TECHNOLOGIES,DSO-X 3034T,MY52490001,07.20"),
    (":STOP", None),
    *set_pairs("*CLS"),
    *CLEAN,
    *set_pairs(":WAV:FORM BYTE", ":WAV:UNS 1", ":WAV:BYT LSBF"),
    *CLEAN,
]
RIGOL_OPEN: list[Pair] = [
    ("*IDN?", "RIGOL TECHNOLOGIES,DS1104Z,DS1ZA000000001,00.04.04.SP3"),
    (":STOP", None),
    *set_pairs("*CLS"),
    *CLEAN,
    *set_pairs(":WAV:FORM BYTE"),
    *CLEAN,
]
MAKERS: dict[type[ScpiScope], list[Pair]] = {
    TektronixMso4000: TEK_OPEN,
    KeysightInfiniiVision: KEY_OPEN,
    RigolDs1000z: RIGOL_OPEN,
}
Does = Callable[[Oscilloscope], object]


def opened(kind: type[ScpiScope], wire: PairWire) -> ScpiScope:
    scope = kind(scope_spec(), wire, ToldClock())
    scope.open()
    return scope


def says(kind: type[ScpiScope], does: Does, *expected: Pair) -> object:
    """Return what a driver does after opening; exactly these pairs pass over the wire."""
    with pairs(*MAKERS[kind], *expected) as wire:
        return does(opened(kind, wire))


def sent(*commands: str) -> list[Pair]:
    """Return the pairs of commands that are not acknowledged."""
    return [(command, None) for command in commands]


def block(data: bytes) -> bytes:
    length = str(len(data))
    return f"#{len(length)}{length}".encode() + data + b"\n"


# Tektronix.


def test_tektronix_shows_a_channel() -> None:
    commands = set_pairs("SEL:CH2 1", "CH2:COUP DC", "CH2:SCA 0.05", "CH2:POS 0", "CH2:OFFS 0.1")
    back: list[Pair] = [
        ("SEL:CH2?", "1"),
        ("CH2:COUP?", "DC"),
        ("CH2:SCA?", "50.0000E-3"),
        ("CH2:POS?", "0.0E+0"),
        ("CH2:OFFS?", "100.0000E-3"),
    ]
    says(TektronixMso4000, lambda s: s.channel(2, 0.05, 0.1), *commands, *TEK_CLEAN, *back)


def test_tektronix_has_scales_of_1_2_4_and_ten_divisions() -> None:
    expected: list[Pair] = [
        *set_pairs("HOR:SCA 0.2"),
        *TEK_CLEAN,
        ("HOR:SCA?", "200.0000E-3"),
        *set_pairs("HOR:RECO 10000", "HOR:DEL:MOD 0", "HOR:POS 2.5"),
        *TEK_CLEAN,
        ("HOR:RECO?", "10000"),
        ("HOR:DEL:MOD?", "0"),
        ("HOR:POS?", "2.5000"),
    ]
    says(TektronixMso4000, lambda s: s.timebase(1.3, 5000, 0.05), *expected)


def test_tektronix_triggers_and_arms_without_waiting_for_the_acquisition() -> None:
    def act(scope: Oscilloscope) -> bool:
        scope.trigger("EXT", 1.65, "fall")
        scope.single()
        return scope.acquired()

    expected: list[Pair] = [
        *set_pairs("TRIG:A:TYP EDG", "TRIG:A:MOD NORM", "TRIG:A:EDGE:SOU AUX", "TRIG:A:EDGE:SLO FALL"),
        *set_pairs("TRIG:A:LEV 1.65"),
        *TEK_CLEAN,
        ("TRIG:A:TYP?", "EDGE"),
        ("TRIG:A:MOD?", "NORMAL"),
        ("TRIG:A:EDGE:SOU?", "AUX"),
        ("TRIG:A:EDGE:SLO?", "FALL"),
        ("TRIG:A:LEV?", "1.6500"),
        *set_pairs("ACQ:MOD SAM", "ACQ:STOPA SEQ"),
        *TEK_CLEAN,
        ("ACQ:MOD?", "SAMPLE"),
        ("ACQ:STOPA?", "SEQUENCE"),
        ("ACQ:STATE ON", None),
        ("TRIG:STATE?", "ARMED"),
        ("TRIG:STATE?", "READY"),
        ("ACQ:STATE?", "1"),
    ]
    assert says(TektronixMso4000, act, *expected) is False


def test_tektronix_sends_a_waveform() -> None:
    codes = np.array([-100, 10, 0, 10], dtype="i1")
    expected: list[Pair] = [
        ("ACQ:STATE?", "0"),
        *sent("DAT:SOU CH3;ENC RIB;WID 1;STAR 1;STOP 10000000"),
        ("WFMO:BYT_N?;BN_F?;BYT_O?;NR_P?;XIN?;XZE?;YMU?;YOF?;YZE?", TEK_PREAMBLE),
        *sent("DAT:STAR 1;STOP 4"),
        ("CURV?", block(codes.tobytes())),
        *TEK_CLEAN,
        ("DAT:SOU?", "CH3"),
    ]
    with pairs(*TEK_OPEN, *expected) as wire:
        waveform = opened(TektronixMso4000, wire).waveform(3)
    assert waveform.codes.tolist() == codes.tolist()
    assert waveform.time.tolist() == [-0.05 + i * 0.2e-3 for i in range(4)]
    assert waveform.volts.tolist() == [(c + 25.0) * 2e-3 + 0.1 for c in codes.tolist()]


TEK_PREAMBLE = "1;RI;MSB;4;200.0000E-6;-50.0000E-3;2.0000E-3;-25.0000;100.0000E-3"


def test_tektronix_sends_a_deep_memory_in_pieces_with_one_time_axis() -> None:
    points = 2_500_000
    codes = np.random.default_rng(2).integers(-128, 128, points).astype("i1")
    pieces: list[Pair] = []
    for first in (1, 1_000_001, 2_000_001):
        last = min(first + 999_999, points)
        pieces += sent(f"DAT:STAR {first};STOP {last}")
        pieces.append(("CURV?", block(codes[first - 1 : last].tobytes())))
    expected: list[Pair] = [
        ("ACQ:STATE?", "0"),
        *sent("DAT:SOU CH1;ENC RIB;WID 1;STAR 1;STOP 10000000"),
        ("WFMO:BYT_N?;BN_F?;BYT_O?;NR_P?;XIN?;XZE?;YMU?;YOF?;YZE?", f"1;RI;MSB;{points};1E-7;-5E-2;2E-3;0;0"),
        *pieces,
        *TEK_CLEAN,
        ("DAT:SOU?", "CH1"),
    ]
    with pairs(*TEK_OPEN, *expected) as wire:
        waveform = opened(TektronixMso4000, wire).waveform(1)
    assert np.array_equal(waveform.codes, codes)
    assert (waveform.time[0], waveform.time[-1]) == (-0.05, 2_499_999 * 1e-7 + -0.05)


def test_tektronix_tells_its_events_once_the_event_register_was_read() -> None:
    queue: list[Pair] = [
        ("*ESR?", "32"),
        ("ALLEV?", '113,"Undefined header; a ""b""",402,"Operation complete"'),
    ]
    with pytest.raises(LinkError, match=re.escape('reports 113,"Undefined header')) as raised:
        says(TektronixMso4000, lambda s: s.channel(1, 1.0), *tek_channel(), *queue)
    assert raised.value.fault is LinkFault.INSTRUMENT


def tek_channel() -> list[Pair]:
    return set_pairs("SEL:CH1 1", "CH1:COUP DC", "CH1:SCA 1", "CH1:POS 0", "CH1:OFFS 0")


def test_a_transfer_that_was_refused_on_the_way_is_not_believed() -> None:
    expected: list[Pair] = [
        (":TRIG:STAT?", "STOP"),
        *sent(":WAV:SOUR CHAN2", ":WAV:MODE RAW", ":WAV:STAR 1"),
        (":WAV:PRE?", "0,2,2,1,2.0e-06,-3.0e-01,0,4.0e-03,-25,127"),
        *sent(":WAV:STAR 1", ":WAV:STOP 2"),
        (":WAV:DATA?", b"#9000000002ab\n"),
        *CLEAN,
        (":WAV:SOUR?", "CHAN1"),
    ]
    with pytest.raises(LinkError, match="sent was set to CHAN2 but reads back as CHAN1") as raised:
        says(RigolDs1000z, lambda s: s.waveform(2), *expected)
    assert raised.value.fault is LinkFault.MISMATCH


# Keysight.


def test_keysight_puts_the_trigger_where_it_is_asked_for() -> None:
    expected: list[Pair] = [
        *set_pairs(":TIM:SCAL 0.2"),
        *CLEAN,
        (":TIM:SCAL?", "+2.00000000E-001"),
        *set_pairs(":TIM:MODE MAIN", ":TIM:REF CENT", ":TIM:POS 0.95"),
        *CLEAN,
        (":TIM:MODE?", "MAIN"),
        (":TIM:REF?", "CENT"),
        (":TIM:POS?", "+9.50000000E-001"),
    ]
    says(KeysightInfiniiVision, lambda s: s.timebase(1.3, 5000, 0.05), *expected)


def test_keysight_arms_and_stands_when_the_run_bit_is_gone() -> None:
    def act(scope: Oscilloscope) -> list[bool]:
        scope.single()
        return [scope.acquired(), scope.acquired()]

    expected: list[Pair] = [
        *set_pairs(":ACQ:TYPE NORM"),
        *CLEAN,
        (":ACQ:TYPE?", "NORM"),
        (":AER?", "+1"),
        (":SING", None),
        (":AER?", "+0"),
        (":AER?", "+1"),
        (":OPER:COND?", "+40"),
        (":OPER:COND?", "+32"),
    ]
    assert says(KeysightInfiniiVision, act, *expected) == [False, True]


def keysight_transfer(points: int, data: bytes) -> list[Pair]:
    return [
        *set_pairs(":TIM:SCAL 0.1"),
        *CLEAN,
        (":TIM:SCAL?", "0.1"),
        *set_pairs(":TIM:MODE MAIN", ":TIM:REF CENT", ":TIM:POS 0.5"),
        *CLEAN,
        (":TIM:MODE?", "MAIN"),
        (":TIM:REF?", "CENT"),
        (":TIM:POS?", "0.5"),
        (":OPER:COND?", "0"),
        *sent(":WAV:SOUR CHAN1", ":WAV:POIN:MODE RAW", ":WAV:POIN 100"),
        (":WAV:PRE?", f"+0,+0,{points:+d},+1,+1.0E-002,-0.0E+000,+0,+4.02010050E-002,+2.5E-001,+128"),
        *([(":WAV:DATA?", block(data)), *CLEAN, (":WAV:SOUR?", "CHAN1")] if data else []),
    ]


def test_keysight_sends_a_waveform() -> None:
    def act(scope: Oscilloscope) -> list[float]:
        scope.timebase(1.0, 100)
        waveform = scope.waveform(1)
        return [waveform.volts[0], waveform.volts[1], waveform.time[99]]

    data = bytes([128, 10, *[10] * 98])
    found = says(KeysightInfiniiVision, act, *keysight_transfer(100, data))
    assert found == [0.25, (10 - 128.0) * 4.02010050e-2 + 0.25, 99 * 0.01]


def test_keysight_that_sends_fewer_points_is_told() -> None:
    def act(scope: Oscilloscope) -> None:
        scope.timebase(1.0, 100)
        scope.waveform(1)

    with pytest.raises(LinkError, match="has 62 points where 100 were asked for") as raised:
        says(KeysightInfiniiVision, act, *keysight_transfer(62, b""))
    assert raised.value.fault is LinkFault.MISMATCH


# Rigol.


def test_rigol_moves_zero_up_where_the_others_move_the_middle_down() -> None:
    commands = set_pairs(":CHAN1:DISP 1", ":CHAN1:COUP DC", ":CHAN1:SCAL 0.05", ":CHAN1:OFFS -0.1")
    back: list[Pair] = [
        (":CHAN1:DISP?", "1"),
        (":CHAN1:COUP?", "DC"),
        (":CHAN1:SCAL?", "5.000000e-02"),
        (":CHAN1:OFFS?", "-1.000000e-01"),
    ]
    says(RigolDs1000z, lambda s: s.channel(1, 0.05, 0.1), *commands, *CLEAN, *back)


@pytest.mark.parametrize(("shown", "depth"), [("1000", 12_000), ("1100", 60_000), ("1110", 30_000)])
def test_rigol_shares_its_memory_which_it_divides_while_it_runs(shown: str, depth: int) -> None:
    expected: list[Pair] = [
        *set_pairs(":TIM:MAIN:SCAL 0.2"),
        *CLEAN,
        (":TIM:MAIN:SCAL?", "2.000000e-01"),
        *set_pairs(":RUN"),
        *[(f":CHAN{n + 1}:DISP?", on) for n, on in enumerate(shown)],
        *set_pairs(f":ACQ:MDEP {depth}"),
        *CLEAN,
        (":ACQ:MDEP?", f"{depth}"),
        *set_pairs(":STOP"),
        *set_pairs(":TIM:MODE MAIN", ":TIM:MAIN:OFFS 1.15"),
        *CLEAN,
        (":TIM:MODE?", "MAIN"),
        (":TIM:MAIN:OFFS?", "1.150000e+00"),
    ]
    says(RigolDs1000z, lambda s: s.timebase(1.3, 10_000, 0.05), *expected)


def test_rigol_arms_from_a_run() -> None:
    expected: list[Pair] = [
        *set_pairs(":ACQ:TYPE NORM"),
        *CLEAN,
        (":ACQ:TYPE?", "NORM"),
        (":RUN", None),
        (":TRIG:STAT?", "STOP"),
        (":TRIG:STAT?", "RUN"),
        (":SING", None),
        (":TRIG:STAT?", "RUN"),
        (":TRIG:STAT?", "WAIT"),
    ]
    says(RigolDs1000z, lambda s: s.single(), *expected)


def test_rigol_sends_a_deep_memory_in_pieces_with_one_time_axis() -> None:
    points = 600_000
    codes = np.random.default_rng(3).integers(0, 256, points).astype("u1")
    pieces: list[Pair] = []
    for first in (1, 250_001, 500_001):
        last = min(first + 249_999, points)
        pieces += sent(f":WAV:STAR {first}", f":WAV:STOP {last}")
        pieces.append(
            (":WAV:DATA?", b"#9%09d" % (last - first + 1) + codes[first - 1 : last].tobytes() + b"\n")
        )
    expected: list[Pair] = [
        (":TRIG:STAT?", "STOP"),
        *sent(":WAV:SOUR CHAN2", ":WAV:MODE RAW", ":WAV:STAR 1"),
        (":WAV:PRE?", f"0,2,{points},1,2.000000e-06,-3.000000e-01,0,4.000000e-03,-25,127"),
        *pieces,
        *CLEAN,
        (":WAV:SOUR?", "CHAN2"),
    ]
    with pairs(*RIGOL_OPEN, *expected) as wire:
        waveform = opened(RigolDs1000z, wire).waveform(2)
    assert np.array_equal(waveform.codes, codes)
    assert (waveform.time[0], waveform.time[-1]) == (-0.3, 599_999 * 2e-6 + -0.3)
    assert waveform.volts[7] == (float(codes[7]) + 25 - 127) * 4e-3


# All of them.


@pytest.mark.parametrize("kind", MAKERS)
def test_another_model_is_refused(kind: type[ScpiScope]) -> None:
    with (
        pairs(("*IDN?", "TEKTRONIX,TDS210,0,CF:91.1CT FV:v1.00")) as wire,
        pytest.raises(LinkError) as raised,
    ):
        opened(kind, wire)
    assert raised.value.fault is LinkFault.MISMATCH


def test_a_setting_that_reads_back_otherwise_is_a_mismatch() -> None:
    back: list[Pair] = [("SEL:CH1?", "1"), ("CH1:COUP?", "DC"), ("CH1:SCA?", "2.0")]
    with pytest.raises(LinkError, match="scale was set to 1 V but reads back as 2 V") as raised:
        says(TektronixMso4000, lambda s: s.channel(1, 1.0), *tek_channel(), *TEK_CLEAN, *back)
    assert raised.value.fault is LinkFault.MISMATCH


@pytest.mark.parametrize(("found", "agrees"), [("1.045", True), ("0.94", False)])
def test_a_place_on_the_screen_reads_back_to_a_step_of_it(found: str, agrees: bool) -> None:
    commands = set_pairs(":CHAN1:DISP 1", ":CHAN1:COUP DC", ":CHAN1:SCAL 1", ":CHAN1:OFFS 1")
    back: list[Pair] = [(":CHAN1:DISP?", "1"), (":CHAN1:COUP?", "DC"), (":CHAN1:SCAL?", "1.0")]
    offset: Pair = (":CHAN1:OFFS?", found)
    if agrees:
        says(KeysightInfiniiVision, lambda s: s.channel(1, 1.0, 1.0), *commands, *CLEAN, *back, offset)
        return
    with pytest.raises(LinkError, match=r"offset was set to 1 V but reads back as 0.94 V") as raised:
        says(
            KeysightInfiniiVision, lambda s: s.channel(1, 1.0, 1.0), *commands, *CLEAN, *back, offset, offset
        )
    assert raised.value.fault is LinkFault.MISMATCH


def test_one_that_does_not_arm_is_told_after_a_while() -> None:
    silent: list[Pair] = [(":AER?", "+0")] * 202
    arm: list[Pair] = [*set_pairs(":ACQ:TYPE NORM"), *CLEAN, (":ACQ:TYPE?", "NORM"), (":AER?", "+0")]
    with pytest.raises(LinkError, match="did not arm within 2 s") as raised:
        says(KeysightInfiniiVision, lambda s: s.single(), *arm, (":SING", None), *silent)
    assert raised.value.fault is LinkFault.INSTRUMENT


def test_a_waveform_is_not_taken_from_a_record_that_is_not_complete() -> None:
    with pytest.raises(LinkError, match="wait until it has acquired") as raised:
        says(RigolDs1000z, lambda s: s.waveform(1), (":TRIG:STAT?", "WAIT"))
    assert raised.value.fault is LinkFault.INSTRUMENT


def test_safe_stops_and_looks_whether_it_stands() -> None:
    says(RigolDs1000z, lambda s: s.safe(), *set_pairs(":STOP"), (":TRIG:STAT?", "STOP"))
    with pytest.raises(LinkError, match="goes on recording") as raised:
        says(RigolDs1000z, lambda s: s.safe(), *set_pairs(":STOP"), (":TRIG:STAT?", "TD"))
    assert raised.value.fault is LinkFault.MISMATCH


@pytest.mark.parametrize("kind", MAKERS)
def test_there_is_nothing_to_switch_off_and_that_is_said(kind: type[ScpiScope]) -> None:
    finding = kind.switch_off(scope_spec(resource="TCPIP0::192.0.2.1::1::SOCKET"))
    assert finding.good and "nothing to switch off" in finding.answer


def test_the_self_test_tells_what_stood_in_the_queue() -> None:
    queue: list[Pair] = [(":SYST:ERR?", '-113,"Undefined header"'), (":SYST:ERR?", '0,"No error"')]
    stop = [*set_pairs(":STOP"), (":OPER:COND?", "0")]
    found = says(KeysightInfiniiVision, lambda s: s.self_test(), *queue, *stop)
    assert [f.good for f in found] == [True, False]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong", [lambda s: s.channel(5, 1.0), lambda s: s.timebase(1.0, 100, 2.0), lambda s: s.trigger(0, 1.0)]
)
def test_what_no_oscilloscope_can_do_is_not_sent(wrong: Does) -> None:
    with pytest.raises(InputError):
        says(TektronixMso4000, wrong)


@given(st.floats(1e-9, 1e3), st.sampled_from([(1, 2, 5), (1, 2, 4)]))
def test_a_scale_is_the_next_step_above(value: float, steps: tuple[int, ...]) -> None:
    found = stepped(value, steps)
    assert value * (1 - 1e-6) <= found <= 2.5 * value * (1 + 1e-6)
    assert float(f"{found:.0e}"[0]) in steps


def test_a_depth_is_the_next_above() -> None:
    assert [deep_enough(points, (100, 1000)) for points in (1, 100, 101, 1000)] == [100, 100, 1000, 1000]
    with pytest.raises(InputError, match="keeps up to 1000"):
        deep_enough(1001, (100, 1000))
