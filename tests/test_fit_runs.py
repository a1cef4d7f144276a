"""Runs as tables of the fit: what is read out of them, what is refused, and the model that follows them."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from kills import memory_disk

from protocols.iv.request import Request as IvRequest
from protocols.iv.run import carry_out as sweep
from protocols.read_noise.request import Request as NoiseRequest
from protocols.read_noise.run import carry_out as listen
from protocols.response.request import Request as ResponseRequest
from protocols.response.run import carry_out as respond
from protocols.retention.request import Request as RetentionRequest
from protocols.retention.run import carry_out as watch
from rramlab import cli
from rramlab.bench import embedded
from rramlab.corrections.record import Record
from rramlab.errors import InputError
from rramlab.session import Session
from rramlab.terminal import Terminal
from sim_backend.fit.conduction import Curves
from sim_backend.fit.defaults import LAW, STEPS, parameters_for
from sim_backend.fit.fitting import Settings, fit
from sim_backend.fit.history import History
from sim_backend.fit.of_runs import plan_of, write_plan
from sim_backend.fit.parameter import Parameter, changed
from sim_backend.fit.plan import Plan, TablePlan
from sim_backend.fit.pulses import Pulses, ReadSetting
from sim_backend.fit.relaxation import Relaxing
from sim_backend.fit.run_lines import series_of
from sim_backend.fit.runs import run_table
from sim_backend.fit.stages import GOOD_CELLS
from sim_backend.fit.table import Table
from sim_backend.population import Population
from sim_backend.preset import Preset

BASE = Preset.load("taox180").override(GOOD_CELLS)
PULSES = ResponseRequest("r0-1,c0-31", (1.2, 1.6), (1.0, 1.8), (1e-7, 1e-5))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with a run of each command, of a device whose SET voltage is not the usual one."""
    with TemporaryDirectory(dir=memory_disk(tmp_path_factory.mktemp("lab"))) as folder:
        measure(Path(folder))
        yield Path(folder)


def measure(folder: Path) -> None:
    patch = pytest.MonkeyPatch()
    (folder / "hidden.toml").write_text('base = "taox180"\n[kinetics]\nset_v0 = 0.6\n')
    text = embedded().replace("macros = 3", "macros = 1")
    (folder / "bench.toml").write_text(text.replace('"taox180"', f'"{folder / "hidden.toml"}"'))
    session = Session(folder / "bench.toml", Terminal(quiet=True))
    for module in ("response", "iv", "retention", "read_noise"):
        patch.setattr(f"protocols.{module}.run.draw", lambda *what: None)
    respond(session, PULSES, folder / "response", None, None, 1)
    iv = IvRequest("r0,c0-11", 1, v_set=0.2, gate_set=3.3, v_reset=0.2, skip=0)
    sweep(session, iv, folder / "iv", None, folder / "response", 1)
    watch(session, RetentionRequest("r2-4,c0-31", reads=5, last=100.0), folder / "hour", None, None, 1)
    asked = RetentionRequest("r1,c0-31", reads=3, levels=0, last=10.0)
    watch(session, asked, folder / "unwritten", None, folder / "response", 1)
    listen(session, NoiseRequest("r6,c0-15", 4, 64, (1,), 10.0), folder / "noise", None, None, 1)
    patch.undo()
    return folder


def test_a_response_is_a_table_of_all_pulses_in_their_time(lab: Path) -> None:
    found = run_table(lab / "response")
    t, cells = found.table, len(np.unique(found.table["cell"]))
    assert found.kind == "pulses" and 58 <= cells <= 64 and len(t) == 24 * cells
    mine = t.where(t["cell"] == t["cell"][0])
    assert np.array_equal(mine["before"][1:], mine["after"][:-1])
    assert (np.diff(mine["at"]) > 0.0).all()
    # The next pulse of the cell begins after its reading, which took 1 ms.
    assert (mine["at"][1:] > (mine["at"] + mine["width"] + mine["delay"])[:-1] + 1e-3).all()
    # 64 cells are read one after the other: the last of 64 waits for 63 others.
    assert t["delay"].min() > 0.0 and t["delay"].max() < 0.066
    reset = t["v_sl"] > 0.0
    assert set(t["floor"][reset]) == {3e-6} and set(t["floor"][~reset]) == {0.0}
    assert (found.reading.v_read, found.reading.v_wl, found.reading.duration) == (0.2, 3.3, 1e-3)


def test_repeats_of_a_step_are_mates_and_the_dealt_gates_are_apart(lab: Path) -> None:
    e = TablePlan(run="response", least=20).load(lab)
    assert isinstance(e, Pulses) and e.repeated
    labels = e.features(e.measured(), held=False)[0].labels
    assert (
        "SET 2 V, gate 1.6 V, 1000 ns, step 1" in labels
        and "SET 2 V, gate 1.6 V, 1000 ns, last steps" in labels
    )
    assert parameters_for([e], BASE)[: len(STEPS)] == list(STEPS)


def test_the_hidden_set_voltage_is_found_in_the_run(lab: Path) -> None:
    e = TablePlan(run="response", least=20).load(lab)
    settings = Settings(copies=2, rounds=3, resamplings=40, reweight=0)
    found = fit(BASE, [e], [Parameter("kinetics.set_v0", 0.3)], settings)
    assert found.preset.kinetics.set_v0 == pytest.approx(0.60, rel=0.02)
    # Left alone, the base does not agree with the data: the device is another one.
    assert found.misfit < 0.8 * fit(BASE, [e], [Parameter("forming.v_mean", 0.1)], settings).misfit


def test_curves_of_a_run_are_of_its_cells_at_their_gates(lab: Path) -> None:
    found = run_table(lab / "iv")
    assert found.kind == "curves" and set(found.table["v_wl"]) == {3.3}
    assert found.table["voltage"].min() == pytest.approx(0.06) and found.table["voltage"].max() == 0.2
    assert 9 <= len(np.unique(found.table["curve"])) <= 12
    e = TablePlan(run="iv").load(lab)
    assert isinstance(e, Curves) and e.quiet
    assert "noise.white_current" not in parameters_for([e], BASE)
    # The same cells, simulated without noise, show what the source meter saw: within 5 % of each curve.
    simulated = e.simulate(BASE, np.random.default_rng(1), 1)[0]
    assert np.nanmax(np.abs(simulated / e.measured() - 1.0)) < 0.05


def test_an_hour_of_reads_knows_the_pulses_before_it(lab: Path) -> None:
    found = run_table(lab / "hour")
    assert found.kind == "relaxation" and found.history is not None
    t, cells = found.table, len(np.unique(found.table["cell"]))
    assert found.history.age.shape[1] == cells > 60
    assert 0.9 < found.reading.delay < 3.0 and t["time"].max() == pytest.approx(100.0, rel=0.05)
    ages = found.history.age[1:]
    assert np.nanmin(ages) > 0.5 and (np.nan_to_num(np.diff(ages, axis=0), nan=-1.0) < 0.0).all()
    assert (np.nanmax(found.history.change[1:], axis=0) >= 10e-6).all()
    e = TablePlan(run="hour").load(lab)
    assert isinstance(e, Relaxing) and parameters_for([e], BASE) == list(LAW)


def test_read_noise_is_a_short_series(lab: Path) -> None:
    found = run_table(lab / "noise")
    assert found.kind == "relaxation" and found.history is not None
    assert found.reading.delay > 10.0 and 3 < len(np.unique(found.table["time"])) < 1000
    assert found.table["time"].min() == 0.0


def test_cells_of_unknown_age_are_refused_unless_the_plan_knows_it(lab: Path) -> None:
    with pytest.raises(InputError, match="did not program its cells"):
        TablePlan(run="unwritten").load(lab)
    plan = TablePlan.model_validate({"run": "unwritten", "read": {"delay": 5.0}})
    e = plan.load(lab)
    assert isinstance(e, Relaxing) and e.setting.delay == 5.0 and e.setting.v_wl == 3.3


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"run": "none"}, "no run in"),
        ({"run": "."}, "no run in"),
    ],
)
def test_folders_without_a_run_are_refused_in_one_sentence(
    lab: Path, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(Exception, match=said) as caught:
        TablePlan.model_validate(asked).load(lab)
    assert "\n" not in str(caught.value)


def test_runs_of_other_commands_and_unfinished_ones_are_refused(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = ("--bench", str(lab / "bench.toml"))
    assert shell("--quiet", *bench, "read", "--run", "seen", "--cells", "r0c0") == 0
    assert shell("fit", "runs", "seen", "--out", "mine") == 2
    assert "is one of 'read', which the fit cannot use; give runs of response" in capsys.readouterr().err

    def broken(*what: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("protocols.response.cells.Responder._pulse", broken)
    assert shell("--quiet", *bench, "response", "--cells", "r0c0", "--run", "cut") == 130
    assert shell("fit", "runs", "cut") == 2
    assert "unfinished; end it first: rramlab response --resume cut" in capsys.readouterr().err.replace(
        "\n", ""
    )
    assert shell("fit", "runs", "cut", "cut") == 2 and "named twice" in capsys.readouterr().err


def shell(*words: str) -> int:
    with pytest.raises(SystemExit) as ending:
        cli.main(words)
    return int(ending.value.code or 0)


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"run": "a", "file": "b.csv"},
        {"file": "b.csv"},
        {"run": "a", "kind": "pulses"},
        {"run": "a", "columns": {"cell": 0}},
    ],
)
def test_a_table_has_one_source(table: dict[str, Any], tmp_path: Path) -> None:
    lines = [f"{k} = {json.dumps(v) if isinstance(v, str) else '{cell = 0}'}" for k, v in table.items()]
    (tmp_path / "plan.toml").write_text("[[table]]\n" + "\n".join(lines))
    with pytest.raises(InputError, match=r"a table has either|needs its|leave out .kind"):
        Plan.load(tmp_path / "plan.toml")


def test_the_plan_of_runs_is_written_down_and_comes_back(lab: Path, tmp_path: Path) -> None:
    plan = plan_of([lab / "response", lab / "iv"], tmp_path / "mine", "taox180")
    write_plan(plan, tmp_path / "mine")
    again = Plan.load(tmp_path / "mine" / "plan.toml")
    assert again == plan and again.name == "mine" and len(again.stages()) == 1
    assert again.table[0].load(tmp_path / "mine").name == "response"


def test_check_judges_a_preset_by_runs(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(plan_of([lab / "response", lab / "hour"], tmp_path, "taox180"), tmp_path)
    plan, page = str(tmp_path / "plan.toml"), tmp_path / "page"
    code = shell("--json", "fit", "check", plan, "--preset", str(lab / "hidden.toml"), "--out", str(page))
    found = json.loads(capsys.readouterr().out)
    assert code == 0 and set(found) == {"response", "hour"} and (page / "index.html").exists()


# The model that follows a run.


def test_a_cell_below_the_floor_takes_no_pulse_in_the_simulation_either() -> None:
    columns = {
        "cell": np.repeat([0.0, 1.0], 2), "order": np.tile([0.0, 1.0], 2), "width": np.full(4, 1e-6),
        "v_bl": np.zeros(4), "v_sl": np.full(4, 2.0), "v_wl": np.full(4, 3.3),
        "before": np.array([90e-6, 5e-6, 2.5e-6, 2.5e-6]), "after": np.full(4, 5e-6),
        "floor": np.full(4, 3e-6),
    }  # fmt: skip
    quiet = BASE.override({"noise.relative": 1e-6, "noise.white_current": 1e-12, "telegraph.fraction": 0.0})
    e = Pulses(Table("t", columns), ReadSetting(), np.zeros(4, bool))
    found = e.simulate(quiet, np.random.default_rng(1), 20)
    assert np.median(found[:, 0]) < 20e-6  # RESET from 90 uS
    assert found[:, 2:] == pytest.approx(2.5e-6, rel=0.15)  # left alone, but for what relaxes


def test_pulses_that_were_lived_through_leave_what_a_programmed_cell_has_left() -> None:
    n, rng = 4000, np.random.default_rng(3)
    direct = Population.draw(BASE, n, rng)
    direct.load(60e-6, rng, -2.0)
    relived = Population.draw(BASE, n, rng)
    relived.cells.conductance[:] = 60e-6
    far = History(np.array([np.full(n, 2.0)]), np.array([np.full(n, np.inf)]))
    far.relive(relived, 1, rng)
    index = np.arange(n)
    changes = [p.filament(index, 1e4) - p.filament(index, 0.0) for p in (direct, relived)]
    # Sigma and mean of 4 000 changes are known to 2 % and 0.01 uS: five sigma.
    assert changes[1].std() == pytest.approx(changes[0].std(), rel=0.12)
    assert changes[1].mean() == pytest.approx(changes[0].mean(), abs=0.08e-6)
    small = History(np.array([np.full(n, 2.0)]), np.array([np.full(n, 0.08e-6)]))
    still = Population.draw(BASE, n, rng)
    still.cells.conductance[:] = 60e-6
    small.relive(still, 1, rng)
    # A pulse of a hundredth of the full change re-draws a hundredth of the variance.
    assert (still.filament(index, 1e4) - still.filament(index, 0.0)).std() < 0.2 * changes[0].std()


def test_cells_with_several_curves_keep_their_nonlinearity() -> None:
    volts = np.tile([0.1, 0.2], 4)
    columns = {
        "cell": np.repeat([0.0, 0.0, 1.0, 1.0], 2), "curve": np.repeat(np.arange(4.0), 2),
        "voltage": volts, "current": volts * np.repeat([20e-6, 60e-6, 20e-6, 60e-6], 2),
    }  # fmt: skip
    setting = ReadSetting(v_read=0.2)
    e = Curves(Table("t", columns), setting, np.zeros(8, bool), [0.0, 1e-4], quiet=True)
    found = e.simulate(changed(BASE, {"variation.chi_device": 0.5}), np.random.default_rng(1), 200)
    assert found[:, 1] == pytest.approx(20e-6, rel=1e-3) and found[:, 3] == pytest.approx(60e-6, rel=1e-3)
    bend = np.log(found[:, 1::2] / found[:, 0::2])
    # Of one cell the two curves bend together, of two cells not: 200 pairs, r = 0.25 by chance once in 2 000.
    assert np.corrcoef(bend[:, 0], bend[:, 1])[0, 1] > 0.9
    assert abs(np.corrcoef(bend[:, 0], bend[:, 2])[0, 1]) < 0.25


def test_the_lines_of_a_calibration_lie_between_the_drivers_and_a_cell() -> None:
    def record(kind: str, **values: Any) -> dict[str, Any]:
        arrays = {name: np.asarray(value, float) for name, value in values.items()}
        size = sum(v.size for v in arrays.values())
        units = dict.fromkeys(arrays, "1")
        return Record(kind, arrays, units, np.zeros((size, size)), {}, 0.0, 1.0).facts()

    facts = [record("product", r_line=2.0, r_switch=10.0), record("readout", dac_gain=np.zeros((3, 32)))]
    assert series_of(facts, np.array([0.0, 33.0]), np.array([0.0, 5.0])) == pytest.approx([14.0, 26.0])
    assert series_of([], np.zeros(1), np.zeros(1)) is None
