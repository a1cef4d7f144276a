"""Properties that are declared as rows, and the rule of the house that every driver is held to."""

import inspect
import math
import pkgutil
import re
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import Pair, pairs, set_pairs

import drivers
from drivers.rows import Flag, Number, Row, Word, plain, rows_of
from drivers.scpi import Scpi
from rramlab.errors import InputError, LinkError, LinkFault

HELLO: Pair = ("*IDN?", "House,Model 1,42,1.0")


@final
class Thing:
    level = Number(":LEV{c}?", ":LEV{c} {}", "V", -10, 10, "Set the level (V).")
    wide = Number(":RANG?", ":RANG {}", "A", 1e-9, 1, "Choose the range (A).", covers=True)
    on = Flag(":OUTP?", ":OUTP {}", "Switch the output.")
    mode = Word(":MODE?", ':MODE "{}"', ("FIX", "LIST"), "Choose the mode.")

    def __init__(self, wire: Any) -> None:
        self.scpi = Scpi(wire, "House,Model.*", lambda: None, timeout=0.05, channel=2)
        self.scpi.link.open()


def test_to_read_is_to_ask_and_to_assign_is_to_set() -> None:
    asked = [(":LEV2?", "+1.500000E+00"), (":OUTP?", "1"), (":MODE?", '"LIST"')]
    with pairs(HELLO, *asked, *set_pairs(":LEV2 -0.25", ":OUTP 0", ':MODE "FIX"')) as wire:
        thing = Thing(wire)
        assert (thing.level, thing.on, thing.mode) == (1.5, True, "LIST")
        thing.level, thing.on, thing.mode = -0.25, False, "FIX"


@pytest.mark.parametrize("value", [11.0, -10.1, math.nan, math.inf])
def test_a_value_beyond_the_range_is_not_sent(value: float) -> None:
    with pairs(HELLO) as wire:
        thing = Thing(wire)
        with pytest.raises(InputError, match=r"-10 to 10"):
            thing.level = value
        with pytest.raises(InputError, match="choose from: FIX, LIST"):
            thing.mode = "SWEEP"


@pytest.mark.parametrize(
    ("query", "answer", "name"), [(":LEV2?", "x", "level"), (":OUTP?", "2", "on"), (":MODE?", "", "mode")]
)
def test_an_answer_that_makes_no_sense_poisons(query: str, answer: str, name: str) -> None:
    with pairs(HELLO, (query, answer)) as wire:
        thing = Thing(wire)
        with pytest.raises(LinkError) as error:
            getattr(thing, name)
        assert error.value.fault is LinkFault.GARBLED and thing.scpi.link.is_poisoned


@pytest.mark.parametrize(
    ("row", "asked", "query", "answer", "agrees"),
    [
        (Thing.level, 1.0, ":LEV2?", "1.0005", True),
        (Thing.level, 1.0, ":LEV2?", "1.01", False),
        (Thing.level, 0.0, ":LEV2?", "0.001", False),
        (Thing.level, 1e-7, ":LEV2?", "0.000000", False),
        (Thing.wide, 1e-4, ":RANG?", "1.05E-3", True),
        (Thing.wide, 1e-4, ":RANG?", "1.05E-5", False),
        (Thing.on, True, ":OUTP?", "0", False),
        (Thing.mode, "FIX", ":MODE?", "FIXED", True),
        (Thing.mode, "FIX", ":MODE?", "LIST", False),
    ],
)
def test_what_reads_back_is_compared(
    row: Row[Any], asked: Any, query: str, answer: str, agrees: bool
) -> None:
    with pairs(HELLO, (query, answer)) as wire:
        thing = Thing(wire)
        if agrees:
            row.read_back(thing, asked)
            return
        with pytest.raises(LinkError, match=f"{row.name} was set to") as error:
            row.read_back(thing, asked)
        assert error.value.fault is LinkFault.MISMATCH


def test_small_numbers_keep_their_digits() -> None:
    assert plain(100e-9) == "1E-07"
    assert plain(0.2) == "0.2"
    assert plain(-1.23456789e-9) == "-1.23456789E-09"


@given(st.floats(-1e6, 1e6))
def test_a_number_comes_back_as_it_was_sent(value: float) -> None:
    assert math.isclose(float(plain(value)), value, rel_tol=1e-8, abs_tol=1e-300)


# The conversation.


@pytest.mark.parametrize(
    ("answer", "fault"),
    [("House,Model 2,1,1", None), ("House,Other,1,1", LinkFault.MISMATCH), ("1.5E-6", LinkFault.GARBLED)],
)
def test_who_answers_must_be_the_model(answer: str, fault: LinkFault | None) -> None:
    with pairs(("*IDN?", answer)) as wire:
        if fault is None:
            assert Thing(wire).scpi.identity.model == "Model 2"
            return
        with pytest.raises(LinkError) as error:
            Thing(wire)
        assert error.value.fault is fault


def test_after_a_failure_the_same_one_must_answer() -> None:
    other: Pair = ("*IDN?", "House,Model 1,43,1.0")
    with pairs(HELLO, (":OUTP?", LinkFault.LOST), other, HELLO, (":OUTP?", "1")) as wire:
        thing = Thing(wire)
        with pytest.raises(LinkError):
            _ = thing.on
        with pytest.raises(LinkError, match="now answers as") as error:
            _ = thing.on
        assert error.value.fault is LinkFault.MISMATCH
        assert thing.on is True


def test_the_error_queue_is_emptied_and_its_first_error_told() -> None:
    queue: list[Pair] = [
        (":SYST:ERR?", '-222,"Parameter data out of range"'),
        (":SYST:ERR?", '-113,"Undefined header"'),
        (":SYST:ERR?", '0,"No error"'),
    ]
    with pairs(HELLO, *queue) as wire:
        thing = Thing(wire)
        with pytest.raises(LinkError, match=r"-222.*and 1 more.*asked to dance") as error:
            thing.scpi.check_errors("dance")
        assert error.value.fault is LinkFault.INSTRUMENT


def test_an_error_queue_without_end_or_sense_is_refused() -> None:
    with pairs(HELLO, (":SYST:ERR?", "1.5E-6")) as wire:
        thing = Thing(wire)
        with pytest.raises(LinkError) as error:
            thing.scpi.drain()
    assert error.value.fault is LinkFault.GARBLED
    with pairs(HELLO, *[(":SYST:ERR?", '-350,"Queue overflow"')] * 100) as wire:
        thing = Thing(wire)
        with pytest.raises(LinkError, match="more than 100"):
            thing.scpi.drain()


@pytest.mark.parametrize("answer", ["1,2", "1,2,x", "1,2,3,4"])
def test_another_count_of_numbers_is_refused(answer: str) -> None:
    with pairs(HELLO, (":READ?", answer)) as wire:
        thing = Thing(wire)
        with pytest.raises(LinkError) as error:
            thing.scpi.numbers(":READ?", 3)
        assert error.value.fault is LinkFault.GARBLED


# The rule of the house.


def drivers_found() -> list[type[Any]]:
    """Return every class of the drivers and of the entry points that declares rows."""
    modules = [import_module(f"drivers.{m.name}") for m in pkgutil.iter_modules(drivers.__path__)]
    classes = {kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)}
    installed = {point.load() for point in entry_points(group="rramlab.drivers") if _is_there(point)}
    return sorted((kind for kind in classes | installed if rows_of(kind)), key=lambda kind: kind.__name__)


def _is_there(point: Any) -> bool:
    try:
        point.load()
    except (ImportError, AttributeError):
        return False
    return True


ROWS = [
    pytest.param(row, id=f"{kind.__name__}.{row.name}") for kind in drivers_found() for row in rows_of(kind)
]


def test_the_source_meters_are_among_those_that_are_held_to_the_rule() -> None:
    assert {"Keithley2400", "Keithley2450", "KeysightB2900"} <= {kind.__name__ for kind in drivers_found()}


@pytest.mark.parametrize("row", ROWS)
def test_every_property_says_what_it_does_its_unit_and_its_range(row: Row[Any]) -> None:
    # "Set the level.", not "Level", "The level", "Sets the level" or "Setting".
    assert re.match(r"(?!The |An? |This )[A-Z][a-z]*(?<!ing)(?<![a-rt-z]s) .*\.$", row.__doc__ or "")
    assert row.range
    if isinstance(row, Number):
        assert row.unit and row.low < row.high


@pytest.mark.parametrize("row", ROWS)
def test_every_property_can_be_asked_for_what_is_set(row: Row[Any]) -> None:
    assert row.query.endswith("?")
    assert row.command == "" or (row.command.count("{}") == 1 and not row.command.split()[0].endswith("?"))
