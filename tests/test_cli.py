"""The command line: one sentence and an exit code by cause, one JSON document, never a traceback."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from rramlab import __version__, cli
from rramlab.errors import BenchFileError, InputError, LimitExceeded, RramlabError, RunError, Unsupported

TOY = '[bench]\nid = "toy"\n[backend]\nuse = "toy_world:Toy"\n'
MODULES = cli.GROUND | {point.name: point.module for point in entry_points(group="rramlab.protocols")}


class Shell:
    """Runs the command line in this process, in a folder of its own with a bench of toys."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ending:
            cli.main(args)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        code = ending.value.code
        assert code is None or isinstance(code, int)
        return code or 0, said.out, said.err


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "toy.toml").write_text(TOY)
    return Shell(capsys)


def with_command(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    """Add a command `extra`, as a package of a laboratory would."""

    class Point:
        name = "extra"

        def load(self) -> Any:
            return body

    monkeypatch.setattr(cli, "_installed", lambda: {"extra": Point()})


def one_sentence(text: str) -> str:
    assert text.startswith("error: ")
    assert text.endswith("\n")
    assert text.count("\n") == 1
    return text


# Exit codes by cause.


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RramlabError("x"), 1),
        (InputError("no such target [here]"), 2),
        (BenchFileError("x"), 3),
        (LimitExceeded("x"), 4),
        (Unsupported("x"), 5),
        (RunError("x"), 6),
        (KeyboardInterrupt(), 130),
        (typer.Exit(1), 1),
        (SystemExit(143), 143),
    ],
)
def test_the_exit_code_tells_the_cause(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def extra() -> None:
        raise error

    with_command(monkeypatch, extra)
    ended, out, err = shell("extra", "--json")
    assert (ended, out) == (code, "")
    if isinstance(error, RramlabError):
        assert err == f"error: {error}\n"
    elif isinstance(error, KeyboardInterrupt):
        assert "interrupted" in one_sentence(err)


def test_a_bug_leaves_its_details_in_a_file(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def extra() -> None:
        raise ZeroDivisionError("seven")

    with_command(monkeypatch, extra)
    code, out, err = shell("extra")
    assert (code, out) == (70, "")
    assert "a bug in rramlab: ZeroDivisionError: seven" in one_sentence(err)
    assert "Traceback" in (tmp_path / "rramlab-bug.txt").read_text()


def test_what_a_command_returns_is_no_exit_code(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with_command(monkeypatch, lambda: 7)
    assert shell("extra")[0] == 0


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["progam"], 2, "there is no command 'progam'; did you mean 'program'?"),
        (["benhc", "check"], 2, "did you mean 'bench'?"),
        (["zzzz"], 2, "possible: bench, "),
        (["bench", "chekc"], 2, "'check'"),
        (["bench", "check", "--no-such"], 2, "No such option: --no-such; see: rramlab bench check --help"),
        (["--no-such", "bench"], 2, "No such option: --no-such"),
        (["bench", "check", "too", "many"], 2, "see: rramlab bench check --help"),
        (["bench", "check", "--bench"], 2, "requires an argument"),
        (["bench", "check", "--bench", "none.toml"], 3, "there is no bench file at none.toml"),
        (["bench", "check", "--bench", "."], 3, "cannot be read"),
        (["bench", "init", "toy.toml"], 3, "toy.toml exists already"),
        (["bench", "init", "no/where.toml"], 3, "no/where.toml cannot be written"),
    ],
)
def test_a_mistake_is_one_sentence(shell: Shell, args: list[str], code: int, said: str) -> None:
    for extra in ([], ["--json"]):
        ended, out, err = shell(*args, *extra) if args[-1] != "--bench" else shell(*extra, *args)
        assert (ended, out) == (code, "")
        assert said in one_sentence(err)


def test_a_broken_package_takes_no_other_command_with_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {"lost": EntryPoint("lost", "no_such_laboratory:lost", "rramlab.protocols")}
    monkeypatch.setattr(cli, "_installed", lambda: points)
    code, out, _ = shell("--help")
    assert code == 0
    assert "cannot be loaded" in out
    code, out, err = shell("lost", "some", "--option")
    assert (code, out) == (2, "")
    assert (
        "'lost' cannot be loaded (ModuleNotFoundError: No module named 'no_such_laboratory')"
        in one_sentence(err)
    )
    assert shell("bench", "check", "--bench", "toy.toml")[0] == 0


# Output.

CHECK = ["bench", "check"]


@pytest.mark.parametrize(
    "line",
    [
        ["--json", "--bench", "toy.toml", *CHECK],
        ["--bench=toy.toml", *CHECK, "--json"],
        ["bench", "--json", "check", "--bench", "toy.toml"],
        ["bench", "--bench", "toy.toml", "check", "--quiet", "--json"],
    ],
)
def test_global_options_stand_anywhere_and_json_is_one_document(shell: Shell, line: list[str]) -> None:
    code, out, err = shell(*line)
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert facts["bench"] == facts["name"] == "toy"


def test_quiet_says_nothing_and_a_person_sees_a_table(shell: Shell) -> None:
    assert shell(*CHECK, "-q", "--bench", "toy.toml") == (0, "", "")
    code, out, err = shell(*CHECK, "--bench", "toy.toml")
    assert (code, err) == (0, "")
    assert "toy" in out
    assert "uS" in out


def test_bench_init_tells_the_next_step_and_its_path(shell: Shell) -> None:
    assert "rramlab --bench a[b].toml bench check" in shell("bench", "init", "a[b].toml")[1]
    assert json.loads(shell("bench", "init", "c.toml", "--json")[1]) == {"path": "c.toml"}


def test_arguments_after_a_double_dash_are_left_alone(shell: Shell) -> None:
    assert shell("bench", "init", "--", "--json")[0] == 0
    assert Path("--json").read_text()


@pytest.mark.parametrize("args", [["--version"], ["--json", "--version"], ["--version", "bench"]])
def test_the_version_is_one_line(shell: Shell, args: list[str]) -> None:
    assert shell(*args) == (0, f"rramlab {__version__}\n", "")


# Help.


@pytest.mark.parametrize("args", [[], ["--help"]])
def test_help_names_every_command_and_the_exit_codes(shell: Shell, args: list[str]) -> None:
    code, out, err = shell(*args)
    assert (code, err) == (0, "")
    assert all(re.search(rf"\b{name}\b", out) for name in MODULES)
    assert all(re.search(rf"\b{number}\b", out) for number in (0, 1, 2, 3, 4, 5, 6, 70, 130))


@pytest.mark.parametrize(
    "command", [*((name,) for name in sorted(MODULES)), ("bench", "init"), ("bench", "check")], ids=" ".join
)
def test_the_help_of_each_command_is_its_manual_with_an_example(
    shell: Shell, command: tuple[str, ...]
) -> None:
    if find_spec(MODULES[command[0]]) is None:
        pytest.skip(f"{MODULES[command[0]]} is not written yet")
    code, out, err = shell(*command, "--help")
    assert (code, err) == (0, "")
    assert "cannot be loaded" not in out
    assert re.search(r"Example:\s+rramlab\b", out)
    assert f"rramlab {' '.join(command)}" in out


@pytest.mark.parametrize("command", sorted(MODULES))
def test_wrong_options_of_each_command_are_one_sentence(shell: Shell, command: str) -> None:
    if find_spec(MODULES[command]) is None:
        pytest.skip(f"{MODULES[command]} is not written yet")
    code, out, err = shell(command, "--no-such-option", "--json")
    assert (code, out) == (2, "")
    assert "--no-such-option" in one_sentence(err)


@pytest.mark.parametrize(
    "line",
    [
        ["program", "nowhere.csv"],
        ["program", "toy.toml"],
        ["program"],
        ["program", "nowhere.csv", "--tolerance", "much"],
        ["program", "nowhere.csv", "--wait", "long"],
        ["program", "nowhere.csv", "--strategy", "pingpong"],
        ["program", "--resume", "nowhere"],
        ["read", "--cells", "c3r7"],
        ["read", "--run", "toy.toml"],
        ["sample", "--weights", "nowhere.safetensors"],
        ["show", "nowhere"],
        ["recover", "nowhere"],
        ["demo", "--resume", "nowhere"],
    ],
    ids=" ".join,
)
def test_wrong_inputs_are_refused_in_one_sentence_before_a_run_is_made(shell: Shell, line: list[str]) -> None:
    if find_spec(MODULES[line[0]]) is None:
        pytest.skip(f"{MODULES[line[0]]} is not written yet")
    code, out, err = shell(*line, "--bench", "toy.toml", "--json")
    assert code in (2, 3, 4, 5, 6), err
    assert out == ""
    one_sentence(err)
    assert not list(Path("runs").glob("*"))


# The program itself.


def run(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from rramlab.cli import main; main()", *args]
    return subprocess.run(command, text=True, timeout=60, check=False, stderr=subprocess.PIPE, **options)


def test_the_program_ends_with_the_code_of_its_cause(tmp_path: Path) -> None:
    ended = run("bench", "check", "--bench", "none.toml", cwd=tmp_path, stdout=subprocess.PIPE)
    assert ended.returncode == 3
    assert ended.stdout == ""
    one_sentence(ended.stderr)


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise on Windows")
def test_a_reader_that_goes_away_is_no_bug(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = run("bench", "init", "mine.toml", "--json", cwd=tmp_path, stdout=writer)
    finally:
        os.close(writer)
    assert ended.returncode in (1, 120), ended.stderr  # 120: Python could not flush what was left
    assert "a bug" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "rramlab-bug.txt").exists()


def test_ctrl_c_while_the_command_line_is_loaded_is_no_traceback() -> None:
    broken = "import sys; sys.meta_path.insert(0, type('I', (), {'find_spec': staticmethod(stop)})())"
    script = f"def stop(name, *rest):\n    if name == 'rramlab.cli': raise KeyboardInterrupt\n{broken}\n"
    ended = subprocess.run(
        [sys.executable, "-c", f"{script}from rramlab.__main__ import main; main()"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "error: interrupted\n")
