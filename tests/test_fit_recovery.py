"""The fit finds what a simulated bench hides, says how sure it is, and writes what the simulator loads."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rramlab import cli
from rramlab.errors import InputError
from sim_backend import SimBackend
from sim_backend.fit.conduction import Curves
from sim_backend.fit.fitting import Settings, fit
from sim_backend.fit.parameter import Parameter, changed
from sim_backend.fit.plan import Plan
from sim_backend.fit.pulses import Pulses, ReadSetting
from sim_backend.fit.relaxation import Relaxing
from sim_backend.fit.synthetic import curve_table, pulse_table, relaxation_table, staircases
from sim_backend.options import Options
from sim_backend.preset import Preset

SETTING = ReadSetting()
GOOD = {"yields.unformable": 0.0, "yields.stuck_lrs": 0.0, "yields.reduced": 0.0}
BASE = Preset.load("taox180").override(GOOD)
QUICK = Settings(copies=2, rounds=5, resamplings=60, reweight=0)
LADDER = [(1.4, 0.0), (3.3, 1.3), (3.3, 1.6), (3.3, 1.9), (2.0, 0.0), (3.3, 2.0), (3.3, 2.4), (3.3, 2.8)]
"""Gate (V) and SL (V; 0 for a SET)."""


def within(truth, parameters, found):
    """Return how many standard deviations each estimate is off."""
    scores = []
    for p, e in zip(parameters, found.estimates, strict=True):
        sd = (p.encode(e.high) - p.encode(e.low)) / 3.92
        scores.append(abs(p.encode(e.value) - p.encode(truth[p.name])) / sd)
    return scores


def none_held(table):
    return np.zeros(len(table), bool)


def test_switching_is_found_again():
    truth = {"kinetics.set_v0": 0.60, "kinetics.reset_v0": 0.51, "variation.set_device": 0.07}
    table = pulse_table(changed(BASE, truth), 64, staircases(1), SETTING, np.random.default_rng(1))
    parameters = [Parameter(name, 0.3) for name in truth]
    found = fit(BASE, [Pulses(table, SETTING, none_held(table), least=50)], parameters, QUICK)
    # Were the seed drawn anew, one of three would be beyond four sigma once in 5 000 times.
    assert max(within(truth, parameters, found)) < 4.0
    assert found.preset.kinetics.set_v0 == pytest.approx(0.60, rel=0.02)
    assert all(e.low < e.value < e.high and e.known < 0.9 for e in found.estimates)


@pytest.mark.slow
def test_a_weak_driver_and_the_gain_before_reset_are_found_again():
    start = {"kinetics.reset_v0": 0.9, "transistor.sl_ohm": 5e3, "kinetics.reset_gain": 0.75}
    truth = {"transistor.sl_ohm": 8e3, "kinetics.reset_gain": 0.8, "kinetics.reset_v0": 0.95}
    base = changed(BASE, start)
    series = [(2.0, 0.0, gate, 1e-6) if v == 0.0 else (0.0, v, gate, 1e-6) for gate, v in LADDER]
    table = pulse_table(changed(base, truth), 64, series, SETTING, np.random.default_rng(8))
    parameters = [Parameter(name, 0.5) for name in truth]
    found = fit(
        base, [Pulses(table, SETTING, none_held(table), least=50)], parameters, replace(QUICK, rounds=20)
    )
    # Were the seed drawn anew, one of three would be beyond four sigma once in 5 000 times.
    assert max(within(truth, parameters, found)) < 4.0
    assert found.preset.transistor.sl_ohm == pytest.approx(8e3, rel=0.1)
    assert found.preset.kinetics.reset_gain == pytest.approx(0.8, rel=0.05)


def test_relaxation_and_curves_are_found_again():
    truth = {"relaxation.variance_per_decade": 0.3e-12, "conduction.chi0": 3.0}
    hidden, rng = changed(BASE, truth), np.random.default_rng(2)
    reads = relaxation_table(hidden, 400, np.array([1.0, 100.0, 3600.0]), SETTING, rng)
    curves = curve_table(hidden, 300, np.array([0.1, 0.2, 0.35]), SETTING, rng)
    experiments = [
        Relaxing(reads, SETTING, none_held(reads), 1e-6 * np.array([15.0, 45.0, 80.0])),
        Curves(curves, SETTING, none_held(curves), 1e-6 * np.array([8.0, 30.0, 90.0])),
    ]
    parameters = [Parameter(name) for name in truth]
    found = fit(BASE, experiments, parameters, QUICK)
    # Were the seed drawn anew, one of two would be beyond four sigma once in 8 000 times.
    assert max(within(truth, parameters, found)) < 4.0


def test_a_parameter_that_the_data_do_not_know_is_said_to_be_unknown():
    table = curve_table(BASE, 60, np.array([0.1, 0.2, 0.35]), SETTING, np.random.default_rng(3))
    curves = Curves(table, SETTING, none_held(table), 1e-6 * np.array([8.0, 30.0, 90.0]))
    found = fit(BASE, [curves], [Parameter("forming.v_mean", 0.2), Parameter("conduction.chi0")], QUICK)
    assert found.estimates[0].known == pytest.approx(1.0, abs=0.01)
    assert found.estimates[1].known < 0.5


def test_the_same_seed_gives_the_same_fit():
    table = curve_table(BASE, 60, np.array([0.1, 0.2, 0.35]), SETTING, np.random.default_rng(3))
    curves = Curves(table, SETTING, none_held(table), 1e-6 * np.array([8.0, 30.0, 90.0]))
    one, two = (fit(BASE, [curves], [Parameter("conduction.chi0")], QUICK) for _ in range(2))
    assert one.estimates == two.estimates


def write_csv(path: Path, table) -> None:
    head = list(table.columns)
    rows = zip(*table.columns.values(), strict=True)
    path.write_text("\n".join([",".join(head), *(",".join(f"{v:.9g}" for v in row) for row in rows)]))


@pytest.fixture
def plan(tmp_path):
    hidden = changed(BASE, {"kinetics.set_v0": 0.60})
    rng = np.random.default_rng(4)
    write_csv(tmp_path / "pulses.csv", pulse_table(hidden, 60, staircases(1), SETTING, rng))
    path = tmp_path / "plan.toml"
    path.write_text(
        'name = "mine"\n[effort]\nrounds = 4\nresamplings = 30\n[[table]]\nkind = "pulses"\n'
        'file = "pulses.csv"\nleast = 40\nhold = {v_wl = [1.4]}\nparameters = ["kinetics.set_v0"]\n'
        'columns = {cell = "cell", order = "order", v_bl = "v_bl", v_sl = "v_sl", v_wl = "v_wl", '
        'width = "width", before = "before", after = "after"}\n'
    )
    return path


def shell(capsys, *args):
    with pytest.raises(SystemExit) as ending:
        cli.main(args)
    return ending.value.code or 0, capsys.readouterr()


def test_from_a_plan_to_a_bench_that_runs(plan, tmp_path, capsys):
    out = tmp_path / "out"
    code, said = shell(capsys, "--json", "fit", "tables", str(plan), "--out", str(out))
    assert code == 0
    facts = json.loads(said.out)
    estimate = facts["estimates"]["kinetics.set_v0"]
    assert estimate["value"] == pytest.approx(0.60, rel=0.03)
    assert Preset.load(out / "mine.toml").kinetics.set_v0 == estimate["value"]
    assert "# fitted, 95 %:" in (out / "mine.toml").read_text()
    assert tomllib.loads((out / "mine.toml").read_text())["yields"]["reduced"] == 0.01
    assert {"stages", "residuals"} == set(json.loads((out / "mine.fit.json").read_text()))
    assert "held back: median" in facts["figures"]["pulses.csv"]
    assert (out / "index.html").exists() and list(out.glob("*.png"))
    with SimBackend(Options(preset=str(out / "mine.toml"), macros=1, rows=2, cols=2)) as bench:
        assert bench.read_all().shape == (2, 2)


def test_look_and_check(plan, tmp_path, capsys):
    code, said = shell(capsys, "--json", "fit", "look", str(plan))
    rows = json.loads(said.out)["pulses.csv"]
    assert code == 0 and 0 < rows["held"] < rows["rows"]
    args = ("fit", "check", str(plan), "--preset", "taox180", "--out", str(tmp_path / "page"))
    code, said = shell(capsys, *args)
    assert code == 0 and (tmp_path / "page" / "index.html").exists()
    code, said = shell(capsys, "fit", "check", str(plan), "--preset", "taox18")
    assert code == 2 and "taox180" in said.err
    plan.write_text('base = "taox18"\n' + plan.read_text().replace('base = "taox180"\n', ""))
    code, said = shell(capsys, "fit", "look", str(plan))
    assert code == 2 and "taox180" in said.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "pulses"', 'kind = "puls"', "table.0.kind"),
        ("least = 40", "leest = 40", "unknown key 'table.0.leest'; did you mean 'least'"),
        ("hold = {v_wl = [1.4]}", "keep = {v_wl = [7.0, 8.0]}", "leaves no row"),
        ("hold = {v_wl = [1.4]}", "hold_within = {v_wl = [0.0, 9.0]}", "no row of pulses.csv to fit"),
        ('file = "pulses.csv"', 'file = "none.csv"', "cannot be read"),
        ('name = "mine"', "name = ", "no TOML"),
    ],
)
def test_wrong_plans_are_refused_in_one_sentence(plan, old, new, said):
    plan.write_text(plan.read_text().replace(old, new))
    with pytest.raises(InputError) as caught:
        Plan.load(plan).table[0].load(plan.parent)
    assert said in str(caught.value) and "\n" not in str(caught.value)
