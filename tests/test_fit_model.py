"""What the model learned from measured arrays: abrupt SET and RESET, relaxation by jumps."""

import numpy as np
import pytest

from sim_backend.population import Population
from sim_backend.preset import Preset

GOOD = {"yields.unformable": 0.0, "yields.stuck_lrs": 0.0, "yields.reduced": 0.0}
EVEN = {f"variation.{name}_device": 0.0 for name in ("set", "reset", "vt", "chi", "series")}
EVEN |= {f"variation.{name}_cycle": 0.0 for name in ("set", "reset", "increment")}
CURVES = {
    "relaxation.curve_conductance": (20e-6, 100e-6),
    "relaxation.curve_core": (0.2e-6, 0.2e-6),
    "relaxation.jump_share": (0.2, 0.2),
    "relaxation.jump_down": (0.2, 0.02),
    "relaxation.jump_up": 2e-6,
    "relaxation.jump_up_part": 0.25,
    "relaxation.spread": 0.0,
    "relaxation.drift": 0.0,
    "relaxation.drift_low": 0.0,
}


def pulsed(changes, g, v_bl, v_sl, gate):
    rng = np.random.default_rng(3)
    p = Population.draw(Preset.load("taox180").override(GOOD | EVEN | changes), len(g), rng)
    p.cells.conductance[:], p.cells.fresh[:] = g, 0
    p.bias(np.arange(len(g)), v_bl, v_sl, gate, 1e-6, 0.0, 0.0, rng)
    return p.cells.conductance.copy()


def test_onset_makes_set_abrupt():
    g = np.array([4e-6, 12e-6])
    plain = pulsed({}, g, 0.9, 0.0, 3.3)
    abrupt = pulsed({"kinetics.set_onset": 1.5, "kinetics.set_onset_g": 8e-6}, g, 0.9, 0.0, 3.3)
    assert abs(plain[1] - plain[0]) < 2e-6  # both end where the line voltage leads
    assert abrupt[0] < 5e-6 and abrupt[1] > 0.8 * plain[1]  # one has not begun, the other has run on


def test_thick_filaments_withstand_reset():
    g = np.array([40e-6, 250e-6])
    plain = pulsed({}, g, 0.0, 1.6, 3.3)
    hard = pulsed({"kinetics.reset_onset": 0.15, "kinetics.reset_power": 3.0}, g, 0.0, 1.6, 3.3)
    assert plain[1] < 120e-6 and hard[1] > 240e-6
    assert hard[0] < 35e-6


def test_set_and_reset_may_have_different_activation():
    g = np.array([100e-6])
    slow = pulsed({"kinetics.reset_v_activation": 60.0}, g, 0.0, 0.7, 3.3)
    assert slow[0] > pulsed({}, g, 0.0, 0.7, 3.3)[0] + 0.5e-6
    assert pulsed({"kinetics.reset_v_activation": 60.0}, g, 1.5, 0.0, 2.0) == pulsed({}, g, 1.5, 0.0, 2.0)


WEAK = {"transistor.sl_ohm": 30e3}
GAIN = {"kinetics.reset_v0": 1.2, "kinetics.reset_gain": 0.8}


def test_behind_a_weak_driver_the_sl_decides_and_not_the_gate():
    g = np.full(1, 40e-6)
    plain = [pulsed({}, g, 0.0, 2.4, gate)[0] for gate in (2.8, 3.3)]
    weak = [pulsed(WEAK, g, 0.0, 2.4, gate)[0] for gate in (2.8, 3.3)]
    assert plain[1] < 0.5 * plain[0]  # a follower passes ever more
    assert weak[1] > 0.9 * weak[0]
    assert pulsed(WEAK, g, 0.0, 3.2, 3.3)[0] < 0.7 * weak[1]


def test_behind_a_weak_driver_reset_runs_away_in_thin_filaments_alone():
    level = {"kinetics.reset_v0": 0.6, "kinetics.reset_slope": 0.0}
    g = np.array([40e-6, 60e-6, 110e-6])
    assert np.all(pulsed(level, g, 0.0, 2.0, 3.3) < 0.05 * g)
    thin, middle, thick = pulsed(level | WEAK, g, 0.0, 2.0, 3.3) / g
    assert thin < 0.05 and middle > 0.9 and thick > 0.99


def test_a_reset_too_small_to_switch_gains_and_the_next_one_less():
    g = np.full(1, 40e-6)
    plain = pulsed({"kinetics.reset_v0": 1.2}, g, 0.0, 1.2, 3.3)
    once = pulsed(GAIN, g, 0.0, 1.2, 3.3)
    again = pulsed(GAIN, once, 0.0, 1.2, 3.3)
    assert plain[0] <= 40e-6 and once[0] > 55e-6
    assert 0.0 < again[0] - once[0] < 0.3 * (once[0] - 40e-6)
    large = pulsed(GAIN | {"kinetics.reset_v0": 0.5}, g, 0.0, 1.2, 3.3)
    assert large[0] < 25e-6
    assert np.all(pulsed(GAIN, g, 1.2, 0.0, 2.0) == pulsed({}, g, 1.2, 0.0, 2.0))  # SET is as ever


def test_a_bias_that_makes_cells_gain_is_not_called_harmless():
    stiff = GOOD | EVEN | {"kinetics.reset_v0": 3.0, "kinetics.reset_slope": 0.0}
    plain, gains = (
        Population.draw(Preset.load("taox180").override(stiff | c), 1, np.random.default_rng(3))
        for c in ({}, {"kinetics.reset_gain": 0.8})
    )
    assert plain.harmless(np.array([-0.45]), 1e-3) and not gains.harmless(np.array([-0.45]), 1e-3)
    assert gains.harmless(np.array([-0.2]), 1e-3)


def changes_after(g, seconds):
    rng = np.random.default_rng(5)
    p = Population.draw(Preset.load("taox180").override(GOOD | CURVES), 20_000, rng)
    p.load(g, rng)
    return p.filament(np.arange(20_000), seconds) - g


def test_jumps_have_the_stated_share_and_size():
    change = changes_after(20e-6, 1e8)  # all 13 decades have gone by
    mean = -13 * 0.2 * (0.75 * 0.2 * 20e-6 - 0.25 * 2e-6)
    # sd of the mean 0.05 uS; sizes are not quite exponential (their mean is 0.7 to 0.9 of the nominal one)
    assert 0.95 * mean < change.mean() < 0.6 * mean


def test_early_changes_have_heavier_tails_than_late_ones():
    early, late = changes_after(60e-6, 1e-4), changes_after(60e-6, 1e6)
    kurtosis = [float(np.mean(c**4) / np.mean(c**2) ** 2) for c in (early, late)]
    # Ten seeds gave 15 to 19 and 4.0 to 4.3.
    assert kurtosis[0] > 10.0 > 6.0 > kurtosis[1]


def test_curves_of_unequal_length_and_falling_ones_are_refused():
    with pytest.raises(ValueError, match="one length"):
        Preset.load("taox180").override(CURVES | {"relaxation.jump_share": (0.1, 0.1, 0.1)})
    with pytest.raises(ValueError, match="does not rise"):
        Preset.load("taox180").override(CURVES | {"relaxation.curve_conductance": (2e-5, 1e-5)})
