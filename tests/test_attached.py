"""What is attached: who answers, which driver fits, lines for a bench file; and who is left in peace."""

import json
import tomllib
from importlib.metadata import EntryPoint

import pytest
from loopback import Loopback
from typer.testing import CliRunner
from wire_bench import MAKERS, WireBench, wire_bench

from drivers import attached as finder
from drivers.attached import attached
from rramlab.bench import Bench
from rramlab.cli import app


def nothing() -> list[tuple[str, str]]:
    return []


def resources(made: WireBench) -> list[tuple[str, str]]:
    ports = made.virtual.ports
    return [(ports[name].resource, "@py") for name in ("source_meter", "oscilloscope")]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("meter", "scope"), MAKERS)
def test_instruments_are_matched_to_their_drivers(meter: str, scope: str) -> None:
    with wire_bench(meter, scope) as made:
        found = attached(ports=nothing, resources=lambda: resources(made))
    assert [one.driver for one in found] == [meter, scope]
    assert all(one.answer.count(",") == 3 for one in found)


def test_the_lines_make_a_bench_file_that_opens() -> None:
    with wire_bench() as made:
        board = made.virtual.ports["board"].address
        found = attached(True, lambda: [(board, "a board")], lambda: resources(made))
        lines = "\n\n".join(one.lines for one in found)
        head = '[bench]\nid = "found"\n[backend]\nuse = "drivers:BenchBackend"\n'
        backend = Bench.parse(head + lines).open()
        assert backend.shape == (8, 8)
        assert [finding for finding in backend.examine() if not finding.good] == []
    assert found[0].driver == "rramlab-board"


def test_a_serial_port_is_written_to_only_when_asked() -> None:
    with Loopback(lambda line: b"") as board:
        port = f"socket://127.0.0.1:{board.port}"
        (quiet,) = attached(False, lambda: [(port, "FTDI")], nothing)
        assert (quiet.answer, quiet.driver, board.lines) == ("FTDI (not asked)", "", [])


def test_a_port_where_no_board_answers_is_a_line_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "PATIENCE", 0.03)
    with Loopback(lambda line: b"") as mute:
        (found,) = attached(True, lambda: [(f"socket://127.0.0.1:{mute.port}", "")], nothing)
    assert found.answer.startswith("no board of the rramlab protocol")


def test_an_unknown_or_silent_instrument_is_listed_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "PATIENCE", 0.03)
    with Loopback(lambda line: b"ACME,9000,7,1\n") as other, Loopback(lambda line: b"") as silent:
        found = attached(False, nothing, lambda: [(one.resource, "@py") for one in (other, silent)])
    assert [(one.answer, one.driver, one.lines) for one in found[:1]] == [("ACME,9000,7,1", "", "")]
    assert found[1].answer.startswith("no answer (")


def test_what_has_quotes_in_its_name_is_valid_toml() -> None:
    with Loopback(lambda line: b'RIGOL TECHNOLOGIES,DS1104Z,S"1\\2,00.04\n') as odd:
        (found,) = attached(False, nothing, lambda: [(odd.resource, "")])
    told = tomllib.loads(found.lines)["backend"]["options"]["oscilloscope"]
    assert told == {"use": "rigol-ds1000z", "resource": odd.resource, "serial": 'S"1\\2', "visa": ""}


def test_bench_list_runs_on_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "serial_ports", lambda: [("COM7", "FTDI UART")])
    monkeypatch.setattr(finder, "visa_resources", nothing)
    result = CliRunner().invoke(app, ["--json", "bench", "list"])
    assert result.exit_code == 0, result.output
    (one,) = json.loads(result.output)["attached"]
    assert (one["address"], one["answer"]) == ("COM7", "FTDI UART (not asked)")
    monkeypatch.setattr(finder, "serial_ports", nothing)
    assert "nothing was found" in CliRunner().invoke(app, ["bench", "list"]).output


def test_a_broken_finder_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("lost", "no_such_laboratory:find", "g"),
        EntryPoint("a", "drivers.attached:attached", "g"),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    monkeypatch.setattr(finder, "serial_ports", lambda: [("COM7", "")])
    monkeypatch.setattr(finder, "visa_resources", nothing)
    result = CliRunner().invoke(app, ["bench", "list"])
    assert "finder 'lost' failed (ModuleNotFoundError" in result.output
    assert "COM7" in result.output


def test_the_real_search_finds_what_it_finds_without_a_complaint() -> None:
    assert all(isinstance(name, str) for name, _ in finder.serial_ports())
