"""Hidden errors on the wire: board and source meter tell what the simulation in this process tells."""

from pathlib import Path

import numpy as np
import pytest
from wire_bench import wire_bench

from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.reading import Staircase
from sim_backend.backend import SimBackend
from sim_backend.options import ErrorOptions, Options
from sim_backend.virtual.bench import METERS
from sim_backend.virtual.world import World

WRONG = Options(macros=1, rows=8, cols=8, errors=ErrorOptions(seed=7, meter_offset_i=1e-6))
CELL = Cells.parse("r3c4")


def loop_run() -> LoopRun:
    layers = Region((0, 1), (0, 1, 2)), Region((2, 3), (0, 1, 2)), Region((4, 5), (3, 4, 5))
    ones = np.ones(20)
    coefficients = Coefficients(5e-3, -ones, 0.5 * ones, np.zeros((20, 2)), 0.1 * ones)
    return LoopRun(layers, (2e-5,) * 3, 1.0, 0.1, np.array([[0.5, -0.4]]), coefficients)


def test_board_and_source_meter_have_the_errors_of_the_simulation() -> None:
    volts, stairs = np.full((2, 8), 0.1), Staircase(np.linspace(-0.1, 0.1, 5), 3.3, 1e-4)
    with wire_bench(options=WRONG, seed=5) as made:
        with made.backend() as wired, SimBackend(WRONG, seed=5) as simulated:
            cells = Cells.of_shape(wired.shape)
            assert np.array_equal(wired.read(cells), simulated.read(cells))
            assert np.allclose(wired.multiply(volts), simulated.multiply(volts), rtol=1e-6, atol=1e-12)
            swept = [backend.sweep(CELL, stairs) for backend in (wired, simulated)]
            # The meter has noise and a resolution; its offset is far more.
            assert np.allclose(swept[0].current, swept[1].current, rtol=0, atol=2e-8)
            assert abs(swept[0].current[2]) > 1e-7
            runs = [backend.solve(loop_run()).end for backend in (wired, simulated)]
            assert np.allclose(runs[0], runs[1], rtol=1e-5, atol=1e-6)
        assert Bench.parse(made.text).calibration is not None


def test_an_ideal_bench_tells_something_else() -> None:
    with SimBackend(WRONG, seed=5) as wrong, SimBackend(WRONG.model_copy(update={"errors": None})) as ideal:
        assert np.abs(wrong.read_all() / ideal.read_all() - 1).max() > 0.05


@pytest.mark.parametrize("meter", METERS)
def test_board_and_source_meter_are_known_by_their_serials(meter: str) -> None:
    with wire_bench(meter, options=WRONG) as made, made.backend() as backend:
        who = backend.identify()
    assert "serial sim-board-7" in who["board"] and "serial sim-meter-7" in who["source_meter"]


def test_the_offset_of_the_source_meter_is_there_without_a_cell(tmp_path: Path) -> None:
    with World(WRONG) as world:
        errors = SimBackend(WRONG).errors
        assert errors is not None and world.meter(0.2, 1e-4, 1e-3) == errors.meter.offset_i != 0.0
        world.save(tmp_path / "macro.npz")
        later = world.read(CELL, Bench.load(None).reading.spec())
    with World(WRONG) as heir:
        heir.load(tmp_path / "macro.npz")
        assert heir.read(CELL, Bench.load(None).reading.spec()) == later
