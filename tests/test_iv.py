"""Quasi-static sweeps: where a cell switches, with what spread, within which limits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cut_off import resumed, whole
from sim_worlds import bench, still
from toy_world import Toy
from typer.testing import CliRunner

from protocols.characterise.ohmic import Ohmic
from protocols.characterise.retold import Retold
from protocols.characterise.spread import Spread
from protocols.characterise.switching import chord, current_maximum, outgoing, returning, steepest_rise
from protocols.iv.cells import PATIENCE, Sweeper, Sweeps, Swept
from protocols.iv.figures import Switching
from protocols.iv.request import Request
from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError, LimitExceeded
from rramlab.limits import Limits
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import MemoryRecorder
from rramlab.runfile import RunFile

SHORT = Request(cycles=2, v_set=1.0, v_reset=0.9, step=0.1)


def sweep(retold: Retold, request: Request = SHORT, cells: Cells | None = None) -> Sweeps:
    limits = retold.backend.limits
    sweeper = Sweeper(retold, request.plan(limits), limits, ReadSpec(), lambda done, of: None)
    return sweeper.sweep(cells or Cells.grid(range(1), range(1)), request.cycles)


# Extraction, against known answers.


@pytest.mark.parametrize("centre", [0.55, 0.613, 0.8, 0.9871])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_set_voltage_is_where_the_conductance_rises_most(centre: float, noise: float) -> None:
    volts = np.linspace(0, 1.5, 76)
    log_g = np.log(3e-6) + np.log(20) / (1 + np.exp(-(volts - centre) / 0.02))
    factor = np.exp(noise * np.random.default_rng(1).standard_normal(76))
    found = steepest_rise(volts, volts * np.exp(log_g) * factor)
    assert found == pytest.approx(centre, abs=0.003 if noise == 0 else 0.008)


def test_an_abrupt_set_is_found_between_its_two_points() -> None:
    volts = np.linspace(0, 1.0, 51)
    current = volts * np.where(volts > 0.61, 60e-6, 2e-6)
    assert steepest_rise(volts, current) == pytest.approx(0.61, abs=0.006)


def test_where_the_conductance_only_falls_nothing_was_set() -> None:
    volts = np.linspace(0, 1.0, 51)
    assert np.isnan(steepest_rise(volts, 50e-6 * volts * (1 - 0.3 * volts)))
    assert np.isnan(steepest_rise(volts[:4], 50e-6 * volts[:4]))


@pytest.mark.parametrize("top", [0.5, 0.637, 0.71])
def test_the_reset_voltage_is_at_the_current_maximum(top: float) -> None:
    volts = -np.linspace(0, 1.0, 51)
    current = -40e-6 * np.exp(-0.5 * ((np.abs(volts) - top) / 0.2) ** 2)
    volt, ampere = current_maximum(volts, current)
    assert volt == pytest.approx(-top, abs=1e-3)
    assert ampere == pytest.approx(-40e-6, rel=2e-3)
    assert np.isnan(current_maximum(volts, 50e-6 * volts)).all()


def test_branches_and_chords() -> None:
    volts = np.concatenate([np.linspace(0, -1, 11), np.linspace(-0.9, 0, 10)])
    assert outgoing(volts) == slice(0, 11) and returning(volts) == slice(10, 21)
    current = 30e-6 * volts
    for part in (outgoing(volts), returning(volts)):
        assert chord(volts[part], current[part], -0.25) == pytest.approx(30e-6)
    assert np.isnan(chord(volts, current, 0.2))


def test_the_nonlinearity_comes_with_an_error_that_holds() -> None:
    rng, volts = np.random.default_rng(3), np.linspace(-0.2, 0.2, 41)
    inside = []
    for _ in range(200):
        current = 1e-7 + 50e-6 * volts * (1 + 2.0 * volts**2) + 5e-8 * rng.standard_normal(41)
        fit = Ohmic.fit(volts, current)
        inside.append(
            (abs(fit.chi - 2.0) < fit.chi_error, abs(fit.conductance - 50e-6) < fit.conductance_error)
        )
    # 68 % of 200 lie inside; 55 to 80 % is beyond three and a half sigma, 1 false alarm in 2000 each.
    assert ((np.mean(inside, axis=0) > 0.55) & (np.mean(inside, axis=0) < 0.80)).all()
    exact = Ohmic.fit(volts, 50e-6 * volts * (1 + 2.0 * volts**2))
    assert (exact.chi, exact.conductance) == pytest.approx((2.0, 50e-6), rel=1e-6)
    assert 0 < exact.departure < 0.02 and Ohmic.fit(volts, 50e-6 * volts).departure < 1e-12
    assert np.isnan(Ohmic.fit(volts[:4], volts[:4]).chi)


def test_the_spread_parts_cycles_from_cells() -> None:
    rng = np.random.default_rng(4)
    values = 0.6 + 0.05 * rng.standard_normal((200, 1)) + 0.02 * rng.standard_normal((200, 12))
    values[rng.random(values.shape) < 0.1] = np.nan
    found = Spread.of(values)
    # Four standard errors: 1 false alarm in 16 000 each.
    assert abs(found.cycle_sigma - 0.02) < 4 * found.cycle_error < 0.004
    assert abs(found.cell_sigma - 0.05) < 4 * found.cell_error < 0.011
    assert abs(found.mean - 0.6) < 4 * found.mean_error < 0.016
    lone = Spread.of(np.array([[1.0, 2.0, 3.0]]))
    assert (lone.mean, lone.cycle_sigma) == (2.0, 1.0) and np.isnan(lone.cell_sigma)
    assert Spread.of(np.full((2, 2), np.nan)).count == 0


# The plan.


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"v_set": 2.1}, "v_set"),
        ({"v_set": 1.8, "gate_set": 2.2}, "v_set_open_gate"),
        ({"v_reset": 2.1}, "v_reset"),
        ({"gate_reset": 3.5}, "gate"),
        ({"compliance": 150e-6}, "i_set"),
    ],
)
def test_a_sweep_beyond_the_limits_is_refused_before_the_first(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(LimitExceeded, match=words):
        Request(**asked).plan(Limits())


@pytest.mark.parametrize(
    "asked", [{"cycles": 0}, {"step": 0.2}, {"step": 1e-5}, {"v_set": -1.0}, {"skip": -1}, {"skip": 10}]
)
def test_a_request_that_makes_no_sense_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Request(**asked)


def test_a_cycle_goes_up_and_down_in_whole_steps() -> None:
    up, down = Request(v_set=1.0, v_reset=0.8, step=0.03).plan(Limits())
    assert up.voltages[[0, -1]] == pytest.approx(0) and up.voltages.max() == pytest.approx(1.0)
    assert down.voltages.min() == pytest.approx(-0.8) and (up.gate, down.gate) == (1.4, 3.3)
    assert np.ptp(np.abs(np.diff(up.voltages))) < 1e-12 and down.compliance == Limits().i_set


# Cells.


def sim(tmp_path: Path) -> Callable[[], Backend]:
    preset = still(tmp_path)
    return lambda: bench(preset, macros=1, rows=4, cols=4, seed=5)


def test_simulated_cells_switch_at_the_voltages_of_their_kinetics(tmp_path: Path) -> None:
    backend = sim(tmp_path)()
    cells = Cells.of_shape((4, 4)).take(np.arange(10))
    with backend:
        found = sweep(Retold(backend), Request(cycles=1, v_set=0.8, v_reset=0.9, step=0.05), cells)
    switching = Switching.of(found, 0.2, 0.3)
    assert (switching.outcomes(found) == Swept.SWITCHES).all()
    v_set, v_reset = np.nanmean(switching.v_set, axis=1), np.nanmean(switching.v_reset, axis=1)
    assert (np.abs(v_set - 0.46) < 0.12).all() and (np.abs(v_reset + 0.63) < 0.15).all()
    truth = backend.array.population.cells
    # A cell that is harder to SET or RESET in the simulation is so in its sweeps: r = 0.7 of ten
    # cells comes of no relation once in 80.
    assert np.corrcoef(v_set, truth.set_factor[:10])[0, 1] > 0.7
    assert np.corrcoef(-v_reset, truth.reset_factor[:10])[0, 1] > 0.7
    assert (switching.high > 1.5 * switching.low).all()


class Dead(Toy):
    """Conduct whatever is done: row 0 little, row 1 much, row 2 next to nothing, row 3 as no number."""

    def _read(self, cells: Cells, spec: ReadSpec) -> np.ndarray:
        return np.asarray(np.array([5e-6, 90e-6, 0.2e-6, np.nan])[cells.row])


def test_cells_that_do_not_switch_are_outcomes() -> None:
    backend, recorder = Dead(), MemoryRecorder()
    backend.recorder = recorder
    backend.g[0] = 5e-6
    backend.g[1] = 90e-6
    with backend:
        found = sweep(Retold(backend), Request(cycles=5), Cells(np.arange(4), np.zeros(4, int)))
    outcomes = Switching.of(found, 0.2, 0.3).outcomes(found)
    assert list(outcomes) == [Swept.NO_RESET, Swept.NO_RESET, Swept.UNFORMED, Swept.UNREADABLE]
    swept = {int(e.columns["row"][0]) for e in recorder.events if e.verb == "sweep" and e.stage == "request"}
    assert swept == {0, 1}  # an unformed cell meets no voltage


class Low(Toy):
    """Read below the RESET floor, whatever is done."""

    def _read(self, cells: Cells, spec: ReadSpec) -> np.ndarray:
        return np.full(len(cells), 2e-6)

    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        assert (staircase.voltages >= 0).all()  # a RESET could burn it
        return Curve(staircase.voltages, 2e-6 * staircase.voltages, np.arange(len(staircase.voltages)) * 1e-3)


def test_a_cell_below_the_reset_floor_is_never_taken_negative_and_soon_left_alone() -> None:
    with Low() as backend:
        found = sweep(Retold(backend), Request(cycles=9), Cells.grid(range(1), range(1)))
    switching = Switching.of(found, 0.2, 0.3)
    assert list(switching.outcomes(found)) == [Swept.NO_SET]
    assert np.isfinite(found.up[0, 0, :, 0]).sum() == PATIENCE
    assert not np.isfinite(found.down).any()


def test_sweeps_that_were_cut_off_anywhere_end_as_if_they_had_not(tmp_path: Path) -> None:
    make = sim(tmp_path)
    wanted, events = whole(make, sweep)
    for last in range(0, events, 2):  # before a request: nothing is under way
        found = resumed(make, sweep, last)
        assert np.array_equal(found.up, wanted.up, equal_nan=True), last
        assert np.array_equal(found.down, wanted.down, equal_nan=True), last
    for last in range(1, events, 4):  # between a request and its answer: the cell has lived through it
        found = resumed(make, sweep, last)
        assert np.isfinite(found.up).all() and np.isfinite(found.down).all()


# The command.


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_sweeps_finds_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("iv", "--cells", "r0c0-1", "--cycles", "2", "--step", "0.1V", "--v-set", "1V")
    facts = json.loads(run("--json", *words, "--run", "whole"))
    assert (
        facts["cycles"] == 4
        and facts["left_out"] == 1
        and facts["v_set_V"]["count"] == 2
        and facts["outcomes"] == {"SWITCHES": 2}
    )
    assert 0.3 < facts["v_set_V"]["mean"] < 0.7 and facts["v_set_V"]["mean_error"] > 0
    assert facts["on_off_ratio"] > 3
    kept = RunFile.open("whole").kept["iv"]
    assert kept.columns["up_current"].shape == (2, 2, 21) and kept.units["v_set"] == "V"
    assert Path("whole/hysteresis.png").exists() and Path("whole/index.html").read_text().count("<img") == 3
    done = []

    def broken(self: Sweeper, *what: Any) -> bool:
        done.append(what)
        if len(done) == 3:
            raise KeyboardInterrupt
        return honest(self, *what)

    honest = Sweeper._cycle
    with monkeypatch.context() as patch:
        patch.setattr(Sweeper, "_cycle", broken)
        run(*words, "--run", "cut", code=130)
    monkeypatch.setattr("protocols.iv.run.draw", lambda *what: None)  # drawn once is enough
    run("iv", "--resume", "cut")
    again = RunFile.open("cut").kept["iv"].columns
    for name, column in kept.columns.items():
        assert np.array_equal(column, again[name], equal_nan=column.dtype.kind == "f"), name


def test_the_command_refuses_before_a_run_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "operating limit" in run("iv", "--v-set", "2.4V", "--run", "i", code=4)
    monkeypatch.setattr("sim_backend.backend.SimBackend.capabilities", frozenset({"read", "pulse"}))
    assert "has no 'sweep'" in run("iv", "--run", "i", code=5)
    assert not Path("i").exists()
