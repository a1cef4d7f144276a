"""The closed forms of filament plus transistor against a brute-force root search."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from sim_backend.constants import Constants, constants
from sim_backend.lines import Lines
from sim_backend.preset import Preset
from sim_backend.transistor import cell_voltage, filament_current

C = constants(Preset.load("taox180"), 298.15)


def drain_current(u: float, v_ds: float, lam: float) -> float:
    if u <= 0.0:
        return 0.0
    if v_ds <= u:
        return C.beta * (u * v_ds - 0.5 * v_ds**2)
    return 0.5 * C.beta * u**2 * (1.0 + lam * (v_ds - u))


def body(vt: float, source: float) -> float:
    return vt + C.gamma * (math.sqrt(C.phi + source) - math.sqrt(C.phi))


def brute_force(g: float, chi: float, r: float, vt: float, lines: Lines, c: Constants) -> float:
    """Return the filament voltage at which filament and transistor carry the same current."""
    drive, low = abs(lines.v_bl - lines.v_sl), min(lines.v_bl, lines.v_sl)

    def mismatch(v: float) -> float:
        i = filament_current(v, g, chi, c)
        if lines.v_bl >= lines.v_sl:
            return drain_current(lines.v_wl - low - body(vt, low), drive - v - i * r, c.lam) - i
        node = v + i * r
        # The published closed form of the follower in saturation is without channel-length modulation.
        over = lines.v_wl - low - body(vt, low + node) - node
        return drain_current(over, max(drive - node - i * c.sl_ohm, 0.0), 0.0) - i

    ohm = r if lines.v_bl >= lines.v_sl else r + c.sl_ohm
    top = brentq(lambda v: v + filament_current(v, g, chi, c) * ohm - drive, 0.0, drive)
    return brentq(mismatch, 0.0, top, xtol=1e-13) if mismatch(0.0) > 0.0 else 0.0


@pytest.mark.parametrize("seed", range(4))
def test_operating_point_is_the_root_of_the_node_equation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(250):
        g, chi, r = 10 ** rng.uniform(-6, -3.5), rng.uniform(0, 5), rng.uniform(0, 3000)
        high, low, gate = rng.uniform(0.05, 3.0), rng.choice([0.0, 0.4]), rng.uniform(0.5, 3.6)
        v_bl, v_sl = rng.permutation([high + low, low])
        lines = Lines(float(v_bl), float(v_sl), gate, 0.0)
        found = cell_voltage(g, chi, r, 0.7, lines, high, 1e-8, C)
        assert found == pytest.approx(brute_force(g, chi, r, 0.7, lines, C), abs=3e-7)


@pytest.mark.parametrize("sl_ohm", [300.0, 5e3, 40e3])
def test_behind_a_weak_driver_of_the_sl_too(sl_ohm: float) -> None:
    rng, weak = np.random.default_rng(9), C._replace(sl_ohm=sl_ohm)
    for _ in range(250):
        g, chi, r = 10 ** rng.uniform(-6, -3.5), rng.uniform(0, 5), rng.uniform(0, 3000)
        lines = Lines(rng.choice([0.0, 0.4]), rng.uniform(0.5, 3.0), rng.uniform(0.5, 3.6), 0.0)
        found = cell_voltage(g, chi, r, 0.7, lines, 1.0, 1e-8, weak)
        assert found == pytest.approx(brute_force(g, chi, r, 0.7, lines, weak), abs=3e-7)


def test_set_knows_no_driver_of_the_sl() -> None:
    lines, weak = Lines(1.5, 0.0, 2.0, 0.0), C._replace(sl_ohm=8e3)
    assert cell_voltage(6e-5, 1.0, 350.0, 0.7, lines, 1.0, 1e-8, weak) == cell_voltage(
        6e-5, 1.0, 350.0, 0.7, lines, 1.0, 1e-8, C
    )


def test_gate_below_threshold_carries_nothing() -> None:
    assert cell_voltage(50e-6, 1.0, 350.0, 0.7, Lines(1.0, 0.0, 0.6, 0.0), 1.0, 1e-8, C) == 0.0


def test_more_gate_or_less_series_resistance_never_lowers_the_filament_voltage() -> None:
    for v_bl, v_sl in ((1.5, 0.0), (0.0, 1.5)):
        by_gate = [cell_voltage(6e-5, 1.0, 350.0, 0.7, Lines(v_bl, v_sl, vg, 0.0), 1.0, 1e-8, C)
                   for vg in np.linspace(0.8, 3.3, 26)]  # fmt: skip
        by_ohm = [cell_voltage(6e-5, 1.0, ohm, 0.7, Lines(v_bl, v_sl, 2.5, 0.0), 1.0, 1e-8, C)
                  for ohm in np.linspace(3000.0, 0.0, 16)]  # fmt: skip
        assert np.all(np.diff(by_gate) > -1e-7)
        assert np.all(np.diff(by_ohm) > -1e-7)


def test_wide_open_gate_leaves_only_the_series_resistance() -> None:
    v = cell_voltage(50e-6, 0.0, 1000.0, 0.7, Lines(0.2, 0.0, 1e6, 0.0), 0.2, 1e-8, C)
    assert v == pytest.approx(0.2 / (1 + 50e-6 * 1000.0), rel=1e-6)
