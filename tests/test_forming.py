"""Forming: the plan within the limits, outcomes, figures, and a run that was cut off."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cut_off import resumed, whole
from sim_worlds import bench, still
from toy_world import Toy, ToyOptions
from typer.testing import CliRunner

from protocols.characterise.retold import Retold
from protocols.forming.cells import FormedCells, Former
from protocols.forming.outcome import Formed
from protocols.forming.request import Request
from protocols.forming.statistics import FormingVoltage, share_interval
from rramlab.backend import Backend
from rramlab.bench import embedded
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError, LimitExceeded, RunError
from rramlab.limits import Limits
from rramlab.pulse import Delivery, Polarity, PulseTrain
from rramlab.reading import ReadSpec
from rramlab.recorder import MemoryRecorder
from rramlab.runfile import RunFile

CELLS = Cells.grid(range(8), range(8))


def form(retold: Retold, request: Request | None = None, cells: Cells = CELLS) -> FormedCells:
    limits = retold.backend.limits
    ramp = (request or Request()).plan(limits)
    return Former(retold, ramp, limits, ReadSpec(), 100e-6, lambda done, of: None).form(cells)


def fresh(preset: str = "taox180", seed: int = 1, chip: int = 1) -> Backend:
    return bench(preset, formed=False, macros=1, seed=seed, chip=chip, rows=16, cols=16)


def formed(backend: Backend, request: Request | None = None, cells: Cells = CELLS) -> FormedCells:
    with backend:
        return form(Retold(backend), request, cells)


# The plan.


@pytest.mark.parametrize("width", [1e-6, 3e-6, 1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize("limits", [Limits(), Limits(energy_form=50e-9), Limits(i_form=20e-6, gate_form=2.0)])
def test_the_gate_is_the_highest_that_every_pulse_of_the_ramp_may_have(width: float, limits: Limits) -> None:
    ramp = Request(width=width).plan(limits)
    one = Cells(np.zeros(1, int), np.zeros(1, int))
    for place in range(len(ramp.drive)):
        limits.check_train(ramp.forms(one, np.array([place])).rounded())
    assert ramp.drive[[0, -1]] == pytest.approx([1.8, 3.3]) and len(ramp.drive) == 31
    higher = PulseTrain(one, [Polarity.FORM], [3.3], [ramp.gate + 0.011], [width]).rounded()
    with pytest.raises(LimitExceeded):
        limits.check_train(higher)


@pytest.mark.parametrize(
    ("request_", "limits", "words"),
    [
        (Request(stop=3.5), Limits(), "v_form"),
        (Request(gate=1.7), Limits(), "gate_form"),
        (Request(gate=1.6, width=1e-3), Limits(), "energy_form"),
        (Request(width=1e-3), Limits(energy_form=1e-12), "no gate"),
        (Request(), Limits(pulses_per_cell=30), "pulses_per_cell"),
    ],
)
def test_what_the_door_would_refuse_is_refused_before_the_first_pulse(
    request_: Request, limits: Limits, words: str
) -> None:
    with pytest.raises(LimitExceeded, match=words):
        request_.plan(limits)


@pytest.mark.parametrize(
    "nonsense", [{"width": 1e-7}, {"start": 3.0, "stop": 2.0}, {"step": 0.0}, {"formed_at": 1.0}]
)
def test_a_request_that_makes_no_sense_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Request(**nonsense)


@pytest.mark.parametrize("limits", [Limits(v_reset=0.8), Limits(i_reset=150e-6), Limits(energy=0.2e-9)])
def test_the_reset_goes_as_far_as_the_limits_admit(limits: Limits) -> None:
    ramp = Request().plan(limits)
    one = Cells(np.zeros(1, int), np.zeros(1, int))
    assert 1 <= len(ramp.reset) < 6 and ramp.reset[0] == min(1.0, limits.v_reset)
    for place in range(len(ramp.reset)):
        limits.check_train(ramp.resets(one, place).rounded())


# The cells.


def test_fresh_cells_form_at_their_own_voltage_and_are_reset_at_once(tmp_path: Path) -> None:
    backend = fresh(still(tmp_path))
    recorder = MemoryRecorder()
    backend.recorder = recorder
    done = formed(backend)
    assert (done.outcome == Formed.FORMED).all()
    truth = backend.array.population.cells.v_form.reshape(16, 16)[:8, :8].ravel()
    # The path drops next to nothing at a fresh cell: it forms at the first step above its voltage.
    late = done.forming_voltage - truth
    assert (late > -0.002).all() and (late < 0.052).all()
    assert (done.before < 1e-6).all() and (done.formed > 20e-6).all() and (done.after < 20e-6).all()
    assert (done.after > backend.limits.reset_floor).all()
    verbs = [e.verb for e in recorder.events if e.stage == "request"]
    assert verbs[:3] == ["read", "pulse", "read"]
    trains = [e.columns for e in recorder.events if e.stage == "request" and e.verb == "pulse"]
    for before, after in pairwise(trains):
        # No forming pulse goes out while a cell that formed waits for its RESET.
        if (after["polarity"] == Polarity.FORM).all() and (before["polarity"] == Polarity.FORM).all():
            assert len(before["row"]) == len(after["row"])


def test_a_wider_pulse_forms_at_a_lower_voltage(tmp_path: Path) -> None:
    preset = still(tmp_path)
    narrow, wide = (formed(fresh(preset), Request(width=width)) for width in (1e-6, 1e-4))
    shift = np.median(narrow.forming_voltage - wide.forming_voltage)
    assert shift == pytest.approx(2 * 0.12, abs=0.03)  # 0.12 V a decade, seen through steps of 50 mV


def test_every_way_to_end_is_an_outcome_of_the_cell() -> None:
    more = Cells.grid(range(16), range(16))
    done = formed(fresh(chip=4), cells=more)
    chip = fresh(chip=4).array.population.cells
    shorted, unformable = chip.fresh == 0, chip.status == 1
    assert shorted.any() and (done.outcome[shorted] == Formed.STUCK_LOW_RESISTANCE).sum() > 0
    assert (done.pulses[shorted] == 0).all()  # nobody pulses a short
    assert (done.outcome[unformable & ~shorted] == Formed.UNFORMED).all()
    assert (done.pulses[done.outcome == Formed.UNFORMED] == 31).all()


def test_formed_cells_are_left_alone(tmp_path: Path) -> None:
    backend = bench(still(tmp_path), macros=1, rows=8, cols=8)
    with backend:
        done = form(Retold(backend))
    assert (done.outcome == Formed.ALREADY_FORMED).all()
    assert backend.pulses.sum() == 0


class Odd(Toy):
    """Form row 0 half way, deliver nothing to row 1, keep row 2 in low resistance, read row 3 as nothing."""

    def _pulse(self, train: PulseTrain) -> np.ndarray:
        form_, row = train.polarity == Polarity.FORM, train.cells.row
        place = train.cells.row, train.cells.col
        value = np.select([row == 0, row == 1, row == 2, row == 3], [5e-6, 0.3e-6, 60e-6, np.nan], 30e-6)
        value = np.where(form_ | (row == 2), value, 10e-6)
        self.g[place] = value
        return np.where(row == 1, Delivery.NOT_APPLIED, Delivery.APPLIED).astype(np.uint8)


def test_odd_cells_end_and_do_not_stop_the_others() -> None:
    backend = Odd(ToyOptions(rows=5, fresh=True))
    with backend:
        done = form(Retold(backend), cells=Cells.of_shape((5, 4)))
    names = "PARTLY_FORMED", "NOT_DELIVERED", "STUCK_LOW_RESISTANCE", "UNREADABLE", "FORMED"
    ends = [Formed[name] for name in names]
    assert np.array_equal(done.outcome.reshape(5, 4), np.repeat(np.array(ends)[:, None], 4, axis=1))


# A run that was cut off.


def test_forming_that_was_cut_off_anywhere_ends_as_if_it_had_not() -> None:
    few = Cells.grid(range(2), range(3))

    def work(retold: Retold) -> FormedCells:
        return form(retold, Request(step=0.1), few)

    wanted, events = whole(fresh, work)
    for last in range(0, events, 11):
        found = resumed(fresh, work, last)
        # Cut off between a request and its answer, a simulated macro has lived through it: a reading is
        # then taken twice, with other noise.
        assert np.array_equal(found.outcome, wanted.outcome)
        assert np.array_equal(found.forming_voltage, wanted.forming_voltage, equal_nan=True)
        assert np.array_equal(found.pulses, wanted.pulses)
    requests_only = resumed(fresh, work, events // 2 // 2 * 2)
    for name, column in wanted.columns().items():
        assert np.array_equal(column, requests_only.columns()[name], equal_nan=column.dtype.kind == "f"), name


def test_a_record_of_another_procedure_is_refused() -> None:
    backend = fresh()
    recorder = MemoryRecorder()
    backend.recorder = recorder
    with backend:
        backend.read(Cells.grid(range(1), range(1)))
        with pytest.raises(RunError, match="another version"):
            form(Retold(backend, recorder.events))


# Statistics.


def test_the_distribution_of_forming_voltages_is_that_behind_the_steps() -> None:
    truth = np.random.default_rng(2).normal(2.6, 0.15, 4000)
    seen = 0.1 * np.ceil(truth / 0.1)
    found = FormingVoltage.of(seen, 0.1)
    # Four standard errors: 1 false alarm in 16 000.
    assert abs(found.mean - 2.6) < 4 * found.mean_error and abs(found.sigma - 0.15) < 4 * found.sigma_error
    assert found.mean_error == pytest.approx(0.15 / np.sqrt(4000), rel=0.1)
    assert found.count == 4000 and found.p5 < found.median < found.p95


def test_few_or_no_formed_cells_have_no_spread() -> None:
    assert np.isnan(FormingVoltage.of(np.array([np.nan]), 0.05).mean)
    one = FormingVoltage.of(np.array([2.5]), 0.05)
    assert one.mean == pytest.approx(2.475) and np.isnan(one.sigma)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # Wilson's interval by hand: 0 of 10 ends at z^2 / (10 + z^2), 10 of 10 begins at 10 / (10 + z^2).
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (0, 0, 0.0, 1.0)],
)
def test_the_interval_of_a_share(hits: int, trials: int, low: float, high: float) -> None:
    assert share_interval(hits, trials) == pytest.approx((low, high), abs=1e-3)


# The command.


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)
    text = embedded().replace("formed = true", "formed = false").replace("macros = 3", "macros = 1")
    Path("fresh.toml").write_text(text)

    def call(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["--bench", "fresh.toml", *words])
        assert result.exit_code == code, result.output
        return result.output

    return call


def test_the_command_forms_maps_and_keeps(run: Callable[..., str]) -> None:
    facts = json.loads(run("--json", "forming", "--cells", "r0-15,c0-15", "--run", "f", "--seed", "3"))
    assert facts["fresh"] > 250 and facts["yield_percent"] > 96
    assert facts["yield_95_percent"][0] < facts["yield_percent"] <= facts["yield_95_percent"][1]
    # 2.6 V with 0.18 V, known to 0.011 and 0.008 V from 256 cells: four standard errors and the line's drop.
    assert facts["forming_voltage_V"]["mean"] == pytest.approx(2.6, abs=0.05)
    assert facts["forming_voltage_V"]["sigma"] == pytest.approx(0.18, abs=0.035)
    assert sum(facts["outcomes"].values()) == 256
    kept = RunFile.open("f").kept["forming"]
    assert kept.units["forming_voltage"] == "V" and len(kept.columns["outcome"]) == 256
    page = Path("f/index.html").read_text()
    assert page.count("<img") == 3 and "Yield map" in page and Path("f/yield.png").exists()
    words = ("forming", "--after", "f", "--cells", "r0-1,c0-1", "--run", "g", "--require", "50")
    assert "already formed" in run(*words, code=1)  # no fresh cell is no yield
    assert Path("g/index.html").read_text().count("<img") == 1  # and there is nothing to draw but the map


def test_the_command_refuses_before_a_run_is_made(run: Callable[..., str]) -> None:
    assert "energy_form" in run("forming", "--width", "1ms", "--gate", "1.5V", "--run", "f", code=4)
    assert "lies outside" in run("forming", "--cells", "r99c0", "--run", "f", code=2)
    assert "1us to 1ms" in run("forming", "--width", "1s", "--run", "f", code=2)
    assert not Path("f").exists()


def test_the_command_goes_on_where_it_was_cut_off(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("forming", "--cells", "r0-3,c0-7")
    monkeypatch.setattr("protocols.forming.run.draw", lambda *what: None)  # drawn in the test above
    run(*words, "--run", "whole")
    pulsed = []

    def broken(self: Former, found: FormedCells, places: np.ndarray) -> None:
        pulsed.append(len(places))
        if len(pulsed) == 12:
            raise KeyboardInterrupt
        honest(self, found, places)

    honest = Former._round
    with monkeypatch.context() as patch:
        patch.setattr(Former, "_round", broken)
        run(*words, "--run", "cut", code=130)
    assert not RunFile.open("cut").complete
    run("forming", "--resume", "cut")
    wanted, found = (RunFile.open(name).kept["forming"].columns for name in ("whole", "cut"))
    assert all(np.array_equal(wanted[n], found[n], equal_nan=wanted[n].dtype.kind == "f") for n in wanted)
    assert "leave out --width" in run("forming", "--resume", "cut", "--width", "2us", code=2)
