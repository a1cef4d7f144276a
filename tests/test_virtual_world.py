"""The world on the table is the simulated macro with lines, a time, and a memory that outlives it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rramlab.cells import Cells
from rramlab.errors import InputError, LimitExceeded
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.pulse import Pulse, PulseTrain
from rramlab.reading import ReadSpec, Staircase
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.virtual.clock import RealClock, VirtualClock
from sim_backend.virtual.pace import Outbox, Pace
from sim_backend.virtual.world import World, hard_limits

OPTIONS = Options(macros=1, rows=8, cols=8)
ALL = Cells.of_shape((8, 8))
READ = ReadSpec()
SET = PulseTrain.of(ALL, Pulse.parse("SET 1.4V gate=1.3V 1us"))


def loop_run() -> LoopRun:
    """Return a small run: 2 inputs, 2 hidden layers of 2, 2 outputs, on the diagonal of the macro."""
    layers = tuple(Region((2 * i, 2 * i + 1), (2 * i, 2 * i + 1, 7)) for i in range(3))
    ones, ticks = np.ones(20), 20
    coefficients = Coefficients(1e-3, -ones, ones, np.zeros((ticks, 2)), 0 * ones)
    start = np.array([[0.5, -0.5], [0.1, 0.2]])
    return LoopRun(layers, (20e-6,) * 3, 1.0, 0.1, start, coefficients, 1, 2)


def test_the_same_requests_give_the_same_bits_as_the_simulation() -> None:
    volts = np.array([0.0, 0.3, 0.6, 0.3, 0.0])
    with World(OPTIONS, seed=4) as world, SimBackend(OPTIONS, seed=4) as sim:
        world.connect((2, 3), 2.0)
        for seconds in (0.1, 1e6 + 0.7, 3.3):
            assert (world.read(ALL, READ) == sim.read(ALL, READ)).all()
            assert (world.pulse(SET) == sim.pulse(SET)).all()
            world.identify()
            world.wait(seconds)
            sim.wait(seconds)
            product = np.full((2, 8), 0.1)
            assert (world.multiply(product, 0) == sim.multiply(product, 0)).all()
            swept = sim.sweep(Cells.parse("r2c3"), Staircase(volts, 2.0, 1e-4))
            assert [world.meter(float(v), 1e-4, 1e-3) for v in volts] == swept.current.tolist()
        run = loop_run()
        assert (world.solve(run).end == sim.solve(run).end).all()
        assert world.clock.now() == sim.now()


def test_a_macro_lives_on_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "macro.npz"
    with World(OPTIONS, seed=4) as world:
        world.pulse(SET)
        world.clock.sleep(3.0)
        world.save(path)
        later = world.read(ALL, READ)
    with World(OPTIONS, seed=99) as heir:
        heir.load(path)
        assert (heir.read(ALL, READ) == later).all()
        assert heir.pulses_seen.sum() == 64 and heir.clock.now() > 3.0
    assert [file.name for file in tmp_path.iterdir()] == ["macro.npz"]


def test_time_passes_for_a_macro_on_a_real_clock_while_nobody_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "macro.npz"
    with World(OPTIONS, clock=RealClock()) as world:
        world.save(path)
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: 4e9)
        with World(OPTIONS, clock=RealClock()) as heir:
            heir.load(path)
    assert heir.clock.now() > 1e9


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "macro.npz"
    path.write_bytes(b"nothing")
    with World(OPTIONS) as world, pytest.raises(InputError, match="remove it"):
        world.load(path)


def test_another_macro_is_not_taken_for_this_one(tmp_path: Path) -> None:
    path = tmp_path / "macro.npz"
    with World(OPTIONS) as world:
        world.save(path)
    with World(Options(macros=1, rows=4, cols=4)) as other, pytest.raises(InputError):
        other.load(path)


def test_each_pulse_is_seen_and_none_is_forbidden_by_history() -> None:
    reset = PulseTrain.of(Cells.parse("r1c1"), Pulse.parse("RESET 1.2V gate=3.3V 1us"))
    with World(OPTIONS) as world:
        for _ in range(30):
            world.pulse(reset)
            world.read(ALL, READ)
        assert world.pulses_seen[1, 1] == world.pulses_seen.sum() == 30


def test_a_fresh_macro_can_be_formed() -> None:
    with World(OPTIONS.model_copy(update={"formed": False})) as world:
        world.pulse(PulseTrain.of(ALL, Pulse.parse("FORM 3.3V gate=1.4V 100us")))
        # Three of four at least: single cells cannot be formed.
        assert (world.read(ALL, READ) > 5e-6).mean() > 0.75


def test_what_the_macro_does_not_survive_is_a_violation() -> None:
    with World(OPTIONS) as world:
        with pytest.raises(LimitExceeded):
            world.pulse(replace(SET, drive=np.full(64, 2.6)))
        assert len(world.violations) == 1 and world.pulses_seen.sum() == 0


def test_the_source_meter_sees_the_cell_that_is_connected() -> None:
    with World(OPTIONS) as world:
        read = world.read(ALL, READ).reshape(8, 8)
        assert world.meter(0.2, 1e-4, 1e-3) == 0.0
        world.connect((3, 4), 3.3)
        # 2 uS: far more than the read noise of a cell at 20 uS or so.
        assert world.meter(0.2, 1e-4, 1e-3) / 0.2 == pytest.approx(read[3, 4], abs=2e-6)
        assert world.meter(3.0, 1e-4, 1e-3) == 0.0 and len(world.violations) == 1


def test_the_order_of_gate_and_drain_is_watched() -> None:
    with World(OPTIONS) as world:
        world.connect((1, 1), 3.3)
        world.set_output("meter", 0.0)
        world.set_output("meter", 0.5)
        assert world.off_at is None
        world.set_output("meter", None)
        world.set_gate(0.0)
        world.connect(None)
        assert world.violations == [] and world.off_at is not None


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([("connect", (1, 1), 0.0), ("set_output", "m", 0.5)], "before the gate"),
        ([("connect", (1, 1), 1.0), ("set_output", "m", 0.5), ("set_gate", 0.0)], "before the drain"),
        ([("set_output", "m", 0.5)], "no cell connected"),
        ([("set_gate", 1.0)], "no cell connected"),
        ([("connect", (1, 1), 1.0), ("connect", (1, 2), 1.0)], "lines live"),
        ([("connect", (1, 1), 0.0), ("set_output", "m", 0.0), ("connect", None)], "lines live"),
        ([("connect", (1, 1), 0.0), ("set_loop", True)], "source meter"),
    ],
)
def test_what_would_harm_is_noted(steps: list[tuple[object, ...]], told: str) -> None:
    with World(OPTIONS) as world:
        for verb, *values in steps:
            getattr(world, str(verb))(*values)
        assert [told in violation.text for violation in world.violations] == [True]


def test_an_emergency_takes_the_lines_of_the_board_off_but_no_instrument() -> None:
    with World(OPTIONS) as world:
        world.connect((1, 1), 3.3)
        world.set_output("meter", 0.5)
        world.safe()
        assert world.lines.cell is None and world.lines.gate == 0.0 and world.off_at is None
        world.set_output("meter", None)
        assert world.off_at is not None and world.violations == []


def test_the_hard_limits_are_those_of_the_fields() -> None:
    limits = hard_limits()
    assert (limits.v_set, limits.v_reset, limits.gate, limits.width) == (2.5, 2.8, 3.63, 1e-3)


def test_the_waveforms_of_the_last_run_stay_for_the_oscilloscope() -> None:
    with World(OPTIONS) as world:
        world.clock.sleep(2.0)
        result = world.solve(loop_run())
        seen = world.loop_waveforms
        assert seen is not None and seen.result is result and seen.began == 2.0


# Speed of the line.


def test_bytes_take_ten_bits_each_without_a_drift() -> None:
    clock = VirtualClock()
    pace = Pace(9600, clock)
    for _ in range(960):
        pace.spend(1)
    assert clock.now() == pytest.approx(1.0)
    clock.sleep(5.0)
    pace.spend(96)
    assert clock.now() == pytest.approx(6.1)
    Pace(0, clock).spend(10**9)
    assert clock.now() == pytest.approx(6.1)


def test_a_long_message_is_handed_on_piece_by_piece() -> None:
    clock = VirtualClock()
    outbox = Outbox(Pace(9600, clock))
    outbox.put(bytes(range(96)))
    assert outbox.due() == bytes(range(96)) and clock.now() == pytest.approx(0.1)
    assert len(Pace(9600, clock).pieces(bytes(96))) == 24
