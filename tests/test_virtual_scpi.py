"""Program messages, headers, parameters, errors and registers, as IEEE 488.2 and SCPI lay them down."""

from collections.abc import Sequence
from typing import final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_backend.virtual.scpi.errors import ScpiError
from sim_backend.virtual.scpi.instrument import INPUT_BUFFER, Instrument, Model, error_queue, registers
from sim_backend.virtual.scpi.parser import Unit, units
from sim_backend.virtual.scpi.settings import Settings
from sim_backend.virtual.scpi.status import Status
from sim_backend.virtual.scpi.table import Call, Command, Table
from sim_backend.virtual.scpi.values import Choice, Format, Number, Switch, number


def headers(message: str) -> list[str]:
    return [unit.text if isinstance(unit, Unit) else str(unit.number) for unit in units(message)]


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("*IDN?", ["*IDN?"]),
        (":sour:volt 1", [":SOUR:VOLT"]),
        ("sour:volt 1", [":SOUR:VOLT"]),
        # A header without a colon in front goes on where the last one was.
        (":SOUR:VOLT:RANG 1;LEV 2;:OUTP ON", [":SOUR:VOLT:RANG", ":SOUR:VOLT:LEV", ":OUTP"]),
        # A common command does not change the place.
        (":SOUR:VOLT:RANG 1;*CLS;LEV 2", [":SOUR:VOLT:RANG", "*CLS", ":SOUR:VOLT:LEV"]),
        (" :A ; ; :B? ", [":A", ":B?"]),
        ("", []),
        ("1bad", ["-101"]),
        (":A::B", ["-102"]),
        (":A 1,,2", ["-102"]),
        # What follows a unit that cannot be read is not looked at.
        (":A;?;:B", [":A", "-101"]),
    ],
)
def test_headers_follow_the_path(message: str, found: list[str]) -> None:
    assert headers(message) == found


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (":A 1, 2 ,3", ("1", "2", "3")),
        (":A 'x;y,z', \"it's\"", ("'x;y,z'", '"it\'s"')),
        (":READ? (@1,2)", ("(@1,2)",)),
        (":A", ()),
    ],
)
def test_parameters_may_hold_marks_in_quotes_and_brackets(message: str, arguments: tuple[str, ...]) -> None:
    (unit,) = units(message)
    assert isinstance(unit, Unit)
    assert unit.arguments == arguments


@given(st.text(alphabet=":;*?,'\"()# \tABab19.@", max_size=40))
def test_any_text_is_read_or_refused(message: str) -> None:
    for unit in units(message):
        assert isinstance(unit, Unit | ScpiError)


def found(pattern: str, header: str) -> tuple[int, ...] | int:
    table = Table([Command(pattern, lambda call: None)])
    try:
        return table.find(Unit(header, False, ())).suffixes
    except ScpiError as error:
        return error.number


@pytest.mark.parametrize(
    ("header", "suffixes"),
    [
        (":SOUR:VOLT", (1,)),
        (":SOURCE:VOLTAGE:LEVEL:IMMEDIATE:AMPLITUDE", (1,)),
        (":VOLT", (1,)),
        (":SOUR2:VOLT:LEV", (2,)),
        (":VOLT:AMPL", (1,)),
        (":SOUR3:VOLT", -114),
        (":SOUR0:VOLT", -114),
        (":SOURC:VOLT", -113),
        (":SOUR:VOLT:RANG", -113),
        (":SOUR", -113),
    ],
)
def test_short_and_long_forms_optional_nodes_and_numbers(
    header: str, suffixes: tuple[int, ...] | int
) -> None:
    assert found("[:SOURce<2>]:VOLTage[:LEVel][:IMMediate][:AMPLitude]", header) == suffixes


def test_a_query_is_another_thing_than_a_command() -> None:
    table = Table([Command(":INITiate", act=lambda call: None), Command(":READ", ask=lambda call: "1")])
    with pytest.raises(ScpiError, match="-113"):
        table.find(Unit(":INIT", True, ()))
    with pytest.raises(ScpiError, match="-113"):
        table.find(Unit(":READ", False, ()))


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("-.5e-3", -5e-4), ("1E2", 100.0), ("100 mV", 0.1), ("5uA", 5e-6), ("INF", 9.9e37)],
)
def test_numbers_with_units(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "abc", "1 parsec", "1..2", "'1'"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ScpiError, match="-104"):
        number(text)


def test_words_numbers_and_switches_refuse_what_they_cannot_take() -> None:
    assert Choice("FIXed SWEep", "FIX").read("sweep") == "SWE"
    assert Choice("FIXed SWEep", "FIX").read("'SWE'") == "SWE"
    assert Format("ASC REAL,32 SRE").read("real") == "REAL,32"
    assert Switch().read("ON") and Switch().read("2") and not Switch().read("0")
    assert Number(-1, 1, 0).read("MAX") == 1
    for kind, text, code in (
        (Choice("FIXed SWEep", "FIX"), "SWEE", -224),
        (Switch(), "YES", -224),
        (Number(-1, 1, 0), "1.1", -222),
        (Format("ASC REAL,32"), "REAL,64", -224),
    ):
        with pytest.raises(ScpiError, match=str(code)):
            kind.read(text)


def test_a_full_error_queue_ends_in_its_overflow() -> None:
    status = Status(3)
    for code in (-113, -222, -109, -224, -108):
        status.raise_error(code)
    assert [status.next_error()[0] for _ in range(4)] == [-113, -222, -350, 0]
    assert status.take_events() == 128 | 32 | 16  # power on, command error, execution error
    assert status.take_events() == 0


def test_the_status_byte_sums_up_what_counts() -> None:
    status = Status(10, {}, 4, {"measurement": 1})
    status.take_events()
    group = status.groups["measurement"]
    group.set(512, True)
    assert status.byte() == 0
    group.enable, status.service_enable = 512, 1
    assert status.byte() == 65
    assert group.take() == 512
    assert status.byte() == 0
    status.raise_error(-113)
    assert status.byte() == 4
    status.clear()
    assert status.byte() == 0


@final
class Lamp(Model):
    """Be the smallest instrument: a lamp with a level."""

    identity = "MAKER,LAMP,1,0"

    def __init__(self) -> None:
        super().__init__(Status(10, {}, 4, {"operation": 128}))
        self.settings = Settings()
        self.level = self.settings.command(":LEVel", "level", Number(0, 10, 1, "{:g}"))

    def commands(self) -> Sequence[Command]:
        nodes = {"operation": "OPERation"}
        blink = Command(":BLINk", self.blink, lambda call: "dark")
        return [self.level, blink, *error_queue(self), *registers(self, nodes)]

    def blink(self, call: Call) -> None:
        call.expect(1, 2)

    def reset(self) -> None:
        self.settings.reset()


@pytest.fixture
def lamp() -> Instrument:
    return Instrument(Lamp())


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ("*IDN?", "MAKER,LAMP,1,0"),
        ("LEV?", "1"),
        ("LEV? MAX", "10"),
        ("LEV? 3", ""),
        ("LEV 3;LEV?", "3"),
        ("LEV 3;*RST;LEV?", "1"),
        ("*OPC?;*TST?;*WAI;LEV?", "1;0;1"),
        ("*OPC;*ESR?", "129"),
        ("*ESE 32;*ESE?;*SRE 32;*SRE?", "32;32"),
        ("BLIN", ""),
        ("BLIN 1,2,3", ""),
        ("NONE?", ""),
        # An execution error does not keep the rest of the message from being done; a command error does.
        ("LEV 11;LEV?", "1"),
        ("NONE;LEV?", ""),
        ("LEV?;NONE;LEV?", "1"),
    ],
)
def test_messages_and_replies(lamp: Instrument, message: str, reply: str) -> None:
    assert lamp.ask(message) == reply


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("NONE", '-113,"Undefined header"'),
        ("LEV 11", '-222,"Data out of range"'),
        ("LEV", '-109,"Missing parameter"'),
        ("LEV 1,2", '-108,"Parameter not allowed"'),
        ("LEV x", '-104,"Data type error"'),
        (":::", '-102,"Syntax error"'),
        ("LEV 1", '0,"No error"'),
    ],
)
def test_errors_have_the_numbers_of_the_standard(lamp: Instrument, message: str, error: str) -> None:
    lamp.ask(message)
    assert lamp.ask("SYST:ERR?") == error
    assert lamp.ask("SYST:ERR:COUN?") == "0"


def test_lines_end_with_lf_or_cr_lf_and_come_in_any_pieces(lamp: Instrument) -> None:
    talk = lamp.attach()
    assert talk.feed(b"LEV 2\r\nLE") == []
    assert talk.feed(b"V?\r\n*ID") == [b"2\n"]
    assert talk.feed(b"N?\nLEV?\n") == [b"MAKER,LAMP,1,0\n", b"2\n"]
    # Another host shares the instrument, but not the line that was begun.
    other = lamp.attach()
    assert talk.feed(b"LEV") == []
    assert other.feed(b"LEV?\n") == [b"2\n"]


def test_a_line_without_end_overruns_the_input_buffer(lamp: Instrument) -> None:
    talk = lamp.attach()
    assert talk.feed(b"x" * (INPUT_BUFFER + 1)) == []
    assert talk.feed(b"SYST:ERR?\n") == [b'-363,"Input buffer overrun"\n']


@given(st.binary(max_size=60))
def test_any_bytes_are_survived(data: bytes) -> None:
    lamp = Instrument(Lamp())
    lamp.attach().feed(data + b"\n")
    assert lamp.ask("*IDN?") == "MAKER,LAMP,1,0"
