"""Each driver of a source meter against the instrument that parses its SCPI: a resistor at the terminals."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np
import pytest

from drivers.keithley2400 import Keithley2400
from drivers.keithley2450 import Keithley2450
from drivers.keysightb2900 import KeysightB2900
from drivers.memory_wire import MemoryWire
from drivers.scpi_meter import ScpiMeter
from drivers.spec import MeterSpec
from rramlab.errors import LinkError, LinkFault
from rramlab.reading import Staircase
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.faults import Injector
from sim_backend.virtual.hislip import HislipMachine
from sim_backend.virtual.port import Plug
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.meter2400 import Meter2400
from sim_backend.virtual.scpi.meter2450 import Meter2450
from sim_backend.virtual.scpi.meterb2900 import MeterB2900
from sim_backend.virtual.scpi.source_unit import SourceUnit, Terminals
from sim_backend.virtual.tcp import TcpPort

CONDUCTANCE = 1e-3
MODELS = {
    "2400": (Keithley2400, Meter2400),
    "2450": (Keithley2450, Meter2450),
    "B2900": (KeysightB2900, MeterB2900),
}


@final
class Resistor(Terminals):
    """Hold a resistor, and remember every voltage that came to the terminals."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.outputs: list[float | None] = []

    def meter(self, volts: float, compliance: float, seconds: float) -> float:
        self.clock.sleep(seconds)
        return float(np.clip(CONDUCTANCE * volts, -compliance, compliance))

    def output(self, volts: float | None) -> None:
        self.outputs.append(volts)


@final
class Table:
    """Hold a virtual meter with its resistor, and the driver that leads to it."""

    def __init__(self, name: str) -> None:
        driver, model = MODELS[name]
        clock = VirtualClock()
        self.resistor = Resistor(clock)
        self.model: Any = model(SourceUnit(self.resistor, clock))
        self.instrument = Instrument(self.model)
        self.talk = self.instrument.attach()
        self.silent = False
        wire = MemoryWire(self.answer)
        self.meter: ScpiMeter = driver(MeterSpec(use=name, resource="memory"), wire)

    def answer(self, sent: bytes) -> bytes:
        return b"" if self.silent else b"".join(self.talk.feed(sent))

    @property
    def is_on(self) -> bool:
        return bool(self.resistor.outputs) and self.resistor.outputs[-1] is not None


@pytest.fixture(params=sorted(MODELS))
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    made = Table(request.param)
    made.meter.open()
    yield made
    made.meter.close()
    made.model.close()


def staircase(steps: int = 200, compliance: float = 1e-3) -> Staircase:
    half = steps // 2
    return Staircase(
        np.r_[np.linspace(0, 1.5, half), np.linspace(1.5, -0.5, steps - half)], 3.0, compliance, 2e-3
    )


def swept(table: Table, steps: Staircase) -> Any:
    table.meter.start_sweep(steps)
    assert table.meter.sweep_done()  # virtual time has passed
    return table.meter.fetch_sweep()


def test_it_opens_with_the_output_off_and_without_an_error(table: Table) -> None:
    assert table.meter.is_off() and not table.is_on
    assert all(found.good for found in table.meter.self_test())
    assert table.meter.interlock_closed()


@pytest.mark.parametrize(("volts", "amperes"), [(0.2, 0.2e-3), (-0.5, -0.5e-3), (1.5, 1e-3)])
def test_a_reading_is_that_of_the_resistor_or_of_the_compliance(
    table: Table, volts: float, amperes: float
) -> None:
    table.meter.arm(1e-3)
    table.meter.output_on()
    table.meter.source(volts)
    found = table.meter.measure()
    # Noise of a reading: 2e-6 of the range of 1 mA; 1e-7 A is fifty times that.
    assert found == (pytest.approx(volts), pytest.approx(amperes, abs=1e-7))
    assert table.meter.in_compliance() == (abs(volts) > 1.0)


def test_the_smallest_compliance_holds(table: Table) -> None:
    table.meter.arm(100e-9)
    table.meter.output_on()
    table.meter.source(0.2)
    assert table.meter.measure()[1] == pytest.approx(100e-9, rel=1e-2)
    table.meter.arm(1e-2)  # and a larger one after it
    table.meter.output_on()
    table.meter.source(0.2)
    assert table.meter.measure()[1] == pytest.approx(0.2e-3, abs=1e-6)


def test_a_sweep_of_200_steps_in_one_transfer(table: Table) -> None:
    table.meter.arm(1e-3)
    table.meter.output_on()
    steps = staircase()
    curve = swept(table, steps)
    expected = np.clip(CONDUCTANCE * steps.voltages, -1e-3, 1e-3)
    np.testing.assert_allclose(curve.voltage, steps.voltages, atol=1e-5)
    np.testing.assert_allclose(curve.current, expected, atol=1e-6)
    np.testing.assert_allclose(np.diff(curve.time), 2e-3, rtol=0.05)
    beyond = np.abs(CONDUCTANCE * steps.voltages)
    clear = np.abs(beyond - 1e-3) > 1e-5  # at the very compliance either is right
    assert (curve.limited == (beyond > 1e-3))[clear].all()
    table.meter.output_off()
    assert table.meter.is_off() and not table.is_on


def test_after_a_sweep_the_terminals_are_at_zero_and_single_readings_go_on(table: Table) -> None:
    table.meter.arm(1e-3)
    table.meter.output_on()
    swept(table, staircase(steps=30))
    assert table.resistor.outputs[-1] in (0.0, None)
    table.meter.arm(1e-3)
    table.meter.output_on()
    table.meter.source(0.1)
    assert table.meter.measure()[1] == pytest.approx(0.1e-3, abs=1e-7)
    assert swept(table, staircase(steps=20)).voltage.size == 20


@pytest.mark.parametrize("steps", [1, 2, 101, 2500])
def test_sweeps_of_any_length(table: Table, steps: int) -> None:
    table.meter.arm(1e-3)
    table.meter.output_on()
    volts = np.linspace(0.01, 0.2, steps)
    curve = swept(table, Staircase(volts, 3.0, 1e-3, 1e-3))
    np.testing.assert_allclose(curve.voltage, volts, atol=1e-5)
    np.testing.assert_allclose(curve.current, CONDUCTANCE * volts, atol=1e-6)


def test_a_voltage_beyond_the_range_takes_a_larger_one(table: Table) -> None:
    table.meter.arm(1e-1, reach=1.0)
    table.meter.output_on()
    table.meter.source(12.0)
    assert table.meter.measure() == (pytest.approx(12.0), pytest.approx(12e-3, rel=1e-3))


def test_an_instrument_that_was_reset_behind_our_back_stays_off(table: Table) -> None:
    table.meter.arm(1e-6)
    table.instrument.execute("*RST")  # compliance and ranges are those of the factory again
    with pytest.raises(LinkError) as error:
        table.meter.output_on()
    assert error.value.fault is LinkFault.MISMATCH and not table.is_on


def test_a_front_panel_that_switched_off_is_noticed(table: Table) -> None:
    table.meter.arm(1e-3)
    table.meter.output_on()
    table.instrument.execute(":OUTP 0")
    with pytest.raises(LinkError, match="output is off"):
        table.meter.measure()


def test_safe_ends_a_session_wherever_it_is(table: Table) -> None:
    table.meter.arm(1e-3)
    table.meter.output_on()
    table.meter.start_sweep(staircase(steps=10))
    table.meter.safe()
    assert table.meter.is_off() and not table.is_on


def test_an_instrument_that_falls_silent_is_off_when_it_answers_again(table: Table) -> None:
    table.meter.arm(1e-3)
    table.meter.output_on()
    table.silent = True
    with pytest.raises(LinkError) as error:
        table.meter.measure()
    assert error.value.fault is LinkFault.TIMEOUT and table.is_on
    table.silent = False
    assert table.meter.is_off() and not table.is_on
    with pytest.raises(LinkError, match="not armed"):
        table.meter.output_on()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_switching_off_from_outside_over_a_link_of_its_own(name: str) -> None:
    table = Table(name)
    with TcpPort(Plug(table.instrument, Injector())) as port:
        spec = MeterSpec(use=name, resource=port.resource)
        meter = MODELS[name][0](spec)
        meter.open()
        meter.arm(1e-3)
        meter.output_on()
        meter.source(0.5)
        assert table.is_on
        found = MODELS[name][0].switch_off(spec)
        assert found.good and not table.is_on
        meter.close()
    assert not MODELS[name][0].switch_off(spec).good  # nobody there any more
    table.model.close()


def test_a_2450_in_another_language_is_left_alone() -> None:
    table = Table("2450")
    table.model.language = "TSP"
    with pytest.raises(LinkError, match="Command Set > SCPI"):
        table.meter.open()


def test_a_session_over_hislip() -> None:
    table = Table("2450")
    with TcpPort(Plug(HislipMachine(table.instrument, lambda: 0), Injector())) as port:
        meter = Keithley2450(
            MeterSpec(use="2450", resource=f"TCPIP0::127.0.0.1::hislip0,{port.number}::INSTR", timeout=0.5)
        )
        meter.open()
        meter.arm(1e-3)
        meter.output_on()
        meter.source(0.1)
        assert meter.measure()[1] == pytest.approx(0.1e-3, abs=1e-7)
        table.meter = meter
        curve = swept(table, staircase())
        assert curve.voltage.size == 200
        with pytest.raises(LinkError) as error:
            meter.scpi.link.query("*CLS", timeout=0.05)  # a command that is never answered
        assert error.value.fault is LinkFault.TIMEOUT and table.is_on is False
        assert meter.is_off() and meter.scpi.link.openings == 2
        meter.close()
    table.model.close()
