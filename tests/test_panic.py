"""The command that switches everything off, whoever holds the bench."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from toy_world import Toy, ToyOptions

from rramlab.bench import embedded
from rramlab.bench_lock import hold, lock_file
from rramlab.cli import main
from rramlab.finding import Finding

OFF = Finding("source_meter", "output off, interlock open", True)
WORLDS = ("a", "test_panic:Broken"), ("b", "test_panic:Lab"), ("c", "gone:Gone")
ON = Finding("board", "no answer within 5 s", False, "switch the supply of the board off by hand")


class Lab(Toy):
    """A toy that says what it is told to say of a panic."""

    findings: ClassVar[list[Finding]] = [OFF]
    asked: ClassVar[list[ToyOptions]] = []

    @classmethod
    def panic(cls, options: Any) -> list[Finding]:
        cls.asked.append(options)
        return cls.findings


class Broken(Toy):
    """A toy whose panic has a bug."""

    @classmethod
    def panic(cls, options: Any) -> list[Finding]:
        raise ZeroDivisionError("a bug in a driver")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RRAMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(Lab, "asked", [])
    return tmp_path


def bench_file(place: Path, use: str = "test_panic:Lab") -> Path:
    path = place / "bench.toml"
    path.write_text(f'[bench]\nid = "lab"\n[backend]\nuse = "{use}"\n[backend.options]\nrows = 7\n')
    return path


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["panic", *args])
    return int(ended.value.code or 0)


def test_all_off_is_exit_code_zero_and_a_line_each(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--bench", str(bench_file(place))) == 0
    assert capsys.readouterr().out == "lab: source_meter | output off, interlock open | ok\n"
    assert [options.rows for options in Lab.asked] == [7]


def test_one_that_does_not_say_off_is_named_with_what_to_do(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lab, "findings", [OFF, ON])
    assert run("--bench", str(bench_file(place))) == 7
    told = capsys.readouterr()
    assert "lab: board | no answer within 5 s | NOT OK: switch the supply" in told.out
    assert "board (no answer within 5 s): switch the supply of the board off by hand" in told.err
    assert "source_meter" not in told.err


def test_a_bench_in_use_is_switched_off_without_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    with hold("lab", world="test_panic:Lab", options={"rows": 5}):
        assert run() == 0
    assert [options.rows for options in Lab.asked] == [5]
    assert "lab: source_meter" in capsys.readouterr().out


def test_one_bench_that_cannot_be_reached_does_not_save_the_others_from_being_switched_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (
        hold("a", world="test_panic:Broken"),
        hold("b", world="test_panic:Lab"),
        hold("c", world="gone:Gone"),
    ):
        assert run() == 7
    told = capsys.readouterr()
    assert "b: source_meter | output off" in told.out and "a: bench | a bug in a driver | NOT OK" in told.out
    assert "'gone:Gone' cannot be loaded" in told.err


def test_a_bench_left_by_a_killed_process_is_switched_off_as_well() -> None:
    with hold("lab", world="test_panic:Lab"):
        card = lock_file("lab").with_suffix(".json").read_bytes()
    lock_file("lab").with_suffix(".json").write_bytes(card)  # as a killed process leaves it
    assert run() == 0 and len(Lab.asked) == 1


def test_no_bench_at_all_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "rramlab panic --bench FILE" in capsys.readouterr().err


def test_a_simulated_bench_has_nothing_to_switch_off(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = place / "sim.toml"
    path.write_text(embedded())
    assert run("--bench", str(path)) == 0
    assert "nothing can be on" in capsys.readouterr().out


def test_a_script_gets_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--bench", str(bench_file(place))) == 0
    (found,) = json.loads(capsys.readouterr().out)["benches"]["lab"]
    assert found["part"] == "source_meter" and found["good"] is True
