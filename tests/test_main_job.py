"""The main job from the command line: program, read, sample, demo; resumed, taken over, refused."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
from typer.testing import CliRunner

from rramlab.bench import embedded
from rramlab.cli import app
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import save_weights
from rramlab.errors import RramlabError
from rramlab.outcome import Outcome
from rramlab.runfile import RunFile

RUNNER = CliRunner()


def run(*words: str | Path, code: int = 0) -> str:
    """Return what a command printed; its exit code must be `code`."""
    front = [w for w in ("--json",) if w in words]
    rest = [str(w) for w in words if w not in front]
    result = RUNNER.invoke(app, front + rest)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def small_targets() -> Path:
    values = np.linspace(20, 100, 48).reshape(6, 8)
    values[2, 3] = np.nan
    np.savetxt("mine.csv", values, delimiter=",", fmt="%.3f")
    return Path("mine.csv")


def test_a_table_is_programmed_read_and_shown() -> None:
    facts = json.loads(run("program", small_targets(), "--run", "p", "--at", "r3c5", "--json"))
    assert facts["cells"] == 47
    assert facts["within_tolerance_percent"] > 85
    kept = RunFile.open("p").kept["program"].columns
    assert (kept["row"].min(), kept["col"].min()) == (3, 5)
    assert not ((kept["row"] == 5) & (kept["col"] == 8)).any()  # nan leaves its cell alone
    good = kept["outcome"] == Outcome.CONVERGED
    assert np.abs(kept["achieved"] - kept["target"])[good].max() < 10e-6
    assert "img" in Path("p/index.html").read_text()
    read = json.loads(run("read", "--after", "p", "--cells", "r3-8,c5-12", "--run", "r", "--json"))
    achieved = {(r, c): g for r, c, g in zip(kept["row"], kept["col"], kept["achieved"], strict=True)}
    again = np.array(read["conductance_uS"]) * 1e-6
    apart = [abs(again[r - 3, c - 5] - g) for (r, c), g in achieved.items()]
    # A single sample: 0.2 uS of noise, and now and then a telegraph step; nine of ten within five sigma.
    assert np.quantile(apart, 0.9) < 1e-6
    assert "pulses" in run("show", "p")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("10,50\n60,70\n", "outside the window of 20uS to 100uS"),
        ("a,b\nc,d\n", "mine.csv"),
        ("0.5,2\n", "say --unit"),
        ("21,30\n" * 200, "lies outside this bench"),
    ],
)
def test_targets_that_make_no_sense_are_refused_before_a_run_is_made(content: str, words: str) -> None:
    Path("mine.csv").write_text(content)
    assert words in run("program", "mine.csv", "--run", "p", code=2)
    assert not Path("p").exists()


def test_names_that_do_not_exist_are_answered_with_the_nearest() -> None:
    small_targets()
    assert "did you mean 'ping-pong'" in run("program", "mine.csv", "--strategy", "pingpong", code=2)
    assert "there is no file nope.npy" in run("program", "nope.npy", code=2)
    assert "no weight file at nope" in run("sample", "--weights", "nope.safetensors", code=2)
    assert "possible: ode, sde" in run("sample", "--kind", "ddpm", code=2)
    assert "no run" in run("program", "--resume", "nowhere", code=6)


def test_a_run_is_not_overwritten_and_a_complete_one_not_resumed() -> None:
    run("read", "--cells", "r0c0", "--run", "r")
    assert "exists" in run("read", "--cells", "r0c0", "--run", "r", code=6)
    small_targets()
    run("program", "mine.csv", "--run", "p", "--passes", "1")
    assert "is complete" in run("program", "--resume", "p", code=6)
    assert "leave out --tolerance" in run("program", "--resume", "p", "--tolerance", "2uS", code=2)


def test_require_turns_misses_into_an_exit_code() -> None:
    np.savetxt("one.csv", np.full((4, 8), 60.0), delimiter=",")
    run("program", "one.csv", "--run", "p", "--require", "101", "--passes", "1", code=1)


def test_the_ring_is_programmed_sampled_taken_over_and_shown() -> None:
    facts = json.loads(run("demo", "--runs", "200", "--run", "d", "--json"))
    assert facts["quality"]["analog"]["sliced_wasserstein"] < 0.12  # 200 points: the floor alone is 0.05
    # The weights in use are right to 0.4 uS of about 30 uS per unit weight; rms below 0.03 in any case.
    assert facts["weight_error_rms"] < 0.03
    kept = RunFile.open("d").kept
    assert kept["samples"].columns["analog"].shape == (200, 2)
    page = Path("d/index.html").read_text()
    assert page.count("<img") >= 8
    again = json.loads(run("sample", "--after", "d", "--runs", "64", "--kind", "sde", "--run", "s", "--json"))
    assert again["kind"] == "sde"
    assert again["weight_error_rms"] == pytest.approx(facts["weight_error_rms"])
    assert len(RunFile.open("s").tables["pulses"]) == 0  # nothing was programmed again


def test_a_network_of_ones_own_stays_with_its_macro() -> None:
    rng = np.random.default_rng(5)
    layers = rng.normal(0, 0.5, (2, 14)), rng.normal(0, 0.2, (14, 14)), rng.normal(0, 0.2, (14, 2))
    mine = ScoreWeights(*layers, rng.normal(0, 1, 7))
    save_weights(mine, "mine.safetensors")
    first = json.loads(run("sample", "--weights", "mine.safetensors", "--runs", "32", "--run", "a", "--json"))
    assert first["compared_with"] == "the digital sampler"
    Path("mine.safetensors").unlink()
    run("sample", "--after", "a", "--runs", "32", "--run", "b")
    run("sample", "--after", "b", "--runs", "32", "--run", "c")  # and on from there
    for name, layer in (("w1", mine.w1), ("w3", mine.w3)):
        assert np.array_equal(RunFile.open("c").kept["score"].columns[name], layer)
    assert "leave out --weights" in run("sample", "--after", "a", "--weights", "x.safetensors", code=2)
    run("read", "--cells", "r0c0", "--run", "r")
    assert "programmed no network" in run("sample", "--after", "r", code=6)


DEMO = ("demo", "--runs", "64", "--seed", "3")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Return the samples of a demo that nobody cuts off."""
    folder = tmp_path_factory.mktemp("demo") / "whole"
    run(*DEMO, "--run", folder)
    return RunFile.open(folder).kept["samples"].columns["analog"]


@contextmanager
def killed_at_the_end(words: list[str | Path]) -> Iterator[subprocess.Popen[bytes]]:
    """Hold a command in a process of its own, which does not outlive the test."""
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.kill()
        child.wait(60)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("events", [60, 250, 400])
def test_a_killed_demo_goes_on_to_the_same_samples(events: int, uninterrupted: np.ndarray) -> None:
    command = [Path(sys.executable).with_name("rramlab"), "--quiet", *DEMO, "--run", "killed"]
    deadline = monotonic() + 300.0
    with killed_at_the_end(command) as child:
        while count("killed") < events and child.poll() is None:
            assert monotonic() < deadline, f"only {count('killed')} events in five minutes"
            sleep(0.005)  # waiting for the child: nothing is timed
    if not RunFile.open("killed").complete:
        run("demo", "--resume", "killed")
    killed = RunFile.open("killed").kept["samples"].columns["analog"]
    # The simulated macro lives through its requests again; one that was on its way counts as done.
    assert np.abs(uninterrupted - killed).max() < 0.5
    assert np.median(np.abs(uninterrupted - killed)) < 0.05


def count(folder: str) -> int:
    try:
        return int(RunFile.open(folder).attributes["n_events"])
    except RramlabError:
        return 0


def test_a_small_bench_cannot_hold_the_network() -> None:
    Path("one.toml").write_text(embedded().replace("macros = 3", "macros = 1"))
    assert "needs 3 macros of 32 x 32" in run("--bench", "one.toml", "demo", "--run", "d", code=2)
