import numpy as np
import pytest
from meter_talks import K2400, K2450, NO_ERROR, STEPS, TALKS, Talk, made
from pairs import Pair, pairs, set_pairs

from drivers.list_meter import Timing
from rramlab.errors import InputError, LinkError, LinkFault
from rramlab.reading import Staircase

COMPLIANCE = 100e-9  # what a fixed number of decimals would round to zero


@pytest.fixture(params=sorted(TALKS))
def talk(request: pytest.FixtureRequest) -> Talk:
    return TALKS[request.param]


def staircase(compliance: float = COMPLIANCE, dwell: float = 0.02) -> Staircase:
    return Staircase(np.array(STEPS), gate=3.0, compliance=compliance, dwell=dwell)


def replaced(talk: list[Pair], query: str, answer: str) -> list[Pair]:
    """Return the same pairs up to a query, which is answered otherwise."""
    place = next(i for i, pair in enumerate(talk) if pair[0] == query)
    return [*talk[:place], (query, answer)]


# A whole session.


def test_every_line_of_a_session(talk: Talk) -> None:
    session = [
        *talk.hello,
        *talk.armed,
        *talk.switched_on,
        *talk.sourced("0.2"),
        talk.is_off,
        talk.reading,
        NO_ERROR,
        (talk.tripped, "0"),
        *talk.start,
        *talk.not_done,
        *talk.done,
        *talk.fetch,
        *talk.off,
        *talk.stays_off,
        *talk.stays_off,
    ]
    with pairs(*session) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        meter.output_on()
        meter.source(0.2)
        assert meter.measure() == (0.2, 12.345e-9)
        assert not meter.in_compliance()
        meter.start_sweep(staircase())
        assert not meter.sweep_done()
        assert meter.sweep_done()
        curve = meter.fetch_sweep()
        meter.output_off()
        assert meter.is_off()
    np.testing.assert_allclose(curve.voltage, STEPS)
    np.testing.assert_allclose(curve.current, [1e-12, 4e-8, -1e-7])
    np.testing.assert_allclose(curve.time, [0.02, 0.04, 0.06])
    assert curve.limited.tolist() == [False, False, True]


def test_who_answers(talk: Talk) -> None:
    with pairs(*talk.hello) as wire:
        meter = made(talk, wire)
        meter.open()
        assert meter.identify()["serial"] == talk.identity.split(",")[2]


def test_raising_the_current_raises_the_limit_before_the_range(talk: Talk) -> None:
    arming = [(pair[0], "1E-9") if str(pair[0]).endswith(":CURR:RANG?") else pair for pair in talk.arming]
    lines = [str(pair[0]) for pair in arming]
    low = next(i for i, line in enumerate(lines) if ":CURR:RANG " in line)
    swapped = [*arming[:low], *arming[low + 2 : low + 4], *arming[low : low + 2], *arming[low + 4 :]]
    compared = list(talk.compared)
    at = next(i for i, pair in enumerate(compared) if str(pair[0]).endswith(":CURR:RANG?"))
    compared[at], compared[at + 1] = compared[at + 1], compared[at]
    with pairs(*talk.hello, *talk.off[2:], *talk.stays_off, *swapped, NO_ERROR, *compared) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)


# What is not as it should be.


def test_another_model_is_refused(talk: Talk) -> None:
    with pairs(("*IDN?", "KEITHLEY INSTRUMENTS INC.,MODEL 6430,1,1")) as wire:
        with pytest.raises(LinkError) as error:
            made(talk, wire).open()
        assert error.value.fault is LinkFault.MISMATCH


def test_nothing_is_sent_to_the_instrument_of_somebody_else(talk: Talk) -> None:
    with pairs(("*IDN?", talk.identity)) as wire:  # neither stopped nor switched off
        with pytest.raises(LinkError, match="expects serial number 'MINE'") as error:
            made(talk, wire, serial="MINE").open()
        assert error.value.fault is LinkFault.MISMATCH


@pytest.mark.parametrize("language", ["TSP", "SCPI2400"])
def test_a_2450_that_speaks_another_language_is_refused_with_the_remedy(language: str) -> None:
    with pairs(*replaced(K2450.hello, "*LANG?", language)) as wire:
        with pytest.raises(LinkError, match=r"\*LANG SCPI, then switch it off and on") as error:
            made(K2450, wire).open()
        assert error.value.fault is LinkFault.MISMATCH


def test_an_output_that_stays_on_at_the_opening_is_refused(talk: Talk) -> None:
    with pairs(*talk.hello[:-2], (talk.is_off[0], "1")) as wire:
        with pytest.raises(LinkError, match="output was set to 0") as error:
            made(talk, wire).open()
        assert error.value.fault is LinkFault.MISMATCH


def test_a_compliance_that_reads_back_otherwise_is_named(talk: Talk) -> None:
    query = next(str(p[0]) for p in talk.compared if str(p[0]).endswith((":CURR:PROT?", ":ILIM?")))
    wrong = replaced(talk.compared, query, "1.05E-04")
    with pairs(*talk.hello, *talk.off[2:], *talk.stays_off, *talk.arming, NO_ERROR, *wrong) as wire:
        meter = made(talk, wire)
        meter.open()
        with pytest.raises(LinkError, match=r"compliance was set to 1E-07 A .* 0.000105") as error:
            meter.arm(COMPLIANCE)
    assert error.value.fault is LinkFault.MISMATCH


def test_a_setting_that_changed_meanwhile_keeps_the_output_off(talk: Talk) -> None:
    last = str(talk.compared[-1][0])
    changed = [*set_pairs(f"{talk.level} 0"), *replaced(talk.compared, last, "1")]
    with pairs(*talk.hello, *talk.armed, *changed) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        with pytest.raises(LinkError, match="four_wire was set to 0 but reads back as 1"):
            meter.output_on()


def test_an_error_of_the_instrument_is_told_with_what_was_asked(talk: Talk) -> None:
    errors: list[Pair] = [(":SYST:ERR?", '-222,"Parameter data out of range"'), NO_ERROR]
    with pairs(*talk.hello, *talk.off[2:], *talk.stays_off, *talk.arming, *errors) as wire:
        meter = made(talk, wire)
        meter.open()
        with pytest.raises(LinkError, match=r"-222.*limit the current to 1e-07 A") as error:
            meter.arm(COMPLIANCE)
    assert error.value.fault is LinkFault.INSTRUMENT


def test_nothing_is_sourced_or_measured_before_it_is_armed(talk: Talk) -> None:
    with pairs(*talk.hello) as wire:
        meter = made(talk, wire)
        meter.open()
        for way in (meter.output_on, meter.measure, lambda: meter.source(1.0)):
            with pytest.raises(LinkError, match="not armed"):
                way()


def test_a_reading_is_never_asked_for_with_the_output_off(talk: Talk) -> None:
    with pairs(*talk.hello, *talk.armed, *talk.stays_off) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        with pytest.raises(LinkError, match="output is off"):
            meter.measure()


@pytest.mark.parametrize("number", ["+9.910000E+37", "NAN", "-INF"])
def test_a_reading_that_is_none_is_refused(talk: Talk, number: str) -> None:
    query, answer = talk.reading
    invalid = str(answer).replace(str(answer).split(",")[0 if talk.channel == 2 else 1], number)
    with pairs(*talk.hello, *talk.armed, talk.is_off, (query, invalid), NO_ERROR) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        with pytest.raises(LinkError, match="no number") as error:
            meter.measure()
    assert error.value.fault is LinkFault.INSTRUMENT


def test_a_reply_that_came_twice_is_not_taken_for_a_reading(talk: Talk) -> None:
    # The line before comes again in the place of the reading, which is then left over.
    query, answer = talk.reading
    twice = f"1\n{answer}\n".encode()
    with pairs(*talk.hello, *talk.armed, talk.is_off, (query, twice)) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        with pytest.raises(LinkError) as error:
            meter.measure()
    assert error.value.fault is LinkFault.GARBLED


def test_after_a_lost_link_the_output_is_off_and_nothing_is_repeated(talk: Talk) -> None:
    lost: Pair = (talk.reading[0], LinkFault.LOST)
    with pairs(*talk.hello, *talk.armed, *talk.switched_on, talk.is_off, lost, *talk.hello) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        meter.output_on()
        with pytest.raises(LinkError) as error:
            meter.measure()
        assert error.value.fault is LinkFault.LOST
        meter.scpi.link.open()
        with pytest.raises(LinkError, match="not armed"):
            meter.measure()


def test_a_sweep_does_not_outlive_its_link(talk: Talk) -> None:
    lost: Pair = (talk.not_done[0][0], LinkFault.TIMEOUT)
    with pairs(*talk.hello, *talk.armed, *talk.start, lost, *talk.hello) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        meter.start_sweep(staircase())
        with pytest.raises(LinkError):
            meter.sweep_done()
        meter.scpi.link.open()
        with pytest.raises(LinkError, match="begin the sweep again"):
            meter.fetch_sweep()


# Sweeps.


def test_a_sweep_under_another_compliance_is_not_begun(talk: Talk) -> None:
    with pairs(*talk.hello, *talk.armed) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        with pytest.raises(InputError, match=r"1e-06 A .* armed for 1e-07 A"):
            meter.start_sweep(staircase(compliance=1e-6))
        with pytest.raises(InputError, match="2501 steps is too long"):
            meter.start_sweep(Staircase(np.zeros(2501), 3.0, COMPLIANCE))


def test_other_voltages_than_those_asked_for_are_refused(talk: Talk) -> None:
    query, answer = talk.fetch[0]
    other = (
        str(answer)
        .replace("5.000000E-01", "6.0E-01")
        .replace(",0.5,", ",0.6,")
        .replace("+5.0E-01", "+6.0E-01")
    )
    with pairs(*talk.hello, *talk.armed, *talk.start, *talk.done, (query, other), NO_ERROR) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        meter.start_sweep(staircase())
        assert meter.sweep_done()
        with pytest.raises(LinkError) as error:
            meter.fetch_sweep()
    assert error.value.fault is LinkFault.MISMATCH


def test_a_long_list_goes_in_pieces() -> None:
    volts = np.linspace(0, 1, 250)
    lists = [
        f":SOUR:LIST:VOLT{':APP' if first else ''} "
        + ",".join(f"{v:.9G}" for v in volts[first : first + 100])
        for first in (0, 100, 200)
    ]
    with pairs(*K2400.hello, *K2400.armed, *set_pairs(":SENS:CURR:NPLC 0.5", *lists)) as wire:
        meter = made(K2400, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        with pytest.raises(AssertionError, match="nothing was expected"):
            meter.start_sweep(Staircase(volts, 3.0, COMPLIANCE, 0.02))


def test_a_sweep_that_fails_says_why() -> None:
    failed: list[Pair] = [("*STB?", "4"), (":SYST:ERR?", '803,"Not permitted with OUTPUT off"'), NO_ERROR]
    with pairs(*K2400.hello, *K2400.armed, *K2400.start, *failed) as wire:
        meter = made(K2400, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        meter.start_sweep(staircase())
        with pytest.raises(LinkError, match="803"):
            meter.sweep_done()
    failed = [(":TRIG:STAT?", "FAILED;FAILED;2"), NO_ERROR]
    with pairs(*K2450.hello, *K2450.armed, *K2450.start, *failed) as wire:
        meter = made(K2450, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        meter.start_sweep(staircase())
        with pytest.raises(LinkError, match="FAILED"):
            meter.sweep_done()


IDLE: dict[str, list[Pair]] = {
    "2400": [("*STB?", "0"), (":STAT:OPER:COND?", "1024"), ("*STB?", "0")],
    # The state of a 2450 is renewed every 100 ms only.
    "2450": [(":TRIG:STAT?", "IDLE;IDLE;0"), (':TRAC:ACT? "defbuffer1"', "0")],
    "B2900": [(":STAT:OPER:COND?", "1170"), (":STAT:OPER?", "0")],
}


@pytest.mark.parametrize("name", sorted(IDLE))
def test_a_sweep_that_was_not_begun_is_waited_for_and_then_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = TALKS[name]
    with pairs(*talk.hello, *talk.armed, *talk.start, *IDLE[name], *IDLE[name], NO_ERROR) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        meter.start_sweep(staircase())
        assert not meter.sweep_done()
        monkeypatch.setattr("drivers.list_meter.GRACE", -1.0)
        with pytest.raises(LinkError, match="has not begun") as error:
            meter.sweep_done()
    assert error.value.fault is LinkFault.MISMATCH


def test_a_list_that_did_not_arrive_whole_is_not_swept(talk: Talk) -> None:
    query = next(str(pair[0]) for pair in talk.start if str(pair[0]).endswith("LIST:VOLT:POIN?"))
    with pairs(*talk.hello, *talk.armed, *replaced(talk.start, query, "2")) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.arm(COMPLIANCE)
        with pytest.raises(LinkError, match="given 3 voltages and holds 2"):
            meter.start_sweep(staircase())


@pytest.mark.parametrize(
    ("dwell", "cycles", "delay", "integration"),
    [(0.02, 1.0, 0.01, 0.5), (0.1, 1.0, 0.08, 1.0), (1e-3, 1.0, 0.6e-3, 0.02), (1e-4, 1.0, 0.0, 0.01)],
)  # a 2400 keeps hundredths of a line cycle: 0.025 would not read back
def test_a_step_settles_and_integrates_within_its_dwell(
    dwell: float, cycles: float, delay: float, integration: float
) -> None:
    timing = Timing.of(dwell, cycles, line=50)
    assert timing.delay == pytest.approx(delay) and timing.cycles == pytest.approx(integration)


# Safety.


def test_safe_stops_zeroes_switches_off_and_asks(talk: Talk) -> None:
    with pairs(*talk.hello, (talk.abort, None), *talk.off, *talk.stays_off) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.safe()


def test_safe_goes_on_after_a_step_that_fails(talk: Talk) -> None:
    broken: list[Pair] = [(talk.abort, None), (f"{talk.level} 0", None), ("*OPC?", LinkFault.TIMEOUT)]
    with pairs(*talk.hello, *broken, *talk.hello, *talk.off[2:], *talk.stays_off) as wire:
        meter = made(talk, wire)
        meter.open()
        meter.safe()


def test_safe_tells_an_output_that_stays_on(talk: Talk) -> None:
    with pairs(*talk.hello, (talk.abort, None), *talk.off, (talk.is_off[0], "1")) as wire:
        meter = made(talk, wire)
        meter.open()
        with pytest.raises(LinkError) as error:
            meter.safe()
    assert error.value.fault is LinkFault.MISMATCH


@pytest.mark.parametrize(
    ("answers", "good"),
    [
        (["0", "0"], True),
        (["1", "1"], False),
        (["0", "1"], False),  # one of the two belongs to a question of the process that died
        ([LinkFault.TIMEOUT], False),
    ],
)
def test_switching_off_from_outside_says_what_was_read_back(
    talk: Talk, answers: list[str | LinkFault], good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    off: list[Pair] = [(talk.abort, None), (talk.off[2][0], None)]
    with pairs(*off, *((talk.is_off[0], answer) for answer in answers)) as wire:
        monkeypatch.setattr("drivers.scpi_meter._wire", lambda spec: wire)
        found = talk.driver.switch_off(made(talk, wire).spec)
    assert found.good is good
    assert good or found.advice


# Interlock.


def test_the_interlock_matters_only_where_the_voltage_needs_it() -> None:
    reach = [(":SOUR:VOLT:RANG 2", ":SOUR:VOLT:RANG 60"), ("2.100000E+01", "2.100000E+02")]
    armed = [
        (str(sent).replace(*reach[0]), received if received != reach[1][0] else reach[1][1])
        for sent, received in K2400.armed
    ]
    line: list[Pair] = [(":OUTP:INT:TRIP?", "0"), (":OUTP:INT:STAT?", "1")]
    with pairs(*K2400.hello, *armed, *line) as wire:
        meter = made(K2400, wire)
        meter.open()
        meter.arm(COMPLIANCE, reach=60.0)
        with pytest.raises(LinkError, match="interlock is open"):
            meter.output_on()
