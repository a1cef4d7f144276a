"""The command that plays the tables of the published firmware, with the board in memory and told time."""

import json
from collections.abc import Iterator
from pathlib import Path

import commands
import numpy as np
import pytest
from test_published_board_virtual import wire_to
from typer.testing import CliRunner

from drivers import bench_backend, published_board, published_log, scpi_scope
from drivers.play import carry_out
from drivers.play.request import PlayRequest, parse_tables
from drivers.published_circuit import published_coefficients
from drivers.published_schedule import PublishedSettings
from rramlab.cli import app
from rramlab.errors import InputError, LimitExceeded
from rramlab.pulse import Columns
from rramlab.runfile import RunFile
from sim_backend.options import Options
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.published import PublishedFirmware, Wiring
from sim_backend.virtual.scpi.digitizer import Digitizer
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.signals import Signals
from sim_backend.virtual.scpi.tektronix import TektronixScope
from sim_backend.virtual.world import World

BENCH = """
[bench]
id = "play"
[backend]
use = "drivers:BenchBackend"
[backend.options]
guardian = false
[backend.options.board]
use = "published-board"
port = "memory"
start = [0.05, -0.05]
[backend.options.oscilloscope]
use = "tektronix-mso4000"
resource = "memory"
channels = { x1 = 1, x2 = 2, switch = 3 }
"""


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublishedFirmware]:
    """Put a bench with this firmware behind board.toml; a play on it waits for nobody."""
    clock = VirtualClock()
    world = World(Options(), seed=3, clock=clock)
    board = PublishedFirmware(world, Wiring.first(), aside=False)
    scope = Instrument(TektronixScope(Digitizer(Signals(world, {1: "x1", 2: "x2", 3: "switch"}), seed=5)))
    for module in (bench_backend, published_board, scpi_scope):
        monkeypatch.setattr(module, "HostClock", lambda: clock)
    monkeypatch.setattr(published_board, "_wire", lambda spec: wire_to(board))
    monkeypatch.setattr(scpi_scope, "VisaWire", lambda *words: wire_to(scope))
    with commands.empty_folder(tmp_path, None), world:
        Path("board.toml").write_text(BENCH)
        monkeypatch.setattr(carry_out, "write_page", lambda *words: None)
        yield board


def play(*words: str, code: int = 0) -> str:
    return commands.run("--bench", "board.toml", "play", *words, code=code)


def test_what_is_played_is_in_the_record(firmware: PublishedFirmware) -> None:
    facts = json.loads(
        commands.run("--json", "--bench", "board.toml", "play", "1,3", "--runs", "1", "--run", "r")
    )
    assert firmware.runs == 2 and firmware.hazards == []
    run = RunFile.open("r")
    for table in "13":
        kept = run.kept[f"table {table}"].columns
        asked = published_coefficients(PublishedSettings(table, 0.1))
        np.testing.assert_array_equal(kept["embedding"], asked.embedding)
        assert kept["t_coef"].shape == (7,) and kept["c"].shape == (14,)
        assert kept["state"].shape == (1, 201, 2) and np.isfinite(kept["state"]).all()
        assert facts["tables"][table]["end_mean"] == pytest.approx(kept["end"].mean(axis=0))
    said = run.kept["said"].columns
    assert said["asked"].tolist()[:9] == ["C000", "D9", "D1", "O5050", "C100", "N000", "In10", "Go", "Go"]
    assert said["replied"].tolist()[6] == "Type:1\tStart..."
    assert (np.diff(said["moment"]) >= 0).all()


def test_the_record_has_what_the_oscilloscope_sent(firmware: PublishedFirmware) -> None:
    play("ring", "--runs", "1", "--run", "r")
    run = RunFile.open("r")
    place = run.tables["notes"]["verb"].tolist().index("oscilloscope")
    wave, told = run.arrays("notes", place), run.kept["table 0"].columns
    assert wave["time"][0] < 0 < 1.2 < wave["time"][-1]
    volts = np.interp(told["time"], wave["time"], wave["x1"])
    # A code is 2 mV, 0.02 network units; half of it, and six deviations of 0.3 codes.
    assert np.abs(volts / 0.1 - told["state"][0, :, 0])[1:].max() < (0.5 + 6 * 0.3) * 0.02


def test_a_play_that_was_cut_off_goes_on_where_it_was(
    firmware: PublishedFirmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = published_log.PublishedLog.saw

    def saw(self: published_log.PublishedLog, what: str, run: int, columns: Columns) -> None:
        kept(self, what, run, columns)
        if firmware.runs == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(published_log.PublishedLog, "saw", saw)
    play("ring", "--runs", "2", "--run", "r", code=130)
    monkeypatch.setattr(published_log.PublishedLog, "saw", kept)
    play("--resume", "r")
    assert firmware.runs == 3  # the second one was not kept, and is played once more
    run = RunFile.open("r")
    assert run.complete and len(run.kept["table 0"].columns["end"]) == 2
    # A process that begins does not know the counter of the firmware: one more Go each.
    assert run.kept["said"].columns["asked"].tolist().count("Go") == 3 + 2


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("2", "--bias", "100mV"), 4, "take v_bias = 0.05 V; nothing was sent"),
        (("ring", "--noise", "0.5"), 4, "take noise = 0.33 or less"),
        (("ring", "--coef", "4"), 4, "take coef = 3.99 or less"),
        (("ring", "--bias", "70mV"), 2, "the firmware knows 0.05, 0.1, 0.2 V"),
        (("5",), 2, "has no table '5'; possible: 0, 1, 2"),
        (("1,1",), 2, "name each table once"),
        ((",",), 2, "no table was named"),
        (("ring", "--runs", "0"), 2, "1 to 10000 of each table"),
    ],
)
def test_what_the_firmware_cannot_play_is_refused_before_anything_is_made(
    firmware: PublishedFirmware, words: tuple[str, ...], code: int, told: str
) -> None:
    result = CliRunner().invoke(app, ["--bench", "board.toml", "play", *words])
    assert result.exit_code == code and told in " ".join(result.output.split())
    assert not Path("runs/play").exists() and firmware.runs == 0


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        ("[backend.options.oscilloscope]", "add [backend.options.oscilloscope] to its file"),
        ("start = [0.05, -0.05]", "write start = [x1, x2] (V) into [backend.options.board]"),
    ],
)
def test_a_bench_that_lacks_something_is_told_what(firmware: PublishedFirmware, cut: str, told: str) -> None:
    text = BENCH[: BENCH.index(cut)] if "oscilloscope" in cut else BENCH.replace(cut, "")
    Path("board.toml").write_text(text)
    result = CliRunner().invoke(app, ["--bench", "board.toml", "play"])
    assert result.exit_code == 5 and told in " ".join(result.output.split())


def test_another_bench_is_told_where_such_a_board_is_to_be_had() -> None:
    result = CliRunner().invoke(app, ["play"])
    told = " ".join(result.output.split())
    assert result.exit_code == 5 and "rramlab virtual-bench --dialect 1" in told and "rramlab letters" in told


def test_the_largest_bias_that_fits_all_tables_is_taken() -> None:
    def biases(*tables: str) -> set[float]:
        return {settings.v_bias for settings in PlayRequest(tables).settings().values()}

    assert biases("1", "3") == {0.1} and biases("1", "2", "3") == {0.05} and biases("4") == {0.2}
    with pytest.raises(LimitExceeded):
        PlayRequest(("2",), bias=0.2).settings()


def test_tables_have_letters_and_one_a_name() -> None:
    assert parse_tables("Ring, 1,a") == ("0", "1", "a")
    with pytest.raises(InputError):
        parse_tables("rings")
