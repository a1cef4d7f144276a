"""What a bench file says about instruments: each mistake is named, each driver is found by its name."""

import re
from pathlib import Path

import pytest

from drivers.bench_options import BenchOptions
from drivers.controller import Controller
from drivers.plugin import installed, load
from drivers.source_meter import SourceMeter
from drivers.spec import BoardSpec, MeterSpec
from rramlab.bench import Bench
from rramlab.errors import BenchFileError

HEAD = '[bench]\nid = "b"\n[backend]\nuse = "drivers:BenchBackend"\n[backend.options]\n'
BOARD = '[backend.options.board]\nuse = "rramlab-board"\nport = "socket://127.0.0.1:1"\n'
METER = '[backend.options.source_meter]\nuse = "keithley2450"\nresource = "TCPIP::127.0.0.1::1::SOCKET"\n'
SCOPE = METER.replace("source_meter", "oscilloscope").replace("keithley2450", "rigol-ds1000z")
SCOPE += "[backend.options.oscilloscope.channels]\n"


def refusal(text: str) -> str:
    with pytest.raises(BenchFileError) as error:
        Bench.parse(text, "mine.toml").open()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_whole_bench_file_is_understood_without_touching_an_instrument() -> None:
    backend = Bench.parse(HEAD + "macros = 1\nrows = 8\ncols = 4\n" + BOARD + METER).open()
    assert backend.shape == backend.macro_shape == (8, 4)
    assert {"read", "pulse", "sweep", "wait"} <= backend.capabilities
    assert backend.identify() == {"name": "bench+keithley2450+rramlab-board"}
    assert not backend.forgets
    assert backend.bench_id == "b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "a bench has at least one of [board], [source_meter] and [oscilloscope]"),
        (HEAD + 'clock = "board"\n' + METER, "clock = 'board' needs a [board]; use clock = 'host'"),
        (HEAD + BOARD + 'prt = "x"\n', "unknown key 'board.prt'; did you mean 'port'?"),
        (HEAD + "gaurdian = false\n" + BOARD, "unknown key 'gaurdian'; did you mean 'guardian'?"),
        (HEAD + BOARD.replace("board]", "borad]"), "unknown key 'borad'; did you mean 'board'?"),
        (HEAD + METER + "nplc = 0\n", "'source_meter.nplc' = 0: it should be greater than 0"),
        (HEAD + BOARD + "rows = 8\n", "board.rows is not that of the bench; write rows once, above [board]"),
        (HEAD + BOARD.replace("port =", "serial ="), "the key 'board.port' is missing"),
        (
            HEAD + METER.replace('"TCPIP', '"" # "'),
            "'source_meter.resource' = '': it should have at least 1 char",
        ),
        (HEAD + SCOPE + "x1 = 1\nx2 = 1\n", "x1 and x2 are both on channel 1; each needs one of its own"),
        (
            HEAD + SCOPE + "x3 = 1\n",
            "unknown key 'oscilloscope.channels.x3': it should be 'x1', 'x2', 'out1'",
        ),
        (
            HEAD + BOARD.replace("127.0.0.1:1", "here"),
            "'socket://here' is no address; write socket://host:port",
        ),
        (HEAD + BOARD.replace("127.0.0.1:1", "a:99999"), "'socket://a:99999' is no address; write socket://"),
    ],
)
def test_each_mistake_is_named_with_its_key(text: str, said: str) -> None:
    assert refusal(text).startswith(f"[backend.options] of bench 'b': {said}")


@pytest.mark.parametrize(
    ("use", "said"),
    [
        ("rramlab-bord", "use = 'rramlab-bord' is no installed driver; did you mean 'rramlab-board'?"),
        ("no_such_lab:Board", "use = 'no_such_lab:Board' cannot be loaded (ModuleNotFoundError: "),
        (
            "rramlab.clock:HostClock",
            "use = 'rramlab.clock:HostClock' names no complete Controller, but <class",
        ),
        (
            "drivers.controller:Controller",
            "use = 'drivers.controller:Controller' names no complete Controller",
        ),
        ("keithley2450", "use = 'keithley2450' names no complete Controller"),
    ],
)
def test_each_wrong_driver_is_named(use: str, said: str) -> None:
    assert refusal(HEAD + BOARD.replace("rramlab-board", use)).startswith(said)


def test_a_driver_is_an_installed_one_or_a_class() -> None:
    assert load("keithley2450", SourceMeter).__name__ == "Keithley2450"
    assert load("drivers.rramlab_board:RramlabBoard", Controller) is load("rramlab-board", Controller)


def test_the_size_of_the_bench_is_told_to_boards_that_have_none() -> None:
    board = BoardSpec(use="rramlab-board", port="COM5")
    meter = MeterSpec(use="keithley2450", resource="GPIB::24::INSTR")
    parts = BenchOptions(macros=2, rows=4, cols=5, board=board, source_meter=meter).parts()
    assert list(parts) == ["source_meter", "board"]  # in the order in which they are switched off
    assert parts["board"] == board.model_copy(update={"macros": 2, "rows": 4, "cols": 5})


def test_the_bench_file_of_the_manual_is_understood() -> None:
    page = (Path(__file__).parent.parent / "docs" / "bench-of-instruments.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    backend = Bench.parse(text).open()
    assert backend.capabilities == {"read", "pulse", "multiply", "sweep", "solve", "wait"}
    for driver in installed():
        assert f"`{driver}`" in page
