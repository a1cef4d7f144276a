"""Three source meters, each with the manners of its make, at a resistor of 20 kilohm."""

from threading import Thread
from typing import Any, final

import numpy as np
import pytest

from sim_backend.virtual.clock import RealClock, VirtualClock, WorldClock
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.meter2400 import Meter2400
from sim_backend.virtual.scpi.meter2450 import Meter2450
from sim_backend.virtual.scpi.meterb2900 import MeterB2900
from sim_backend.virtual.scpi.source_unit import SourceUnit, Terminals, covering, range_of, staircase

CONDUCTANCE = 50e-6
MODELS: dict[str, Any] = {"2400": Meter2400, "2450": Meter2450, "B2900": MeterB2900}


@final
class Resistor(Terminals):
    """Hold 50 uS at the terminals, and remember what came to them."""

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.levels: list[float] = []
        self.outputs: list[float | None] = []

    def meter(self, volts: float, compliance: float, seconds: float) -> float:
        self.clock.sleep(seconds)
        self.levels.append(volts)
        return max(-compliance, min(compliance, CONDUCTANCE * volts))

    def output(self, volts: float | None) -> None:
        self.outputs.append(volts)


@final
class Table:
    """Hold one meter with its resistor and clock."""

    def __init__(self, model: str, clock: WorldClock | None = None, **extras: Any) -> None:
        self.clock = clock or VirtualClock()
        self.resistor = Resistor(self.clock)
        self.unit = SourceUnit(self.resistor, self.clock)
        self.model = MODELS[model](self.unit, **extras)
        self.instrument = Instrument(self.model)

    def ask(self, *messages: str) -> str:
        return [self.instrument.ask(message) for message in messages][-1]

    def numbers(self, *messages: str) -> list[float]:
        return [float(text) for text in self.ask(*messages).split(",")]

    def error(self) -> int:
        return int(self.ask(":SYST:ERR?").split(",")[0])


@pytest.mark.parametrize(
    ("model", "identity", "no_error"),
    [
        ("2400", "KEITHLEY INSTRUMENTS INC.,MODEL 2400,77,", '0,"No error"'),
        ("2450", "KEITHLEY INSTRUMENTS,MODEL 2450,77,", '0,"No error;0;0 0"'),
        ("B2900", "Keysight Technologies,B2901A,77,", '+0,"No error"'),
    ],
)
def test_who_answers(model: str, identity: str, no_error: str) -> None:
    table = Table(model, serial="77")
    assert table.ask("*IDN?").startswith(identity)
    assert table.ask(":SYST:ERR?") == no_error


# Keithley 2400.


def test_2400_reads_five_numbers_until_told_otherwise() -> None:
    table = Table("2400")
    volts, amperes, ohms, _, status = table.numbers(":SOUR:VOLT 0.2", ":OUTP ON", ":READ?")
    assert (volts, ohms) == (0.2, 9.91e37)
    assert amperes == pytest.approx(CONDUCTANCE * 0.2, rel=1e-4)
    assert int(status) & 1 << 14 and not int(status) & 1 << 3
    # In its own order, whatever was asked.
    assert table.ask(":FORM:ELEM CURR,VOLT", ":FORM:ELEM?") == "VOLT,CURR"
    assert len(table.numbers(":READ?")) == 2
    assert len(table.numbers(":FETC?")) == 2


def test_2400_with_its_output_off_answers_a_reading_with_an_error() -> None:
    table = Table("2400")
    assert table.ask(":READ?") == ""
    assert table.ask(":SYST:ERR?") == '803,"Not permitted with OUTPUT off"'
    assert table.resistor.levels == []
    assert len(table.numbers(":SOUR:CLE:AUTO ON", ":READ?")) == 5
    assert table.ask(":OUTP?") == "0"


def test_2400_settings_are_told_as_the_instrument_does() -> None:
    table = Table("2400")
    assert table.ask(":SENS:CURR:PROT 1e-4", ":SENS:CURR:PROT?") == "1.000000E-04"
    # Ranges are the next larger one, told 5 % above its name; a fixed one switches the automatic off.
    assert table.ask(":SENS:CURR:RANG 2e-5", ":SENS:CURR:RANG?") == "1.050000E-04"
    assert table.ask(":SENS:CURR:RANG:AUTO?") == "0"
    assert table.ask(":SOUR:VOLT:RANG 2", ":SOUR:VOLT:RANG?") == "2.100000E+00"
    assert table.ask(":SENS:VOLT:NPLC 2", ":SENS:CURR:NPLC?") == "2.000000E+00"
    assert table.ask(":SOUR:VOLT 300", ":SYST:ERR?") == '-222,"Parameter data out of range"'
    assert table.ask("*RST", ":SENS:CURR:PROT?") == "1.050000E-04"


def test_2400_compliance_holds_and_is_told() -> None:
    table = Table("2400")
    table.ask(":SENS:CURR:PROT 1e-5", ":SOUR:VOLT 1", ":OUTP ON", ":FORM:ELEM CURR,STAT")
    amperes, status = table.numbers(":READ?")
    assert amperes == pytest.approx(1e-5, rel=1e-3)
    assert int(status) & 1 << 3
    assert table.ask(":SENS:CURR:PROT:TRIP?") == "1"
    # A fixed range that is smaller limits as well, and is told by a bit of its own.
    amperes, status = table.numbers(":SENS:CURR:PROT 1e-3", ":SENS:CURR:RANG 1e-6", ":READ?")
    assert amperes == pytest.approx(1.05e-6, rel=1e-3)
    assert int(status) & 1 << 16
    assert table.ask(":SENS:CURR:RANG 0.1", ":SENS:CURR:PROT 1e-5", ":SYST:ERR?").startswith("822")


def test_2400_sweeps_and_fills_its_buffer() -> None:
    table = Table("2400")
    table.ask(":SOUR:VOLT:STAR 0;STOP 1;MODE SWE;:SOUR:SWE:POIN 5;:TRIG:COUN 5", ":FORM:ELEM VOLT,CURR")
    table.ask(":STAT:PRES;*CLS;*SRE 1;:STAT:MEAS:ENAB 512", ":TRAC:CLE;:TRAC:POIN 5;:TRAC:FEED SENS")
    assert table.ask(":TRAC:FEED:CONT NEXT;:OUTP ON", "*STB?") == "0"
    assert table.ask(":INIT", "*STB?") == "65"
    curve = np.array(table.numbers(":TRAC:DATA?")).reshape(5, 2)
    assert curve[:, 0] == pytest.approx(np.linspace(0, 1, 5))
    assert curve[:, 1] == pytest.approx(CONDUCTANCE * curve[:, 0], rel=1e-3, abs=1e-9)
    assert table.ask(":TRAC:POIN:ACT?") == "5"
    assert table.ask(":OUTP?") == "1"
    # A list is as good, loaded in parts.
    table.ask(":SOUR:LIST:VOLT 0.1,0.3", ":SOUR:LIST:VOLT:APP 0.2", ":SOUR:VOLT:MODE LIST", ":TRIG:COUN 3")
    assert table.numbers(":READ?")[::2] == pytest.approx([0.1, 0.3, 0.2])
    assert table.error() == 0


def test_2400_with_the_interlock_open_stays_off_where_it_counts() -> None:
    table = Table("2400")
    table.model.engine.interlock_closed = False
    assert table.ask(":OUTP ON", ":OUTP?") == "1"
    assert table.ask(":OUTP OFF;:OUTP:INT:STAT ON;:OUTP ON", ":OUTP?") == "0"
    assert table.error() == 802
    assert table.ask(":OUTP:INT:TRIP?") == "0"


def test_2400_sends_blocks_of_single_precision() -> None:
    table = Table("2400")
    table.ask(":SOUR:VOLT 0.2", ":OUTP ON", ":FORM:ELEM VOLT,CURR", ":FORM:DATA REAL,32", ":FORM:BORD SWAP")
    reply = table.instrument.execute(":READ?")
    assert reply[:2] == b"#0" and reply[-1:] == b"\n"
    volts, amperes = np.frombuffer(reply[2:-1], "<f4")
    assert volts == pytest.approx(0.2)
    assert amperes == pytest.approx(1e-5, rel=1e-3)


# Keithley 2450.


def test_2450_reads_and_keeps_readings_in_buffers() -> None:
    table = Table("2450")
    table.ask(":SENS:FUNC 'CURR'", ":SOUR:VOLT 0.2", ":SOUR:VOLT:ILIM 1e-4", ":OUTP ON")
    assert table.numbers(":READ?") == pytest.approx([1e-5], rel=1e-3)
    assert table.numbers(":READ? 'defbuffer1', SOUR, READ, SOURSTAT")[::2] == [0.2, 128]
    assert table.ask(":TRAC:ACT?") == "2"
    assert table.ask(":TRAC:MAKE 'mine', 50", ":TRAC:POIN? 'mine'") == "50"
    assert table.numbers(":MEAS? 'mine', SOURCE, READ")[0] == 0.2
    assert table.ask(":TRAC:ACT? 'mine'", ":TRAC:DEL 'mine'", ":TRAC:ACT? 'mine'") == ""
    assert table.error() == -224
    assert table.ask(":TRAC:DATA? 1, 9", ":SYST:ERR?").startswith("-222")


def test_2450_errors_carry_a_time_stamp() -> None:
    table = Table("2450")
    table.clock.sleep(61.5)
    assert table.ask(":SOUR:VOLT 999", ":SYST:ERR?") == (
        '-222,"Parameter data out of range;1;1970/01/01 00:01:01.500"'
    )


def test_2450_sweep_switches_the_output_itself_and_empties_its_buffer() -> None:
    table = Table("2450")
    table.ask(":READ?", ":SOUR:SWE:VOLT:LIN 0, 1, 5, 0.01, 1, AUTO, ON, OFF, 'defbuffer1'")
    assert table.ask(":INIT", "*WAI", ":TRIG:STAT?") == "IDLE;IDLE;0"
    assert table.ask(":OUTP?") == "0"
    curve = np.array(table.numbers(":TRAC:DATA? 1, 5, 'defbuffer1', SOUR, READ")).reshape(5, 2)
    assert curve[:, 0] == pytest.approx(np.linspace(0, 1, 5))
    assert curve[:, 1] == pytest.approx(CONDUCTANCE * curve[:, 0], rel=1e-3, abs=1e-9)
    # Under the compliance it is cut short where it was told to.
    table.ask(":SOUR:VOLT:ILIM 2.4e-5", ":INIT;*WAI")
    assert table.ask(":TRAC:ACT?") == "3"
    assert table.ask(":SOUR:SWE:VOLT:LIN 0, 1, 1", ":SYST:ERR?").startswith("-222")


def test_2450_in_another_language_understands_hardly_anything() -> None:
    table = Table("2450", language="SCPI2400")
    assert table.ask("*LANG?") == "SCPI2400"
    assert table.ask(":SOUR:VOLT:ILIM 1e-4", ":SYST:ERR?").startswith("-113")
    # The new one counts after the power was off.
    assert table.ask("*LANG SCPI", "*LANG?") == "SCPI2400"


def test_2450_above_21_volts_needs_the_interlock() -> None:
    table = Table("2450")
    table.model.interlock_closed = False
    assert table.ask(":SOUR:VOLT 22", ":SOUR:VOLT?") == "0"
    assert table.error() == 5074
    assert table.ask(":OUTP:INT:TRIP?") == "0"


# Keysight B2900.


def test_b2900_switches_its_output_on_for_a_reading_until_told_not_to() -> None:
    table = Table("B2900")
    assert table.ask(":OUTP:ON:AUTO?") == "1"
    assert len(table.numbers(":READ? (@1)")) == 6
    assert table.ask(":OUTP1?") == "1"
    table.ask("*RST", ":OUTP1:ON:AUTO 0")
    assert table.numbers(":READ? (@1)")[:3] == [9.91e37] * 3
    assert table.ask(":OUTP1?") == "0"


def test_b2900_has_the_channel_in_the_header_and_only_one() -> None:
    table = Table("B2900")
    assert table.ask(":SOUR1:VOLT 0.2", ":VOLT?") == "+2.00000000E-01"
    assert table.ask(":SENS1:CURR:PROT 1e-5", ":SENS:CURR:PROT?") == "+1.00000000E-05"
    assert table.ask(":SOUR2:VOLT 1", ":SYST:ERR?").startswith("-114")
    assert table.ask(":READ? (@2)", ":SYST:ERR?").startswith("-222")
    assert table.ask(":NONE", ":SENS:CURR:PROT 99", ":SYST:ERR:ALL?") == (
        '-113,"Undefined header",-222,"Data out of range"'
    )


def test_b2900_source_and_measurement_have_counts_of_their_own() -> None:
    table = Table("B2900")
    table.ask(":FORM:ELEM:SENS SOUR,CURR", ":VOLT:MODE SWE;STAR 0;STOP 1;POIN 5", ":OUTP ON")
    table.ask(":TRIG:ACQ:COUN 5")
    assert table.numbers(":READ:ARR? (@1)")[1::2] == [0.0] * 5
    table.ask(":TRIG:COUN 5")
    assert table.numbers(":READ:ARR? (@1)")[1::2] == pytest.approx(list(np.linspace(0, 1, 5)))
    # The sweep over, the source is at its level again.
    assert table.unit.level == 0.0
    assert table.ask(":STAT:OPER:COND?") == "18"


def test_b2900_switches_off_at_the_compliance_where_it_was_told_to() -> None:
    table = Table("B2900")
    table.ask(":SENS:CURR:PROT 1e-5", ":VOLT 1", ":OUTP:PROT ON", ":FORM:ELEM:SENS CURR,STAT")
    amperes, status = table.numbers(":READ? (@1)")
    assert amperes == pytest.approx(1e-5, rel=1e-3)
    assert status == 2
    assert table.ask(":OUTP?") == "0"
    assert int(table.ask(":STAT:QUES:COND?")) & 4


def test_b2900_tells_an_open_interlock_by_a_one() -> None:
    table = Table("B2900")
    assert table.ask(":SYST:INT:TRIP?") == "0"
    table.model.engine.interlock_closed = False
    assert table.ask(":SYST:INT:TRIP?") == "1"


def test_b2900_sends_definite_blocks() -> None:
    table = Table("B2900")
    table.ask(":FORM:ELEM:SENS VOLT,CURR", ":FORM REAL,64", ":VOLT 0.2")
    reply = table.instrument.execute(":READ? (@1)")
    assert reply[:4] == b"#216"
    assert np.frombuffer(reply[4:20], ">f8")[0] == pytest.approx(0.2)


# All of them.


@pytest.mark.parametrize("model", MODELS)
def test_time_passes_as_it_is_set(model: str) -> None:
    table = Table(model)
    cycles = {"2400": ":SENS:CURR:NPLC 10", "2450": ":SENS:CURR:NPLC 10", "B2900": ":SENS:CURR:NPLC 10"}
    table.ask(":OUTP ON", cycles[model])
    before = table.clock.now()
    table.ask(":READ?")
    assert 0.2 <= table.clock.now() - before <= 0.21


@pytest.mark.parametrize("model", MODELS)
def test_the_world_hears_of_each_level_and_of_the_output(model: str) -> None:
    table = Table(model)
    table.ask(":SOUR:VOLT 0.1", ":OUTP ON", ":SOUR:VOLT 0.2", ":OUTP OFF")
    assert table.resistor.outputs == [0.1, 0.2, None]
    table.ask(":OUTP ON", "*RST")
    assert table.resistor.outputs[-1] is None
    table.ask(":OUTP ON")
    table.model.close()
    assert table.resistor.outputs[-1] is None


@pytest.mark.parametrize("model", MODELS)
def test_a_current_source_is_not_wired(model: str) -> None:
    table = Table(model)
    mode = ":SOUR:FUNC:MODE" if model == "B2900" else ":SOUR:FUNC"
    table.ask(f"{mode} CURR")
    assert table.error() == -221
    assert table.ask(f"{mode}?") == "VOLT"


@pytest.mark.parametrize("model", MODELS)
def test_on_a_real_clock_a_sweep_goes_on_while_others_talk_and_can_be_cut_short(model: str) -> None:
    table = Table(model, RealClock())
    table.ask(":SENS:CURR:NPLC 0.25")  # 5 ms a step
    prepare = {
        "2400": [":SOUR:VOLT:STOP 1;MODE SWE;:SOUR:SWE:POIN 2000;:TRIG:COUN 2000", ":OUTP ON"],
        "2450": [":SOUR:SWE:VOLT:LIN 0, 1, 2000, 0"],
        "B2900": [":VOLT:MODE SWE;STOP 1;POIN 2000", ":TRIG:COUN 2000", ":OUTP ON"],
    }
    table.ask(*prepare[model], ":INIT")
    assert table.ask("*IDN?") != ""
    assert table.ask(":OUTP?") == "1"
    table.ask(":INIT")
    assert table.error() == -213
    table.ask(":OUTP OFF")
    assert table.ask(":OUTP?") == "0"
    assert table.resistor.outputs[-1] is None
    assert len(table.resistor.levels) < 1000
    assert table.ask("*OPC?") == "1"


@pytest.mark.parametrize("model", MODELS)
def test_off_is_off_within_a_long_integration(model: str) -> None:
    table = Table(model, RealClock())
    table.ask(":SENS:CURR:NPLC 10", ":SOUR:VOLT 0.1", ":OUTP ON")
    reading = Thread(target=table.ask, args=(":READ?",), daemon=True)
    reading.start()
    while not table.model.engine.acquisition.busy if model != "2450" else not table.model._acquisition.busy:
        pass
    # 0.2 s of integration have begun; the answer to the reading comes when it is cut short.
    table.ask(":OUTP OFF")
    assert table.resistor.outputs[-1] is None
    assert table.resistor.levels.count(0.1) == 1  # the one that came with the output
    reading.join(5.0)
    assert not reading.is_alive()


@pytest.mark.parametrize("model", ["2400", "B2900"])
def test_a_logarithmic_sweep_does_not_cross_zero(model: str) -> None:
    table = Table(model)
    table.ask(":SOUR:VOLT:STAR 0;STOP 1;MODE SWE", ":SOUR:SWE:SPAC LOG;POIN 3", ":TRIG:COUN 3", ":OUTP ON")
    table.ask(":INIT")
    assert table.error() == -221
    table.ask(":SOUR:VOLT:STAR 0.01", ":INIT;*OPC?")
    assert table.error() == 0
    assert table.resistor.levels[-3:] == pytest.approx([0.01, 0.1, 1.0])


def test_ranges_and_stairs() -> None:
    assert [range_of(amperes) for amperes in (0.0, 1.04e-6, 1.06e-6, 5.0)] == [1e-8, 1e-6, 1e-5, 1.0]
    assert covering((0.2, 2.0, 20.0), 0.3) == 2.0
    assert covering((0.2, 2.0), 99.0) == 2.0
    assert staircase(0, 1, 3) == [0.0, 0.5, 1.0]
    assert staircase(-0.01, -1, 3, logarithmic=True) == pytest.approx([-0.01, -0.1, -1.0])


def test_noise_follows_seed_range_and_integration() -> None:
    def spread(seed: int, cycles: float) -> np.ndarray:
        clock = VirtualClock()
        unit = SourceUnit(Resistor(clock), clock, seed)
        unit.fixed_range, unit.cycles = 1e-4, cycles
        unit.switch(True)
        return np.array([unit.sample(0.0).amperes for _ in range(400)])

    assert np.array_equal(spread(1, 1.0), spread(1, 1.0))
    assert not np.array_equal(spread(1, 1.0), spread(2, 1.0))
    # 400 samples: the estimate of a deviation is good to 3.5 %; 20 % is beyond five of those.
    assert spread(1, 1.0).std() == pytest.approx(2e-10, rel=0.2)
    assert spread(1, 0.01).std() == pytest.approx(2e-9, rel=0.2)
