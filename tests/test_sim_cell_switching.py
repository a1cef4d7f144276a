"""Switching of the cell: monotonicity, forming, bad cells, wear, and no movement at read voltage."""

import numpy as np
import pytest

from sim_backend.cells import STUCK_LRS, UNFORMABLE
from sim_backend.population import Population
from sim_backend.preset import Preset

GOOD = {"yields.unformable": 0.0, "yields.stuck_lrs": 0.0, "yields.reduced": 0.0}
CALM = GOOD | {f"variation.{k}": 0.0 for k in (
    "set_cycle", "reset_cycle", "increment_cycle", "set_device", "reset_device", "vt_device", "chi_device",
    "series_device")}  # fmt: skip


def population(n: int, changes: dict[str, float], seed: int = 0) -> tuple[Population, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return Population.draw(Preset.load("taox180").override(changes), n, rng), rng


def after(v_bl: float, v_sl: float, v_wl: float, width: float, g: float, ohm: float = 0.0) -> float:
    pop, rng = population(1, CALM)
    pop.load(g, rng)
    pop.bias([0], v_bl, v_sl, v_wl, width, 0.0, ohm, rng)
    return float(pop.cells.conductance[0])


def test_set_grows_and_reset_shrinks_with_every_drive() -> None:
    gates = [after(2.0, 0.0, vg, 1e-6, 8e-6) for vg in np.arange(1.0, 2.01, 0.1)]
    widths = [after(2.0, 0.0, 1.4, w, 8e-6) for w in np.logspace(-8, -3, 11)]
    sources = [after(0.0, v, 3.3, 1e-6, 100e-6) for v in np.arange(0.5, 2.41, 0.1)]
    assert np.all(np.diff(gates) > 1e-6)
    assert np.all(np.diff(widths) > 0.5e-6)
    assert np.all(np.diff(sources) < 0.0)


def test_series_resistance_weakens_both_polarities() -> None:
    assert after(1.0, 0.0, 2.5, 1e-6, 20e-6, 2000.0) < after(1.0, 0.0, 2.5, 1e-6, 20e-6)
    assert after(0.0, 1.2, 3.3, 1e-6, 100e-6, 2000.0) > after(0.0, 1.2, 3.3, 1e-6, 100e-6)


def test_width_acts_as_time_two_halves_equal_the_whole() -> None:
    whole = after(1.0, 0.0, 2.5, 1e-6, 20e-6)
    half = after(1.0, 0.0, 2.5, 0.5e-6, 20e-6)
    assert after(1.0, 0.0, 2.5, 0.5e-6, half) == pytest.approx(whole, rel=3e-3)


def test_conductance_stays_between_floor_and_ceiling() -> None:
    assert after(0.0, 2.8, 3.6, 1e-3, 100e-6) >= 1e-6
    assert after(2.5, 0.0, 3.6, 1e-3, 100e-6) <= 300e-6


def test_no_cell_moves_in_a_thousand_reads() -> None:
    pop, rng = population(512, {})
    pop.deliver(rng)
    before = pop.cells.conductance.copy()
    for k in range(1000):
        pop.read(np.arange(512)[k % 2 :: 2], 0.2, 3.3, k * 1e-3, 1e-3, 0.0, rng)
    assert np.array_equal(pop.cells.conductance, before)
    assert pop.harmless([0.2], 1e4)
    assert not pop.harmless([0.6], 1e-6)


def test_dangerous_read_disturbs() -> None:
    pop, rng = population(512, GOOD)
    pop.load(50e-6, rng)
    pop.read(np.arange(512), 0.6, 3.3, 0.0, 1e-3, 0.0, rng)
    assert np.median(pop.cells.conductance) > 52e-6


def test_pulse_without_gate_does_nothing() -> None:
    assert after(2.0, 0.0, 0.0, 1e-3, 8e-6) == 8e-6
    assert after(0.0, 2.0, 0.0, 1e-3, 80e-6) == 80e-6


def test_forming_voltage_is_the_drawn_one_and_falls_with_width() -> None:
    pop, rng = population(4096, GOOD)
    i = np.arange(4096)
    assert np.allclose(pop.filament(i, 0.0), 0.05e-6)
    pop.bias(i, 2.6, 0.0, 1.5, 1e-6, 0.0, 0.0, rng)
    # Half of the cells form at the mean voltage: binomial sd 0.8 %, so 4 % is 5 sigma.
    assert pop.cells.fresh.mean() == pytest.approx(0.5, abs=0.04)
    assert np.mean((pop.cells.fresh == 0) == (pop.cells.v_form < 2.6)) > 0.99
    pop.bias(i, 2.6, 0.0, 1.5, 1e-3, 1.0, 0.0, rng)
    # 0.36 V more at 1 ms is two sigma: 97.7 % are formed, binomial sd 0.23 %.
    assert 1.0 - pop.cells.fresh.mean() == pytest.approx(0.977, abs=0.012)
    formed = pop.cells.conductance[pop.cells.fresh == 0]
    assert formed.min() > 30e-6
    assert formed.max() < 150e-6


def test_reset_polarity_does_not_form() -> None:
    pop, rng = population(64, GOOD)
    pop.bias(np.arange(64), 0.0, 3.5, 5.0, 1e-3, 0.0, 0.0, rng)
    assert pop.cells.fresh.all()


def test_bad_cells_are_as_many_as_stated_and_stay_bad() -> None:
    pop, rng = population(40_000, {})
    pop.deliver(rng)
    for bad in (UNFORMABLE, STUCK_LRS):
        # 200 of 40 000 expected, sd 14: five sigma.
        assert np.sum(pop.cells.status == bad) == pytest.approx(200, abs=71)
    assert np.sum(pop.cells.ceil_factor < 1.0) == pytest.approx(400, abs=100)
    stuck = np.flatnonzero(pop.stuck)
    before = pop.filament(stuck, 0.0)
    pop.bias(stuck, 3.3, 0.0, 1.6, 1e-3, 0.0, 0.0, rng)
    pop.bias(stuck, 0.0, 2.4, 3.3, 1e-3, 1.0, 0.0, rng)
    assert np.allclose(pop.filament(stuck, 1e6), before, rtol=1e-4)
    assert before[pop.cells.status[stuck] == STUCK_LRS].min() > 50e-6
    assert before[pop.cells.status[stuck] == UNFORMABLE].max() < 0.1e-6


def test_delivered_cells_stand_in_the_hrs() -> None:
    pop, rng = population(4096, GOOD)
    pop.deliver(rng, at=5.0)
    g = pop.filament(np.arange(4096), 5.0)
    assert np.percentile(g, 2.5) > 2.5e-6
    assert np.percentile(g, 97.5) < 9e-6


def test_excessive_set_current_welds_about_half_of_the_cells() -> None:
    pop, rng = population(1024, GOOD)
    pop.load(100e-6, rng)
    pop.bias(np.arange(1024), 2.5, 0.0, 3.3, 1e-5, 0.0, 0.0, rng)
    # Binomial, sd 1.6 %: five sigma.
    assert np.mean(pop.cells.status == STUCK_LRS) == pytest.approx(0.5, abs=0.08)


def test_worn_cells_need_more_voltage() -> None:
    pop, rng = population(2, CALM)
    pop.load(20e-6, rng)
    pop.cells.cycles[1] = 1e7
    pop.bias([0, 1], 1.0, 0.0, 2.5, 1e-6, 0.0, 0.0, rng)
    assert pop.cells.conductance[1] < pop.cells.conductance[0] - 1e-6
    assert pop.cells.cycles[0] == 0.5
    assert pop.cells.cycles[1] == 1e7 + 0.5


def test_heat_speeds_up_switching() -> None:
    pop, rng = population(2, CALM)
    pop.load(20e-6, rng)
    pop.bias([0], 0.8, 0.0, 2.5, 1e-6, 0.0, 0.0, rng)
    pop.set_temperature(358.15, at=1e-6)
    pop.bias([1], 0.8, 0.0, 2.5, 1e-6, 1e-6, 0.0, rng)
    assert pop.cells.conductance[1] > pop.cells.conductance[0] + 3e-6


def test_requests_that_make_no_sense_are_refused() -> None:
    pop, rng = population(4, {})
    with pytest.raises(ValueError, match="0 to 3 is possible"):
        pop.bias([4], 1.0, 0.0, 2.0, 1e-6, 0.0, 0.0, rng)
    with pytest.raises(ValueError, match="listed twice"):
        pop.bias([1, 1], 1.0, 0.0, 2.0, 1e-6, 0.0, 0.0, rng)
    with pytest.raises(ValueError, match="one per cell"):
        pop.bias([0, 1, 2], [1.0, 2.0], 0.0, 2.0, 1e-6, 0.0, 0.0, rng)
    with pytest.raises(ValueError, match="must not be 0"):
        pop.read([0], 0.0, 3.3, 0.0, 1e-3, 0.0, rng)
    with pytest.raises(ValueError, match="273"):
        pop.set_temperature(25.0, 0.0)
