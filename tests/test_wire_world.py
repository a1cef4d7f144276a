"""One macro, two doors: the simulation in this process, and the bench of instruments over loopback links."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_contract import PROMISES
from typer.testing import CliRunner
from wire_bench import MAKERS, SMALL, WireBench, wire_bench

from protocols.write_verify import WriteVerify
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.contract import check_backend
from rramlab.errors import LimitExceeded, LinkError
from rramlab.limits import Limits
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.pulse import Delivery, Pulse, PulseTrain
from rramlab.reading import Staircase
from rramlab.recorder import Event, MemoryRecorder
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.virtual.faults import Fault, When

CELL = Cells.parse("r3c4")


@pytest.fixture
def bench() -> Iterator[WireBench]:
    with wire_bench() as made:
        yield made


@pytest.mark.parametrize(("meter", "scope"), MAKERS)
def test_a_bench_of_every_maker_keeps_every_promise(meter: str, scope: str) -> None:
    with wire_bench(meter, scope) as made:
        assert check_backend(made.backend) == PROMISES


def test_a_bench_on_the_clock_of_this_computer_keeps_every_promise() -> None:
    with wire_bench(clock="real") as made:
        assert check_backend(made.backend) == PROMISES


# The same seed through both doors.


def program(backend: Backend, seed: int = 1) -> np.ndarray:
    cells = Cells.of_shape(backend.shape)
    targets = np.random.default_rng(seed).uniform(20e-6, 100e-6, len(cells))
    with backend:
        WriteVerify(backend).program(cells, targets)
        return backend.read_all()


def deeds(recorder: MemoryRecorder) -> list[Event]:
    return [event for event in recorder.events if event.stage != "note"]


@pytest.mark.parametrize("side", [8, 32])
def test_write_verify_takes_the_same_path_through_both_doors(side: int) -> None:
    options, wired, simulated = Options(macros=1, rows=side, cols=side), MemoryRecorder(), MemoryRecorder()
    with wire_bench(options=options, seed=5) as made:
        over_the_wire = program(made.backend(wired))
        assert made.world.pulses_seen.sum() == sum(
            len(event.columns["row"])
            for event in deeds(wired)
            if (event.verb, event.stage) == ("pulse", "request")
        )
    in_process = program(SimBackend(options, recorder=simulated, seed=5))
    for ours, theirs in zip(deeds(wired), deeds(simulated), strict=True):
        assert (ours.verb, ours.stage, ours.facts) == (theirs.verb, theirs.stage, theirs.facts)
        assert all(np.array_equal(ours.columns[name], theirs.columns[name]) for name in theirs.columns)
    # Not only within the resolution of a converter: to the last bit.
    assert np.array_equal(over_the_wire, in_process)


def test_what_the_board_pulses_is_what_the_source_meter_measures(bench: WireBench) -> None:
    train = PulseTrain.of(CELL, Pulse.parse("SET 1.6V gate=1.4V 1us"))
    simulated = SimBackend(SMALL, seed=0)
    curves = []
    for backend in (bench.backend(), simulated):
        with backend:
            before = backend.sweep(CELL, Staircase(np.linspace(0, 0.2, 5), 3.3, 1e-4))
            backend.pulse(train)
            after = backend.sweep(CELL, Staircase(np.linspace(0, 0.2, 5), 3.3, 1e-4))
        curves.append((before.current[-1], after.current[-1]))
    (low, high), (low_simulated, high_simulated) = curves
    assert high > 3 * low
    assert low == pytest.approx(low_simulated, rel=0.2)
    assert high == pytest.approx(high_simulated, rel=0.2)


def test_an_iv_of_200_points_is_that_of_the_simulation() -> None:
    stairs = Staircase(np.r_[np.linspace(0, 1.2, 100), np.linspace(1.2, 0, 100)], gate=1.3, compliance=5e-5)
    with SimBackend(SMALL, seed=0) as simulated:
        theirs = simulated.sweep(CELL, stairs)
    for meter, scope in MAKERS:
        with wire_bench(meter, scope) as made, made.backend() as backend:
            ours = backend.sweep(CELL, stairs)
            after = backend.read(CELL)[0]
        assert np.allclose(ours.voltage, theirs.voltage, atol=1e-6)
        assert np.allclose(ours.current, theirs.current, atol=2e-8)  # the meter has a resolution
        assert np.allclose(ours.time, theirs.time, atol=1e-6)
        assert after > 10e-6  # it was a SET


def test_the_record_of_an_iv_says_where_the_compliance_held() -> None:
    stairs = Staircase(np.linspace(0, 1.2, 25), gate=1.3, compliance=5e-6)
    with wire_bench(options=SMALL) as made:
        wired, simulated = MemoryRecorder(), MemoryRecorder()
        for backend in made.backend(wired), SimBackend(SMALL, recorder=simulated, seed=0):
            with backend:
                backend.sweep(CELL, stairs)
    for recorder in wired, simulated:
        answer = deeds(recorder)[-1].columns
        assert not answer["limited"][0] and answer["limited"][-1]
        assert (np.abs(answer["current"][answer["limited"]]) > 4e-6).all()
        assert answer["voltage"][-1] == pytest.approx(1.2)  # the one that was programmed


def test_a_product_is_that_of_the_simulation(bench: WireBench) -> None:
    volts = np.random.default_rng(0).uniform(0, 0.1, (3, 8))
    with bench.backend() as wired, SimBackend(SMALL, seed=0) as simulated:
        ours, theirs = wired.multiply(volts), simulated.multiply(volts)
    assert np.allclose(ours, theirs, rtol=1e-6, atol=1e-12)


def loop_run() -> LoopRun:
    ticks, runs = 40, 3
    rng = np.random.default_rng(2)
    layers = Region((0, 1), (0, 1, 2)), Region((2, 3), (0, 1, 2)), Region((4, 5), (3, 4, 5))
    embedding = rng.normal(0.0, 0.1, (ticks, 2))
    coefficients = Coefficients(
        5e-3, np.full(ticks, -1.0), np.full(ticks, 0.5), embedding, np.full(ticks, 0.1)
    )
    return LoopRun(layers, (2e-5,) * 3, 1.0, 0.1, rng.normal(0, 0.5, (runs, 2)), coefficients, kept=2)


def test_a_closed_loop_run_is_that_of_the_simulation(bench: WireBench) -> None:
    with bench.backend() as wired, SimBackend(SMALL, seed=0) as simulated:
        ours, theirs = wired.solve(loop_run()).record(), simulated.solve(loop_run()).record()
    assert ours.keys() == theirs.keys()
    for name, column in theirs.items():
        assert np.allclose(ours[name], column, rtol=1e-5, atol=1e-6 * np.abs(column).max()), name


# Limits, twice.


def test_the_limits_of_the_bench_file_stand_on_the_board_as_well(bench: WireBench) -> None:
    train = PulseTrain.of(CELL, Pulse.parse("SET 1.6V gate=1.4V 1us"))
    with bench.backend(limits=Limits(v_set=1.5, v_set_open_gate=1.5)) as backend:
        with pytest.raises(LimitExceeded):
            backend.pulse(train)
        backend.limits = Limits()  # a host that has lost its mind
        with pytest.raises((LimitExceeded, LinkError), match="v_set"):
            backend.pulse(train)
    assert bench.world.pulses_seen.sum() == 0


# As a person sees it.


def shell(*words: str, folder: Path, text: str) -> tuple[int, str]:
    file = folder / "wire.toml"
    file.write_text(text)
    result = CliRunner().invoke(app, ["--bench", str(file), *words])
    return result.exit_code, result.output


def test_bench_check_lists_every_part(bench: WireBench, tmp_path: Path) -> None:
    code, out = shell("--json", "bench", "check", folder=tmp_path, text=bench.text)
    assert code == 0, out
    told = json.loads(out)
    assert told["bench"] == "wire"
    assert "MODEL 2450" in told["source_meter"]
    assert "RIGOL" in told["oscilloscope"]
    assert all(found["good"] for found in told["findings"])
    assert told["can"] == "multiply, pulse, read, solve, sweep, wait"


def test_bench_check_prints_the_good_parts_beside_a_missing_one(bench: WireBench, tmp_path: Path) -> None:
    bench.virtual.ports["oscilloscope"].unplug()
    code, out = shell("bench", "check", folder=tmp_path, text=bench.text)
    assert code == 7
    assert "MODEL 2450" in out
    assert "NOT OK" in out
    assert "bench 'wire' is not ready: oscilloscope (see the table); nothing was switched on" in out


def test_bench_check_finds_an_output_that_was_left_on_and_switches_it_off(
    bench: WireBench, tmp_path: Path
) -> None:
    # What a process that died would have left.
    parts = bench.backend()._parts
    assert parts.meter is not None and parts.board is not None
    parts.meter.open()
    parts.board.open()
    parts.meter.arm(1e-5)
    parts.board.connect(CELL, 1.2, 1)
    parts.meter.output_on()
    parts.meter.source(0.1)
    parts.meter.close()
    parts.board.close()
    assert bench.world.lines.driven
    assert shell("bench", "check", folder=tmp_path, text=bench.text)[0] == 0
    assert not bench.world.lines.driven


def test_a_bench_with_another_size_than_its_file_says_is_refused(bench: WireBench, tmp_path: Path) -> None:
    code, out = shell("read", folder=tmp_path, text=bench.text.replace("rows = 8", "rows = 16"))
    assert code == 7
    assert "the bench file says 1 macros of 16 x 8, but the board has 1 macros of 8 x 8" in " ".join(
        out.split()
    )


# When things break.

NOISE = (Fault.LOSE_REQUEST, Fault.LOSE_REPLY, Fault.FLIP, Fault.FLIP_REQUEST, Fault.TWICE, Fault.GARBAGE)


def test_write_verify_goes_on_over_a_bad_line_and_resets_of_the_board_and_counts_every_pulse() -> None:
    recorder = MemoryRecorder()
    with wire_bench(seed=5) as made:
        for fault in NOISE:
            made.virtual.set_fault("board", fault, When.probability(0.03))
        made.virtual.set_fault("board", Fault.RESET_DURING, When.nth(70))
        made.virtual.set_fault("board", Fault.RESET_AFTER, When.nth(150))
        hasty = made.backend()._options.board
        assert hasty is not None
        impatient = hasty.model_copy(update={"timeout": 0.05, "retries": 10})
        achieved = program(made.backend(recorder, board=impatient))
        seen = made.world.pulses_seen
    targets = np.random.default_rng(1).uniform(20e-6, 100e-6, 64).reshape(8, 8)
    # A stuck or unformed cell is possible; the median cell is not one.
    assert np.median(np.abs(achieved - targets)) < 1.5e-6
    applied, unknown = (fates(recorder, fate) for fate in (Delivery.APPLIED, Delivery.UNKNOWN))
    assert unknown.sum() > 0
    assert (applied <= seen).all()
    assert (seen <= applied + unknown).all()


def fates(recorder: MemoryRecorder, fate: Delivery) -> np.ndarray:
    """Return how many pulses of each cell had this fate, by the record."""
    counted, asked = np.zeros((8, 8), dtype=int), {}
    for event in deeds(recorder):
        if event.verb == "pulse" and event.stage == "request":
            asked[event.number] = event.columns
        elif event.verb == "pulse":
            which, cells = event.columns["delivery"] == fate, asked[event.number]
            np.add.at(counted, (cells["row"][which], cells["col"][which]), 1)
    return counted
