"""Do what one who never saw the command line does: each slip gets one sentence and its exit code."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rramlab.bench import embedded
from rramlab.cli import app

RUNNER = CliRunner()


def run(*words: str, code: int) -> str:
    """Return what a command printed; its exit code must be `code`, and no run may be made."""
    result = RUNNER.invoke(app, words)
    assert result.exit_code == code, result.output
    assert not list(Path.cwd().rglob("run.journal")), "a refused command has begun a run"
    assert "what was measured is kept" not in result.output
    return result.output


@pytest.fixture(autouse=True)
def in_a_folder_with_a_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("50,60\n70,\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tolerance", "0"), "above zero"),
        (("--tolerance", "-1uS"), "above zero"),
        (("--tolerance", "1e9"), "whole window"),
        (("--passes", "0"), "at least one pass"),
        (("--passes", "999999999999999999999"), "at most 1000 passes"),
        (("--wait", "-1s"), "a wait of zero or more"),
        (("--wait", "1e30"), "1e+08 s"),
        (("--max-pulses", "0"), "one pulse"),
        (("--seed", "-1"), "--seed -1 is not possible"),
        (("--seed", str(2**63)), "is not possible"),
        (("--run", ""), "no folder of its own"),
        (("--run", ".."), "no folder of its own"),
    ],
)
def test_figures_nobody_can_have_meant_are_refused_before_a_run_is_made(
    options: tuple[str, str], words: str
) -> None:
    assert words in run("program", "mine.csv", *options, code=2)


@pytest.mark.parametrize(
    "options", [("--tolerance", "0"), ("--passes", "0"), ("--seed", "-1"), ("--runs", "100000001")]
)
def test_the_main_job_refuses_them_too(options: tuple[str, str]) -> None:
    run("sample", *options, code=2)


@pytest.mark.parametrize(
    "options",
    [("--samples", "0"), ("--samples", "99999999999"), ("--csv", "."), ("--csv", "nowhere/x.csv")],
)
def test_a_reading_that_cannot_end_well_is_not_begun(options: tuple[str, str]) -> None:
    assert options[0] in run("read", "--cells", "r0c0", *options, code=2)


@pytest.mark.parametrize(
    "options",
    [
        ("--steps", "3"),
        ("--steps", "0"),
        ("--seed", "-1"),
        ("--seed", str(2**80)),
        ("--out", "/proc/x.safetensors"),
    ],
)
def test_training_that_cannot_end_well_is_not_begun(options: tuple[str, str]) -> None:
    assert options[1] in run("train", "ring", *options, code=2)


def test_a_macro_to_take_over_is_looked_at_before_a_run_is_made() -> None:
    assert "no run" in run("read", "--after", "nowhere", "--run", "r", code=6)
    assert not Path("r").exists()


def test_a_device_that_does_not_exist_is_a_matter_of_the_bench_file() -> None:
    Path("b.toml").write_text(embedded().replace('"taox180"', '"taox18"'))
    assert "did you mean 'taox180'" in run("--bench", "b.toml", "bench", "check", code=3)


def test_an_array_file_that_promises_too_much_is_refused() -> None:
    np.save("m.npy", np.full((2, 2), 50))
    content = Path("m.npy").read_bytes()
    Path("m.npy").write_bytes(content.replace(b"(2, 2), }             ", b"(9999999999, 9999), } "))
    assert b"9999999999" in Path("m.npy").read_bytes()
    assert "m.npy is not a .npy file of plain numbers" in run("program", "m.npy", code=2)


def test_numbers_that_would_be_misread_are_refused() -> None:
    Image.new("F", (4, 4), 0.5).save("f.tif")
    assert "fractions without a scale" in run("program", "f.tif", code=2)
    Path("m.csv").write_text("5_0,60\n")
    assert "'5_0'" in run("program", "m.csv", code=2)


def test_a_photograph_is_refused_at_once() -> None:
    Image.new("1", (5000, 5000)).save("big.png")
    assert "5000 x 5000 pixels" in run("program", "big.png", code=2)


def test_one_cell_has_no_sigma() -> None:
    Path("one.csv").write_text("50\n")
    result = RUNNER.invoke(app, ["program", "one.csv", "--passes", "1", "--run", "p"])
    assert result.exit_code == 0, result.output
    assert "nan" not in result.output


def test_a_macro_that_was_never_formed_takes_no_network() -> None:
    Path("b.toml").write_text(embedded().replace("formed = true", "formed = false"))
    result = RUNNER.invoke(app, ["--bench", "b.toml", "sample", "--runs", "5", "--run", "s"])
    assert result.exit_code == 2
    assert "0 of 3072 cells look usable" in result.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_an_answer_that_finds_no_room_is_no_bug() -> None:
    words = [sys.executable, "-c", "from rramlab.cli import main; main()", "bench", "init", "b.toml"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert "disk is full" in done.stderr
    assert "bug" not in done.stderr
