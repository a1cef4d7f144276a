"""Three oscilloscopes that look at one run of the loop, each with the manners of its make."""

from dataclasses import dataclass
from threading import Thread
from typing import Any, final

import numpy as np
import pytest

from rramlab.loop import Coefficients, LoopResult, LoopRun, Region
from sim_backend.virtual.clock import RealClock, VirtualClock, WorldClock
from sim_backend.virtual.faults import Fault, Injector
from sim_backend.virtual.scpi.digitizer import Content, Digitizer
from sim_backend.virtual.scpi.infiniivision import InfiniiVisionScope
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.rigol import RigolScope
from sim_backend.virtual.scpi.signals import Signals
from sim_backend.virtual.scpi.tektronix import TektronixScope
from sim_backend.virtual.world import LoopWaveforms

VOLTS, TICK, TICKS = 0.1, 5e-3, 200
MODELS: dict[str, Any] = {
    "tektronix": TektronixScope,
    "keysight": InfiniiVisionScope,
    "rigol": RigolScope,
}


@final
@dataclass
class OneRun:
    """Stand for a world in which one run can be made: x1 rises from 0 to 2 units, x2 falls."""

    clock: WorldClock
    loop_waveforms: LoopWaveforms | None = None

    def run(self, began: float | None = None) -> None:
        time = np.linspace(0, TICK * TICKS, TICKS + 1)
        state = np.stack([2 * time, -1 - time], axis=1)[None]
        zeros = np.zeros(TICKS)
        coefficients = Coefficients(TICK, zeros, zeros, np.zeros((TICKS, 14)), zeros)
        run = LoopRun((Region((0,), (0, 1)),), (1e-6,), 5.0, VOLTS, state[:, 0], coefficients)
        result = LoopResult(state[:, -1], time, state, (), 0 * state, state[0][:, None], np.zeros(1))
        self.loop_waveforms = LoopWaveforms(run, result, self.clock.now() if began is None else began)


@final
class Bench:
    """Hold one oscilloscope with its channels: x1 on 1, x2 on 2, the switch on 3."""

    def __init__(self, name: str, clock: WorldClock | None = None) -> None:
        self.world = OneRun(clock or VirtualClock())
        world: Any = self.world
        signals = Signals(world, {1: "x1", 2: "x2", 3: "switch"})
        self.injector = Injector()
        self.digitizer = Digitizer(signals, 1, self.injector)
        self.instrument = Instrument(MODELS[name](self.digitizer))

    def ask(self, *messages: str) -> str:
        return [self.instrument.ask(message) for message in messages][-1]

    def block(self, message: str) -> bytes:
        reply = self.instrument.execute(message)
        assert reply[:1] == b"#" and reply[-1:] == b"\n"
        digits = int(reply[1:2])
        assert int(reply[2 : 2 + digits]) == len(reply) - digits - 3
        return reply[2 + digits : -1]


# 0.2 s per division and 0.1 s before the trigger: 2 s (Rigol: 2.4 s) of which the run is 1 s.
ARM = {
    "tektronix": [
        "HEAD 0",
        "VERB 0",
        "ACQ:STATE OFF",
        "HOR:SCA 0.2;RECO 10000;POS 5;DEL:MOD OFF",
        "CH1:SCA 0.05;OFFS 0.1",
        "TRIG:A:MOD NORM;EDGE:SOU CH3;SLO RIS;:TRIG:A:LEV 1.5",
        "ACQ:STOPA SEQ;STATE ON",
    ],
    "keysight": [
        ":STOP",
        ":TIM:SCAL 0.2;POS 0.9;REF CENT",
        ":CHAN1:SCAL 0.05;OFFS 0.1",
        ":TRIG:SWE NORM;:TRIG:EDGE:SOUR CHAN3;LEV 1.5;SLOP POS",
        ":WAV:POIN:MODE RAW;POIN 10000",
        ":SING",
    ],
    "rigol": [
        ":RUN;:ACQ:MDEP 12000",
        ":TIM:MAIN:SCAL 0.2;OFFS 1.1",
        ":CHAN1:SCAL 0.05;OFFS -0.1",
        ":TRIG:SWE NORM;EDG:SOUR CHAN3;LEV 1.5;SLOP POS",
        ":WAV:MODE RAW;STOP 12000",
        ":SING",
    ],
}
WAITS = {
    "tektronix": ("TRIG:STATE?", "REA"),
    "keysight": (":RST?", "SING"),
    "rigol": (":TRIG:STAT?", "WAIT"),
}
STANDS = {
    "tektronix": ("ACQ:STATE?", "0"),
    "keysight": (":OPER:COND?", "+0"),
    "rigol": (":TRIG:STAT?", "STOP"),
}


def record(bench: Bench, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return time (s) and volts of channel 1, by the formula of the maker's manual."""
    if name == "tektronix":
        bench.ask("DAT:SOU CH1;STAR 1;STOP 10000;ENC RIB;WID 1")
        step, zero, mult, off, middle = (
            float(bench.ask(f"WFMO:{field}?")) for field in ("XIN", "XZE", "YMU", "YOF", "YZE")
        )
        codes = np.frombuffer(bench.block("CURV?"), "i1")
        return zero + step * np.arange(codes.size), (codes - off) * mult + middle
    ask, data = ":WAV:PRE?", ":WAV:DATA?"
    bench.ask(":WAV:SOUR CHAN1;FORM BYTE")
    _, _, points, _, *line = (float(text) for text in bench.ask(ask).split(","))
    codes = np.frombuffer(bench.block(data), "u1")
    assert codes.size == points
    step, origin, reference, y_step, y_origin, y_reference = line
    time = (np.arange(codes.size) - reference) * step + origin
    if name == "keysight":
        return time, (codes - y_reference) * y_step + y_origin
    return time, (codes - y_origin - y_reference) * y_step


@pytest.mark.parametrize("name", MODELS)
def test_a_single_acquisition_waits_for_the_run_and_shows_it(name: str) -> None:
    bench = Bench(name)
    bench.ask(*ARM[name])
    query, answer = WAITS[name]
    assert bench.ask(query) == answer
    bench.world.run()
    query, answer = STANDS[name]
    assert bench.ask(query) == answer
    time, volts = record(bench, name)
    # Time: the whole span with the trigger at 0, one step from point to point.
    span = 2.4 if name == "rigol" else 2.0
    assert time[0] == pytest.approx(-0.1, abs=1e-9)
    assert time[-1] == pytest.approx(span - 0.1 - span / time.size, abs=1e-9)
    # Volts: x1 rises from 0 to 0.2 V and stays; noise and steps are a few mV.
    truth = VOLTS * 2 * np.clip(time, 0, 1)
    step = 0.05 / 24.875 if name == "keysight" else 0.05 / 25
    assert np.abs(volts - truth).max() < 3 * step
    assert np.abs(np.mean(volts - truth)) < 0.2 * step


@pytest.mark.parametrize("name", MODELS)
def test_what_leaves_the_screen_is_clipped(name: str) -> None:
    bench = Bench(name)
    small = {"tektronix": "CH1:SCA 0.01", "keysight": ":CHAN1:SCAL 0.01", "rigol": ":CHAN1:SCAL 0.01"}
    bench.ask(*ARM[name][:-1], small[name], ARM[name][-1])
    bench.world.run()
    bench.ask(STANDS[name][0])
    time, volts = record(bench, name)
    assert volts[time > 0.9].max() == volts[time > 0.9].min() < 0.16
    assert volts[time < 0.05].max() > 0.04


@pytest.mark.parametrize("name", MODELS)
def test_a_run_before_it_was_armed_does_not_trigger(name: str) -> None:
    bench = Bench(name)
    bench.world.run()
    bench.ask(*ARM[name])
    query, answer = WAITS[name]
    assert bench.ask(query) == answer


@pytest.mark.parametrize("name", MODELS)
def test_on_a_real_clock_the_record_takes_its_time(name: str) -> None:
    clock = RealClock()
    clock.start(1000.0)
    bench = Bench(name, clock)
    bench.ask(*ARM[name])
    bench.world.run()
    query, answer = STANDS[name]
    assert bench.ask(query) != answer
    bench.world.run(began=990.0)  # the same, but the record was over long ago
    assert bench.ask(query) == answer


@pytest.mark.parametrize("name", MODELS)
def test_content_for_transfers(name: str) -> None:
    bench = Bench(name)
    bench.ask(*ARM[name])
    bench.world.run()
    bench.ask(STANDS[name][0])
    record(bench, name)
    query = "CURV?" if name == "tektronix" else ":WAV:DATA?"
    bench.digitizer.content = Content.RANDOM
    random = bench.block(query)
    assert len(set(random)) > 200 and bench.block(query) == random
    bench.digitizer.content = Content.SIGNALS
    bench.injector.set(Fault.LINEFEEDS)
    assert set(bench.block(query)) == {10}
    assert set(bench.block(query)) != {10}


# Tektronix.


def test_tektronix_puts_headers_in_front_until_they_are_off() -> None:
    bench = Bench("tektronix")
    assert bench.ask("ACQ:STOPA?") == ":ACQUIRE:STOPAFTER RUNSTOP"
    assert bench.ask("*IDN?").startswith("TEKTRONIX,MSO4104,")
    assert bench.ask("VERB 0;:CH2:SCA?") == ":CH2:SCA 1.0000E-01"
    assert bench.ask("*RST", "HEAD 0", "CH2:SCA?") == "1.0000E-01"


def test_tektronix_shows_events_only_after_the_register_was_read() -> None:
    bench = Bench("tektronix")
    bench.ask("HEAD 0", "*ESR?", "NONSENSE", "CH1:SCA 99")
    assert bench.ask("ALLEV?") == '1,"No events to report - new events pending *ESR?"'
    assert bench.ask("*ESR?") == "48"
    assert bench.ask("ALLEV?") == '113,"Undefined header",222,"Data out of range"'
    assert bench.ask("EVENT?") == "0"


def test_tektronix_sends_parts_words_and_unsigned_codes() -> None:
    bench = Bench("tektronix")
    bench.ask(*ARM["tektronix"])
    bench.world.run()
    bench.ask("*OPC?", "DAT:SOU CH1;STAR 1;STOP 10000;WID 1;ENC RIB")
    whole = np.frombuffer(bench.block("CURV?"), "i1")
    assert np.frombuffer(bench.block("DAT:WID 2;:CURV?"), ">i2") == pytest.approx(256 * whole.astype(int))
    assert bench.ask("WFMO:BYT_O?;BYT_N?;BIT_N?") == "MSB;2;16"
    assert np.frombuffer(bench.block("DAT:ENC SRI;:CURV?"), "<i2") == pytest.approx(256 * whole.astype(int))
    unsigned = np.frombuffer(bench.block("DAT:WID 1;ENC RPB;:CURV?"), "u1")
    assert unsigned.astype(int) - 128 == pytest.approx(whole.astype(int))
    assert bench.ask("WFMO:YOF?") == "1.2800E+02"
    part = np.frombuffer(bench.block("DAT:ENC RIB;STAR 101;STOP 200;:CURV?"), "i1")
    assert part.size == 100
    # The time of the first point is that of the first one sent: 100 points of 0.2 ms after -0.1 s.
    assert float(bench.ask("WFMO:XZE?")) == pytest.approx(-0.08)


def test_tektronix_has_no_curve_of_a_channel_that_is_not_shown() -> None:
    bench = Bench("tektronix")
    assert bench.ask("HEAD 0", "SEL:CH2 OFF", "DAT:SOU CH2", "CURV?") == ""
    bench.ask("*ESR?")
    assert bench.ask("ALLEV?") == '2244,"Source waveform is not active"'


# Keysight.


def test_keysight_sends_words_high_byte_first_until_told_otherwise() -> None:
    bench = Bench("keysight")
    bench.ask(*ARM["keysight"])
    bench.world.run()
    bench.ask(":OPER:COND?", ":WAV:SOUR CHAN1")
    codes = np.frombuffer(bench.block(":WAV:DATA?"), "u1").astype(int)
    assert np.frombuffer(bench.block(":WAV:FORM WORD;DATA?"), ">u2") == pytest.approx(256 * codes)
    assert bench.ask(":WAV:PRE?").split(",")[9] == "+32768"
    assert np.frombuffer(bench.block(":WAV:BYT LSBF;DATA?"), "<u2") == pytest.approx(256 * codes)
    assert len(bench.block(":WAV:FORM ASC;:WAV:POIN 100;DATA?").split(b",")) == 100


def test_keysight_sends_the_possible_number_of_points_below_the_one_asked_for() -> None:
    bench = Bench("keysight")
    assert bench.ask(":STOP", ":WAV:POIN:MODE RAW;:WAV:POIN 7000;POIN?") == "+5000"
    assert bench.ask(":WAV:POIN MAX;POIN?") == "+10000000"
    assert bench.ask(":WAV:POIN:MODE NORM;:WAV:POIN?") == "+62500"


def test_keysight_remembers_that_it_was_armed_and_triggered() -> None:
    bench = Bench("keysight")
    bench.ask(*ARM["keysight"])
    assert (bench.ask(":AER?"), bench.ask(":AER?"), bench.ask(":TER?")) == ("+1", "+0", "+0")
    bench.world.run()
    assert (bench.ask(":TER?"), bench.ask(":TER?")) == ("+1", "+0")


# Rigol.


def test_rigol_gives_its_memory_only_in_stop_and_in_parts() -> None:
    bench = Bench("rigol")
    bench.ask(":ACQ:MDEP 1200000", ":WAV:MODE RAW;FORM BYTE;STAR 1;STOP 250000")
    assert bench.block(":WAV:DATA?") == b""
    bench.ask(":STOP")
    assert len(bench.block(":WAV:DATA?")) == 250_000
    assert bench.ask(":WAV:STOP 250001", ":WAV:DATA?") == ""
    assert bench.ask(":SYST:ERR?").startswith("-222")
    # Parts follow each other without a gap.
    bench.digitizer.content = Content.RANDOM
    first = bench.block(":WAV:STAR 1;STOP 1000;DATA?")
    assert bench.block(":WAV:STAR 501;STOP 1000;DATA?") == first[500:]
    assert len(bench.block(":WAV:FORM WORD;DATA?")) == 1000


def test_rigol_divides_its_memory_among_channels_and_only_while_it_runs() -> None:
    bench = Bench("rigol")
    assert bench.ask(":ACQ:MDEP 120000", ":ACQ:MDEP?") == "120000"
    assert bench.ask(":STOP", ":ACQ:MDEP 12000", ":ACQ:MDEP?") == "120000"
    bench.ask(":RUN", ":CHAN2:DISP ON", ":ACQ:MDEP 12000")
    assert bench.ask(":SYST:ERR?").startswith("-222")
    assert bench.ask(":ACQ:MDEP 6000", ":ACQ:MDEP?") == "6000"


def test_rigol_vertical_origin_is_a_number_of_codes() -> None:
    bench = Bench("rigol")
    bench.ask(":STOP", ":CHAN1:SCAL 0.05;OFFS 0.1")
    fields = bench.ask(":WAV:PRE?").split(",")
    assert (fields[8], fields[9]) == ("50", "127")
    assert bench.ask(":WAV:YOR?") == "50"


def test_who_waits_for_a_trigger_is_let_go_when_the_power_goes_off() -> None:
    bench = Bench("tektronix")
    bench.ask(*ARM["tektronix"])
    waiting = Thread(target=bench.ask, args=("*OPC?",), daemon=True)
    waiting.start()
    # Others can talk to it meanwhile.
    assert bench.ask("BUSY?") == "1"
    bench.instrument.model.close()
    waiting.join(5.0)
    assert not waiting.is_alive()
