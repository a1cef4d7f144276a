"""A laboratory's own driver: exactly the lines of the manual, on a bench with the virtual board."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from loopback import Loopback

from drivers.bench_options import BenchOptions
from drivers.bench_parts import Parts
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.contract import check_backend
from rramlab.errors import LinkError
from rramlab.reading import Staircase
from sim_backend.options import Options
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.port import Plug
from sim_backend.virtual.tcp import TcpPort
from sim_backend.virtual.world import World

PAGE = (Path(__file__).parent.parent / "docs" / "own-driver.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
BENCH = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


class Box:
    """The instrument of the laboratory, on the cell that the board connects."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.volts, self.limit = 0.0, 0.0
        self.on = self.stuck = self.hangs_up = False

    def answer(self, line: bytes) -> bytes | None:
        word, _, value = line.decode().strip().partition(" ")
        if word == "OUTPUT" and self.hangs_up:
            self.hangs_up = False
            return None
        match word:
            case "*IDN?":
                return b"Left-table SMU,0003,1.2\n"
            case "*OPC?":
                return b"1\n"
            case "OUTPUT?":
                return b"%d\n" % self.on
            case "VOLT?":
                return b"%.9g\n" % self.volts
            case "CURR?":
                return b"%.9g\n" % (self.world.meter(self.volts, self.limit, 1e-3) if self.on else 0.0)
            case "OUTPUT":
                self.on = value == "1" or self.stuck
            case "VOLT":
                self.volts = float(value)
            case "LIMIT":
                self.limit = self.limit or float(value)
            case "LIMIT?":
                return b"%.9g\n" % self.limit
        self.world.set_output("smu", self.volts if self.on else None)
        return b""


@pytest.fixture
def box() -> Iterator[tuple[Box, Bench]]:
    with World(Options(macros=1, rows=8, cols=8), seed=2) as world:
        it = Box(world)
        with Loopback(it.answer) as smu, TcpPort(Plug(VirtualBoard(world), clock=world.clock)) as board:
            text = BENCH[0].replace("/dev/ttyACM0", board.address)
            text = text.replace("TCPIP0::192.168.1.20::5025::SOCKET", smu.resource)
            text = text.replace(
                "[backend.options]\n", '[backend.options]\nclock = "board"\nguardian = false\n'
            )
            yield it, Bench.parse(text)


@pytest.fixture(autouse=True)
def package_of_the_laboratory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "mylab").mkdir()
    (tmp_path / "mylab" / "smu.py").write_text(CODE[0])
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "mylab"]:
        del sys.modules[name]


def test_the_driver_is_as_short_as_the_page_says() -> None:
    assert len(CODE) == 1
    assert len([line for line in CODE[0].splitlines() if line.strip()]) <= 30


def test_the_driver_of_the_page_takes_an_iv_of_a_cell(box: tuple[Box, Bench]) -> None:
    it, bench = box
    with bench.open() as backend:
        g = backend.read(Cells.parse("r3c4"))[0]
        curve = backend.sweep(
            Cells.parse("r3c4"), Staircase(np.linspace(0, 0.2, 5), gate=3.3, compliance=1e-4)
        )
    # Read noise is some per cent.
    assert curve.current[-1] == pytest.approx(0.2 * g, rel=0.3)
    assert not it.on
    assert it.world.violations == []


def test_the_driver_of_the_page_keeps_the_promises_of_the_door(box: tuple[Box, Bench]) -> None:
    it, bench = box
    assert "sweep agrees with a reading" in check_backend(bench.open)
    assert not it.on
    assert it.world.violations == []


def test_a_limit_that_was_not_taken_keeps_the_output_off(box: tuple[Box, Bench]) -> None:
    it, bench = box
    it.limit = 1.0  # of somebody before, and it sticks
    stairs = Staircase(np.linspace(0, 0.2, 5), gate=3.3, compliance=1e-4)
    with pytest.raises(LinkError, match="did not take the limit"), bench.open() as backend:
        backend.sweep(Cells.parse("r3c4"), stairs)
    assert not it.on


def test_one_lost_connection_does_not_keep_the_output_on(box: tuple[Box, Bench]) -> None:
    it, bench = box
    options = BenchOptions.model_validate(bench.backend.options)
    meter = Parts.make(options).meter
    assert meter is not None
    with closing(meter):
        meter.open()
        it.on = it.hangs_up = True
        meter.safe()
        assert not it.on


def test_another_box_than_that_of_the_bench_file_is_refused(box: tuple[Box, Bench]) -> None:
    other = Bench.parse(box[1].text.replace('"0003"', '"0004"'))
    with (
        pytest.raises(LinkError, match="source_meter: the bench file expects serial number '0004'"),
        other.open(),
    ):
        pytest.fail("the wrong box was opened")
    assert [found.good for found in other.open().examine() if found.part == "source_meter"] == [True, False]


def test_a_box_that_cannot_be_switched_off_is_told(box: tuple[Box, Bench]) -> None:
    it, bench = box
    with (
        pytest.raises(LinkError, match=r"outputs may still be ON: .* says that its output is on"),
        bench.open(),
    ):
        it.on = it.stuck = True


@pytest.mark.parametrize("given", ["beside the file", "in the current folder"])
def test_the_command_finds_the_driver(given: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = (tmp_path if given == "beside the file" else elsewhere) / "left.toml"
    file.write_text(BENCH[0].replace("192.168.1.20::5025", "127.0.0.1::1").replace("/dev/tty", "/dev/no-tty"))
    told = subprocess.run(
        [Path(sys.executable).with_name("rramlab"), "--bench", file, "bench", "check"],
        capture_output=True,
        text=True,
        cwd=elsewhere if given == "beside the file" else tmp_path,
        env=os.environ | {"RRAMLAB_STATE": str(tmp_path), "COLUMNS": "400"},
    )
    assert told.returncode == 7, told.stderr  # nobody is at the address of the page
    assert "TCPIP0::127.0.0.1::1::SOCKET cannot be opened" in told.stdout
