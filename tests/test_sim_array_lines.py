"""Lines of the array: addressing, series resistance, half-select in both orientations, seeds and threads."""

import hashlib

import numba
import numpy as np
import pytest

from sim_backend.array import Array, Orientation
from sim_backend.population import Population
from sim_backend.preset import Preset

GOOD = {"yields.unformable": 0.0, "yields.stuck_lrs": 0.0, "yields.reduced": 0.0}
BL, SL = Orientation.WL_PARALLEL_BL, Orientation.WL_PARALLEL_SL


def build(
    rows: int, cols: int, macros: int = 1, seed: int = 0, orientation: Orientation = BL, inhibit: float = 1.0
) -> tuple[Array, np.random.Generator]:
    rng = np.random.default_rng(seed)
    pop = Population.draw(Preset.load("taox180").override(GOOD), rows * cols * macros, rng)
    return Array(pop, rows, cols, macros, orientation, inhibit=inhibit), rng


def test_addressing_covers_every_cell_once() -> None:
    array, _ = build(3, 5, 2)
    m, r, c = np.meshgrid(range(2), range(3), range(5), indexing="ij")
    assert np.array_equal(array.index(r, c, m), np.arange(30))
    assert array.index(2, 4).tolist() == [14]
    with pytest.raises(ValueError, match="row 3 to 3 was asked for; 0 to 2"):
        array.index(3, 0)
    with pytest.raises(ValueError, match="the population has 30 cells"):
        Array(array.population, 4, 5, 2)


def test_one_cell_is_an_array_too() -> None:
    array, rng = build(1, 1)
    array.population.load(50e-6, rng)
    assert array.read([0], 0.2, 3.3, 1.0, 1e-3, rng) == pytest.approx([46e-6], rel=0.2)
    array.pulse([0], 0.0, 1.5, 3.3, 1e-6, 2.0, rng)
    assert array.population.filament([0], 2.0)[0] < 30e-6


def test_line_resistance_grows_with_the_distance_from_the_drivers() -> None:
    array, rng = build(8, 8)
    array.r_line, array.r_switch = 10.0, 100.0
    series = array.series(np.arange(64)).reshape(8, 8)
    assert series[0, 0] == 120.0
    assert series[7, 7] == 260.0
    assert np.array_equal(series, series.T)
    array.population.load(100e-6, rng)
    near, far = array.conductance([0, 0 + 63], 0.2, 3.3, 0.0)
    bare = array.population.conductance([0, 63], 0.2, 3.3, 0.0)
    # A path's resistance is the sum of what is in it, but for the mild nonlinearity of the filament.
    assert 1 / far - 1 / bare[1] == pytest.approx(260.0, rel=0.05)
    assert 1 / near - 1 / bare[0] == pytest.approx(120.0, rel=0.05)


def victims(orientation: Orientation, inhibit: float, v_bl: float, v_sl: float, g: float) -> np.ndarray:
    array, rng = build(4, 8, orientation=orientation, inhibit=inhibit)
    array.population.load(g, rng)
    array.population.cells.bank[:] = 0.0
    array.pulse(array.index(1, 3), v_bl, v_sl, 2.0 if v_bl > v_sl else 3.3, 1e-6, 0.0, rng)
    moved = np.abs(array.population.cells.conductance - g).reshape(4, 8) > 1e-6
    assert moved[1, 3]
    moved[1, 3] = False
    return moved


@pytest.mark.parametrize(
    ("orientation", "v_bl", "v_sl", "g", "stressed"),
    [
        (BL, 1.2, 0.0, 10e-6, True),
        (BL, 0.0, 1.2, 100e-6, False),
        (SL, 1.2, 0.0, 10e-6, False),
        (SL, 0.0, 1.2, 100e-6, True),
    ],
)
def test_half_selected_cells_feel_one_polarity(
    orientation: Orientation, v_bl: float, v_sl: float, g: float, stressed: bool
) -> None:
    row = np.zeros((4, 8), bool)
    row[1] = stressed
    row[1, 3] = False
    assert np.array_equal(victims(orientation, 0.0, v_bl, v_sl, g), row)
    assert not victims(orientation, 1.0, v_bl, v_sl, g).any()
    assert not victims(orientation, 0.9, v_bl, v_sl, g).any()


def test_half_selected_cell_moves_as_if_pulsed_itself() -> None:
    array, rng = build(1, 2, inhibit=0.0)
    array.population.load(10e-6, rng)
    array.pulse([0], 1.2, 0.0, 2.0, 1e-6, 0.0, rng)
    twin, rng = build(1, 2, inhibit=0.0)
    twin.population.load(10e-6, rng)
    twin.population.bias([0], 1.2, 0.0, 2.0, 1e-6, 0.0, 0.0, rng)
    twin.population.bias([1], 1.2, 0.0, 2.0, 1e-6, 0.0, 0.0, rng)
    assert np.array_equal(array.population.cells.conductance, twin.population.cells.conductance)


def test_a_whole_row_in_one_call_stresses_each_cell_by_each_other() -> None:
    array, rng = build(2, 6, inhibit=0.0)
    array.population.load(10e-6, rng)
    array.pulse(array.index(0, np.arange(6)), 1.0, 0.0, 2.0, 1e-6, np.arange(6) * 1e-3, rng)
    alone, rng = build(2, 6, inhibit=1.0)
    alone.population.load(10e-6, rng)
    alone.pulse(alone.index(0, np.arange(6)), 1.0, 0.0, 2.0, 1e-6, np.arange(6) * 1e-3, rng)
    g, h = (a.population.cells.conductance.reshape(2, 6) for a in (array, alone))
    assert g[0].mean() > h[0].mean() + 3e-6
    assert np.array_equal(g[1], np.full(6, 10e-6))


def story(seed: int) -> str:
    array, rng = build(64, 64, 5, seed)
    array.population.deliver(rng)
    i = np.arange(len(array))
    array.pulse(i, 2.0, 0.0, 1.5, 1e-6, 1.0, rng)
    read = array.read(i, 0.2, 3.3, 1.0 + i * 1e-3, 1e-3, rng)
    array.pulse(i[::2], 0.0, 1.2, 3.3, 1e-6, 100.0, rng)
    state = hashlib.sha256(read.tobytes())
    for values in array.population.cells:
        state.update(np.ascontiguousarray(values).tobytes())
    return state.hexdigest()


def test_same_seed_same_bits_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for threads in (1, 2, 3):
        monkeypatch.setattr(numba, "get_num_threads", lambda count=threads: count)
        found.add(story(7))
    assert len(found) == 1
    assert story(8) not in found


def test_state_of_a_cell_is_small() -> None:
    array, _ = build(32, 32)
    assert array.population.cells.bytes_per_cell <= 200
