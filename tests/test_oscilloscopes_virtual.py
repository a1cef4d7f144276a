"""Each oscilloscope driver against the instrument that parses its SCPI: known signals, known codes."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np
import pytest
from toy_published import scope_spec

from drivers.keysight_infiniivision import KeysightInfiniiVision
from drivers.memory_wire import MemoryWire
from drivers.oscilloscope import Oscilloscope
from drivers.published_watch import at_ticks
from drivers.rigol_ds1000z import RigolDs1000z
from drivers.tektronix_mso4000 import TektronixMso4000
from rramlab.errors import LinkError, LinkFault
from rramlab.loop import Coefficients, LoopResult, LoopRun, Region
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.faults import Injector
from sim_backend.virtual.port import Plug
from sim_backend.virtual.scpi.digitizer import Content, Digitizer
from sim_backend.virtual.scpi.infiniivision import InfiniiVisionScope
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.rigol import RigolScope
from sim_backend.virtual.scpi.signals import Signals
from sim_backend.virtual.scpi.tektronix import TektronixScope
from sim_backend.virtual.tcp import TcpPort
from sim_backend.virtual.world import LoopWaveforms

MODELS: dict[str, tuple[Any, Any]] = {
    "tektronix": (TektronixMso4000, TektronixScope),
    "keysight": (KeysightInfiniiVision, InfiniiVisionScope),
    "rigol": (RigolDs1000z, RigolScope),
}
WIRING = {1: "x1", 2: "x2", 3: "switch"}
TICKS, TICK, VOLTS = 200, 5e-3, 0.1


def straight_run(began: float) -> LoopWaveforms:
    """Return a run whose states are straight lines, x1 = 0.5 + 0.3 t and x2 = -0.5 + 0.2 t."""
    time = TICK * np.arange(TICKS + 1)
    state = np.stack([0.5 + 0.3 * time, -0.5 + 0.2 * time], axis=1)[None]
    none = np.zeros(TICKS)
    coefficients = Coefficients(TICK, none, none, np.zeros((TICKS, 14)), none)
    run = LoopRun((Region((0, 1), (0, 1, 2)),), (1e-5,), 5.0, VOLTS, state[0, :1], coefficients)
    kept = LoopResult(state[:, -1], time, state, (), state, state.transpose(1, 0, 2), np.zeros(1))
    return LoopWaveforms(run, kept, began)


@final
class Table:
    """Hold what stands in for the world, a virtual oscilloscope, and the driver that leads to it."""

    def __init__(self, name: str) -> None:
        driver, model = MODELS[name]
        self.clock = VirtualClock()
        self.loop_waveforms: LoopWaveforms | None = None
        world: Any = self
        self.digitizer = Digitizer(Signals(world, WIRING), seed=4)
        self.model = model(self.digitizer)
        self.instrument = Instrument(self.model)
        self.talk = self.instrument.attach()
        wire = MemoryWire(lambda data: b"".join(self.talk.feed(data)))
        self.driver = driver
        self.scope: Oscilloscope = driver(scope_spec(), wire, self.clock)

    def begin_run(self) -> None:
        self.loop_waveforms = straight_run(self.clock.now())

    def armed(self, seconds: float = 1.3, points: int = 10_000) -> None:
        for channel, per_div, middle in ((1, 0.05, 0.0), (2, 0.05, -0.02), (3, 1.0, 1.65)):
            self.scope.channel(channel, per_div, middle)
        self.scope.timebase(seconds, points, 0.05)
        self.scope.trigger(3, 1.65)
        self.scope.single()


@pytest.fixture(params=sorted(MODELS))
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    made = Table(request.param)
    made.scope.open()
    yield made
    made.scope.close()


def test_a_run_is_recorded_once_it_begins(table: Table) -> None:
    table.armed()
    assert not table.scope.acquired()
    table.begin_run()
    assert table.scope.acquired()


def test_first_and_last_point_lie_where_they_were_taken(table: Table) -> None:
    table.armed()
    table.begin_run()
    assert table.scope.acquired()
    time = table.scope.waveform(1).time
    window = table.model._window()
    assert time[0] == -0.05
    step = window.step * window.points / time.size
    assert time[-1] == pytest.approx(-0.05 + step * (time.size - 1), abs=1e-3 * step)
    # The switch line rises at 0 s, to the point.
    switch = table.scope.waveform(3)
    assert switch.time[np.argmax(switch.volts > 1.65)] == pytest.approx(0.0, abs=1.001 * step)


def test_volts_are_those_at_the_input_to_a_code(table: Table) -> None:
    table.armed()
    table.begin_run()
    assert table.scope.acquired()
    for channel, begin, slope in ((1, 0.05, 0.03), (2, -0.05, 0.02)):
        waveform = table.scope.waveform(channel)
        true = begin + slope * np.clip(waveform.time, 0.0, TICK * TICKS)
        # Half a code of the converter, and five times the noise of its input, 0.3 codes.
        assert np.abs(waveform.volts - true).max() <= 2.0 * waveform.scaling.y_step
        assert abs((waveform.volts - true).mean()) < 0.1 * waveform.scaling.y_step
        # A code is 2 mV, the noise of a point with its rounding 0.42 codes. The end of a line through 19
        # points has twice the noise of their mean, 0.39 mV: 2 mV is five sigma (6e-7) in 201 ticks.
        at = at_ticks(waveform, TICKS)
        assert np.abs(at - (begin + slope * TICK * np.arange(TICKS + 1))).max() < 2e-3


@pytest.mark.parametrize("content", [Content.RANDOM, Content.LINEFEEDS])
def test_every_code_arrives_as_it_was_kept(table: Table, content: Content) -> None:
    table.armed(points=600_000)
    table.begin_run()
    assert table.scope.acquired()
    table.digitizer.content = content
    found = table.scope.waveform(2)
    kept = kept_codes(table, 2)
    assert found.codes.size >= 600_000
    assert np.array_equal(found.codes.view("u1"), kept.view("u1"))


def kept_codes(table: Table, channel: int) -> Any:
    """Return what the virtual instrument keeps: the longest of the records that it made of this channel."""
    made = [codes for (number, *_), codes in table.digitizer._known.items() if number == channel]
    pieces = [codes for codes in made if codes.size == max(codes.size for codes in made)]
    return pieces[0]


@pytest.mark.parametrize("name", ["keysight", "tektronix"])
def test_a_setting_that_the_instrument_does_not_take_is_told(name: str) -> None:
    table = Table(name)
    table.scope.open()
    with pytest.raises(LinkError, match="asked to show channel 1") as raised:
        table.scope.channel(1, 50.0)
    assert raised.value.fault is LinkFault.INSTRUMENT
    # What follows is not held up by it.
    table.scope.channel(1, 0.5)


def test_it_can_be_set_anew_while_it_waits_for_a_trigger(table: Table) -> None:
    # *OPC? is answered by some only when the acquisition is complete, which may be never.
    table.armed()
    table.scope.channel(1, 0.1)
    assert table.scope.acquired()
    table.armed()
    assert not table.scope.acquired()


def test_it_stops_when_it_is_made_safe(table: Table) -> None:
    table.armed()
    table.scope.safe()
    assert table.scope.acquired()
    table.begin_run()
    assert [finding.good for finding in table.scope.self_test()] == [True, True]


@pytest.mark.parametrize("name", sorted(MODELS))
def test_over_a_socket_it_is_the_same(name: str) -> None:
    table = Table(name)
    with TcpPort(Plug(table.instrument, Injector())) as port:
        resource = f"TCPIP0::127.0.0.1::{port.number}::SOCKET"
        scope: Oscilloscope = table.driver(scope_spec(resource=resource), clock=table.clock)
        table.scope = scope
        scope.open()
        table.armed(points=100_000)
        table.begin_run()
        assert scope.acquired()
        table.digitizer.content = Content.LINEFEEDS
        waveform = scope.waveform(1)
        assert waveform.codes.size >= 100_000
        assert set(waveform.codes.tolist()) == {10}
        scope.close()
