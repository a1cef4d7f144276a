"""A run is a folder that can be created, continued and finished, or says in one sentence why not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import h5py
import numpy as np
import pytest
from kills import Moment, Say, kill, memory_disk

from rramlab.contents import Kept
from rramlab.errors import RunError
from rramlab.limits import Limits
from rramlab.provenance import git_commit
from rramlab.pulse import Delivery
from rramlab.recover import recover
from rramlab.run import Run
from rramlab.runfile import JOURNAL, RunFile

START = {"command": "program", "seed": 7, "bench_text": 'use = "toy"\n', "limits": Limits()}
PARAMETERS = {"target": "0" * 64, "tolerance": 1e-6, "window": [20e-6, 100e-6]}
CELLS = {"row": np.array([0, 1], dtype=np.int32), "col": np.array([2, 2], dtype=np.int32)}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = Path(mkdtemp(dir=memory_disk(tmp_path)))
    yield made
    rmtree(made)


def create(path: Path, **other) -> Run:
    return Run.create(path, **(START | {"parameters": PARAMETERS, "minimum_free": 0} | other))


def resume(path: Path, **other) -> Run:
    return Run.resume(path, minimum_free=0, **other)


def ask(run: Run, verb: str, facts: dict, asked: dict, answer: dict) -> int:
    number = run.recorder.request(verb, 1.0, facts, asked)
    run.recorder.result(number, verb, 1.5, {}, answer)
    return number


def read(run: Run, values: list[float]) -> int:
    spec = {"v_read": 0.2, "gate": 3.3, "samples": 1}
    return ask(run, "read", spec, CELLS, {"conductance": np.array(values)})


def pulse(run: Run) -> int:
    shape = {
        "polarity": np.zeros(2, np.uint8),
        "drive": np.ones(2),
        "gate": np.ones(2),
        "width": np.full(2, 1e-6),
    }
    return ask(run, "pulse", {}, CELLS | shape, {"delivery": np.zeros(2, np.uint8)})


def everything(run: Run) -> None:
    """Ask each verb once or more, and leave one pulse unanswered."""
    run.identify({"name": "toy", "serial": "1"})
    run.keep_memory({"G": np.ones((2, 3))})
    read(run, [10e-6, 20e-6])
    pulse(run)
    read(run, [11e-6, 21e-6])
    pulse(run)
    pulse(run)
    read(run, [13e-6, 23e-6])
    steps = np.linspace(0, 1, 5)
    facts = {"gate": 1.4, "compliance": 1e-4, "dwell": 1e-3}
    cell = {"row": np.array([1], dtype=np.int32), "col": np.array([2], dtype=np.int32)}
    curve = {
        "voltage": steps[:3],
        "current": 1e-5 * steps[:3],
        "time": steps[:3],
    }  # cut short by the compliance
    ask(run, "sweep", facts, cell | {"voltages": steps}, curve)
    ask(run, "multiply", {"macro": 0}, {"voltages": np.ones((4, 2))}, {"currents": np.ones((4, 3))})
    ask(run, "multiply", {"macro": 1}, {"voltages": np.ones(2)}, {"currents": np.ones(3)})
    loop = {"gain": 5.0, "volts": 0.5, "tick": 5e-3, "layers": [{"row": 0}], "scale": [1e-5]}
    waves = {
        "end": np.ones((9, 2)),
        "time": np.arange(4.0),
        "state": np.ones((2, 4, 2)),
        "hidden1": np.ones((2, 4, 14)),
    }
    ask(run, "solve", loop, {"start": np.zeros((9, 2)), "drive": np.ones(4)}, waves)
    ask(run, "wait", {"seconds": 60.0}, {}, {})
    run.note("resume_point", {"batch": 1, "µ": "ä"}, {"left": np.array([[True, False]])})
    run.note("remark")
    run.keep("achieved", {"conductance": np.zeros(2)}, {"conductance": "S"}, {"pass": 1})
    run.keep(
        "achieved",
        {"conductance": np.ones(2), "reason": np.array(["ok", "zu früh"])},
        {"conductance": "S"},
        {"pass": 2},
    )
    run.recorder.request("pulse", 9.0, {}, CELLS)


def alike(a: RunFile, b: RunFile, but: tuple[str, ...] = ()) -> None:
    """Hold two runs to say the same, value by value."""
    assert a.start == b.start
    assert a.contents.identities == b.contents.identities
    assert {k: v for k, v in a.attributes.items() if k not in but} == {
        k: v for k, v in b.attributes.items() if k in a.attributes and k not in but
    }
    assert a.kept.keys() == b.kept.keys()
    for name, kept in a.kept.items():
        assert (kept.units, kept.facts) == (b.kept[name].units, b.kept[name].facts)
        equal(kept.columns, b.kept[name].columns)
    assert a.tables.keys() == b.tables.keys()
    for name, table in a.tables.items():
        equal(table, b.tables[name])
    flat = [
        {(t, n): c for t, found in run.contents.arrays.items() for n, c in found.items()} for run in (a, b)
    ]
    assert flat[0].keys() == flat[1].keys()
    for key, columns in flat[0].items():
        equal(columns, flat[1][key])


def equal(a: dict, b: dict) -> None:
    assert list(a) == list(b)
    for name, column in a.items():
        np.testing.assert_array_equal(column, b[name], strict=column.dtype.kind not in "SU")


@pytest.fixture
def unfinished(folder: Path) -> Path:
    with pytest.raises(KeyboardInterrupt), create(folder / "moon") as run:
        everything(run)
        raise KeyboardInterrupt
    return folder / "moon"


def test_journal_and_file_say_the_same(unfinished):
    live = RunFile.open(unfinished)
    recover(unfinished)
    (unfinished / JOURNAL).unlink()
    alike(live, RunFile.open(unfinished))
    alike(live, RunFile.open(unfinished / "run.h5"))


def test_tables_hold_every_request(unfinished):
    shown = RunFile.open(unfinished)
    pulses, sweeps = shown.tables["pulses"], shown.tables["sweeps"]
    assert pulses["number"].tolist() == [2, 2, 4, 4, 5, 5, 12, 12]
    assert pulses["attempt"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    np.testing.assert_array_equal(pulses["before"][::2], [10e-6, 11e-6, np.nan, 13e-6])
    np.testing.assert_array_equal(pulses["after"][1::2], [21e-6, np.nan, 23e-6, np.nan])
    assert pulses["answered"].tolist() == [True] * 6 + [False] * 2
    assert pulses["delivery"].tolist() == [Delivery.APPLIED] * 6 + [Delivery.UNKNOWN] * 2
    assert sweeps["row"].tolist() == [1] * 5
    np.testing.assert_array_equal(sweeps["current"], [0, 0.25e-5, 0.5e-5, np.nan, np.nan])
    assert shown.tables["waits"]["seconds"].tolist() == [60.0]
    assert shown.arrays("solves", 10)["state"].shape == (2, 4, 2)
    assert json.loads(shown.tables["solves"]["facts"][0])["scale"] == [1e-5]
    assert shown.arrays("multiplies", 9)["currents"].shape == (3,)
    assert shown.tables["notes"]["verb"].tolist() == ["resume_point", "remark", "keep", "stop"]
    assert shown.kept["achieved"].facts == {"pass": 2}
    assert shown.attributes["open_requests"] == 1
    assert shown.attributes["exit_status"] == "stopped: KeyboardInterrupt"


def test_every_numeric_dataset_has_its_unit(unfinished):
    recover(unfinished)
    with h5py.File(unfinished / "run.h5") as file:
        found = []
        file.visititems(
            lambda name, item: found.append((name, item)) if isinstance(item, h5py.Dataset) else None
        )
        bare = [name for name, item in found if item.dtype.kind in "biufc" and "units" not in item.attrs]
        told = {name: item.attrs["units"] for name, item in found if "units" in item.attrs}
    assert bare == []
    assert len(told) > 60
    assert told["pulses/drive"] == "V"
    assert told["solves/000010/drive"] == "1/s"
    assert told["kept/achieved/conductance"] == "S"
    assert told["limits/v_read"] == "V"
    assert [name for name, unit in told.items() if unit == "unspecified"] == ["kept/memory_at_start/G"]


def test_a_finished_run_is_one_file(folder):
    with create(folder / "moon") as run:
        read(run, [1e-6, 2e-6])
        run.keep_memory({"G": np.arange(3.0)})
    assert [file.name for file in (folder / "moon").iterdir()] == ["run.h5"]
    shown = RunFile.open(folder / "moon")
    assert shown.complete
    assert shown.memory()["G"].tolist() == [0, 1, 2]
    assert shown.start.software["numpy"] == np.__version__
    assert shown.start.limits["v_read"] == Limits().v_read
    with h5py.File(folder / "moon" / "run.h5") as file:
        assert file["config/bench"][()].decode() == START["bench_text"]
        assert file["calibration"].attrs["reason"]
        assert file.attrs["complete"]


def test_a_run_goes_on_with_what_it_was_started_with(unfinished):
    recover(unfinished)  # the file of the unfinished run is replaced at the end
    with resume(unfinished, command="program", seed=7, parameters=PARAMETERS, limits=Limits()) as run:
        assert [event.verb for event in run.open_requests()] == ["pulse"]
        assert run.last_note("resume_point").facts["batch"] == 1
        assert read(run, [14e-6, 24e-6]) == 13
    shown = RunFile.open(unfinished)
    assert (shown.attributes["sessions"], shown.complete, shown.attributes["exit_status"]) == (
        2,
        True,
        "complete",
    )
    assert shown.tables["pulses"]["after"][-2:].tolist() == [14e-6, 24e-6]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"command": "sample"}, "started with command program, not sample"),
        ({"seed": 8}, "started with seed 7, not 8"),
        ({"bench_text": "other"}, "started with bench use"),
        ({"limits": Limits(v_read=0.1)}, "started with another limits"),
        ({"parameters": PARAMETERS | {"target": "1" * 64}}, "started with another target"),
        (
            {"parameters": PARAMETERS | {"tolerance": 2e-6}, "seed": 1},
            "seed 7, not 1; tolerance 1e-06, not 2e-06",
        ),
    ],
)
def test_another_run_is_not_continued(unfinished, other, sentence):
    with pytest.raises(RunError, match=sentence):
        resume(unfinished, **other)
    resume(unfinished).close()  # and the refusal lets go of it


def test_names_that_are_taken_or_wrong(folder, unfinished):
    (folder / "moon-2").mkdir()
    with pytest.raises(
        RunError, match=r"exists already; choose another name, such as '.*moon-3', or .*--resume"
    ):
        create(unfinished)
    (folder / "file").write_text("x")
    with pytest.raises(RunError, match="is a file, and a run is a folder"):
        create(folder / "file")
    with pytest.raises(RunError, match="there is no folder"):
        create(folder / "missing" / "moon")
    with pytest.raises(RunError, match=r"file' is a file, and '.*moon' wants a folder"):
        create(folder / "file" / "moon")
    with pytest.raises(RunError, match="did you mean 'moon'"):
        resume(folder / "mon")
    with pytest.raises(RunError, match="there is no run"):
        RunFile.open(folder / "nothing")


def test_what_is_given_to_a_run_is_there_with_its_beginning(folder):
    given = {"targets": Kept({"target": np.array([20e-6])}, {"target": "S"}, {})}
    create(folder / "moon", given=given).close()  # as one that ends before anything is sent
    kept = RunFile.open(folder / "moon").kept["targets"]
    assert kept.columns["target"].tolist() == [20e-6] and kept.units == {"target": "S"}


def test_facts_that_are_too_long_for_an_attribute_are_told_where_they_are(folder):
    run = create(folder / "moon")
    run.keep("long", {"x": np.zeros(1, dtype=int)}, facts={"states": list(range(5000))})
    path = run.finalise()
    with h5py.File(path) as file:
        assert file["kept/long"].attrs["facts"].endswith("all of it in /config/kept/long")
        assert json.loads(file["config/kept/long"][()])["states"][-1] == 4999
    assert len(RunFile.open(folder / "moon").kept["long"].facts["states"]) == 5000


def test_a_complete_run_is_not_continued(folder):
    create(folder / "moon").finalise()
    with pytest.raises(RunError, match="is complete; look at it with: rramlab show"):
        resume(folder / "moon")
    with pytest.raises(RunError, match="exists already"):
        create(folder / "moon")


def test_a_nearly_full_disk_is_refused_before_anything_is_made(folder):
    with pytest.raises(RunError, match="nearly full"):
        create(folder / "moon", estimate=1 << 60)
    assert not (folder / "moon").exists()


def read_only_folder(tmp_path: Path) -> Path:
    if os.geteuid() != 0:
        tmp_path.chmod(0o555)
        return tmp_path
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("root writes everywhere here, and nothing can be mounted read-only")
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no read-only folders")
def test_a_read_only_folder_is_one_clear_sentence(tmp_path):
    folder = read_only_folder(tmp_path)
    try:
        with pytest.raises(RunError, match=r"cannot be written.*choose a folder of your own"):
            create(folder / "moon")
    finally:
        subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def hold(say: Say, path: Path) -> None:
    with create(path) as run:
        while True:
            say("result", pulse(run))


def test_a_live_run_is_shown_but_not_continued(folder):
    with create(folder / "moon") as run:
        pulse(run)
        with pytest.raises(RunError, match="being written by another process"):
            resume(folder / "moon")
        with pytest.raises(RunError, match="being written by another process"):
            recover(folder / "moon")
        shown = RunFile.open(folder / "moon")
        assert shown.attributes["exit_status"] == "unfinished"
        assert len(shown.tables["pulses"]["number"]) == 2
    told = kill(hold, folder / "sun", at=Moment("result", 3, 0.0))
    assert not told.failures
    resume(folder / "sun").close()


def test_a_run_killed_before_its_first_event_can_be_started_anew(folder):
    (folder / "moon").mkdir()
    (folder / "moon" / JOURNAL).touch()
    with pytest.raises(RunError, match="nothing was recorded"):
        resume(folder / "moon")
    with pytest.raises(RunError, match="nothing was recorded"):
        RunFile.open(folder / "moon")
    create(folder / "moon").finalise()
    assert RunFile.open(folder / "moon").complete


def test_a_run_without_a_macro_says_so(unfinished):
    with pytest.raises(RunError, match="kept no macro to go on with"):
        RunFile.open(unfinished).memory()


def test_the_commit_is_found(tmp_path):
    assert git_commit(tmp_path) is None
    (tmp_path / ".git" / "refs").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/main\n")
    (tmp_path / ".git" / "packed-refs").write_text("# pack-refs\nabc refs/main\n")
    assert git_commit(tmp_path) == "abc"
    (tmp_path / ".git" / "refs" / "main").write_text("def\n")
    assert git_commit(tmp_path) == "def"
