"""A whole bench on the wire: one macro behind board, source meter and oscilloscope."""

import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.keysight_infiniivision import KeysightInfiniiVision
from drivers.memory_wire import MemoryWire
from drivers.published_board import PublishedBoard
from drivers.published_circuit import published_coefficients
from drivers.published_schedule import PublishedSettings
from drivers.rigol_ds1000z import RigolDs1000z
from drivers.spec import BoardSpec, ScopeSpec
from drivers.tektronix_mso4000 import TektronixMso4000
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.errors import BenchBusy, InputError, LinkError
from rramlab.loop import LoopRun
from rramlab.pulse import Pulse, PulseTrain
from rramlab.reading import ReadSpec, Staircase
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.virtual import keeper
from sim_backend.virtual.bench import BOARD, METER, METERS, SCOPE, SCOPES, Table, VirtualBench
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.faults import Fault, When
from sim_backend.virtual.keeper import StateKeeper
from sim_backend.virtual.warming import warm

SMALL = Options(macros=1, rows=4, cols=4)
SCRIPT = "import sys; from rramlab.cli import main; main(sys.argv[1:])"
SET = Pulse.parse("SET 1.2V gate=1.4V 1us")


def without_guardian(text: str) -> str:
    """Return a bench file that starts no second process."""
    return text.replace("[backend.options]\n", "[backend.options]\nguardian = false\n")


@pytest.fixture(scope="module")
def served() -> Iterator[VirtualBench]:
    with VirtualBench(SMALL, seed=3, table=Table(meter="keithley2400", scope="tektronix-mso4000")) as bench:
        yield bench


def test_the_bench_file_leads_to_the_bench(served: VirtualBench) -> None:
    bench = Bench.parse(without_guardian(served.bench_file("mine")))
    assert bench.bench.id == "mine"
    with bench.open() as backend:
        who = backend.identify()
        assert backend.shape == (4, 4)
        assert backend.capabilities == {"read", "pulse", "sweep", "multiply", "solve", "wait"}
    assert "MODEL 2400" in who["source_meter"] and "MSO4104" in who["oscilloscope"]


def test_what_the_board_pulses_is_what_the_meter_then_measures(served: VirtualBench) -> None:
    cell = Cells.parse("r1c1")
    before = served.world.pulses_seen.sum()
    with Bench.parse(without_guardian(served.bench_file())).open() as backend:
        staircase = Staircase(np.array([0.1, 0.2]), 3.3, 100e-6, 0.04)
        low = backend.sweep(cell, staircase).current[-1]
        for _ in range(3):
            backend.pulse(PulseTrain.of(cell, Pulse.parse("SET 1.5V gate=1.6V 1us")))
        high = backend.sweep(cell, staircase).current[-1]
        read = backend.read(cell, ReadSpec())[0]
    assert high > 1.5 * low
    assert high / 0.2 == pytest.approx(read, rel=0.1)
    assert served.world.pulses_seen.sum() - before == 3
    assert served.world.violations == []
    assert served.world.off_at is not None


def test_faults_are_set_by_link(served: VirtualBench) -> None:
    text = without_guardian(served.bench_file()).replace(
        "[backend.options.source_meter]\n", "[backend.options.source_meter]\ntimeout = 0.2\n"
    )
    served.set_fault(METER, Fault.SILENT, When.always())
    with pytest.raises(LinkError, match="source"), Bench.parse(text).open():
        pass
    served.clear_faults()
    with Bench.parse(text).open():
        pass
    with pytest.raises(InputError, match="board, source_meter, oscilloscope"):
        served.set_fault("toaster", Fault.SILENT)


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("scope", SCOPES)
def test_each_instrument_says_who_it_is_where_the_file_says(meter: str, scope: str) -> None:
    with VirtualBench(SMALL, table=Table(meter=meter, scope=scope)) as bench:
        for link, model in ((METER, bench.meter), (SCOPE, bench.scope)):
            assert model is not None
            number = int(bench.addresses()[link].split("::")[2])
            with socket.create_connection(("127.0.0.1", number), 2.0) as wire, wire.makefile("rb") as lines:
                wire.sendall(b"*IDN?\r\n")
                assert lines.readline().decode().strip() == model.model.identity
        assert f'use = "{meter}"' in bench.bench_file()


# The oscilloscope sees what the loop does.


@pytest.mark.parametrize(
    ("scope", "driver"),
    [
        ("tektronix-mso4000", TektronixMso4000),
        ("keysight-infiniivision", KeysightInfiniiVision),
        ("rigol-ds1000z", RigolDs1000z),
    ],
)
def test_the_published_firmware_and_its_witness(scope: str, driver: Any) -> None:
    # In the time of the world, so that nobody waits for the 5 s between two runs.
    clock = VirtualClock()
    bench = VirtualBench(Options(), 1, clock, Table(dialect=1, scope=scope, meter=None))
    assert bench.scope is not None and bench.table.channels is not None
    parts = {"use": scope, "resource": "memory", "points": 12_000}
    channels: Any = {signal: number for number, signal in bench.table.channels.items()}
    spec = ScopeSpec(**parts, channels=channels)
    talk, line = bench.scope.attach(), bench.board.attach()
    witness = driver(spec, MemoryWire(lambda sent: b"".join(talk.feed(sent))), clock)
    stated = [0.05, -0.05]
    board = PublishedBoard(
        BoardSpec(use="published-board", port="memory", start=stated, macros=3),
        MemoryWire(lambda sent: b"".join(line.feed(sent))),
        clock,
    )
    board.watch(witness, spec)
    with bench.world:
        board.open()
        witness.open()
        settings = PublishedSettings("0", 0.1)
        wiring: Any = bench.board.wiring  # type: ignore[union-attr]
        start = np.array([stated, stated]) / 0.1
        asked = LoopRun(wiring.layers, wiring.scale, 5.0, 0.1, start, published_coefficients(settings))
        result = board.solve(asked, 1)
        witness.close()
        board.close()
    assert bench.board.runs == 2  # type: ignore[union-attr]
    waves = bench.world.loop_waveforms
    assert waves is not None
    truth = waves.result.state[0]
    # Converters of 12 bit, an oscilloscope of 8 bit at 50 mV per division: 2 mV of 100 mV, averaged.
    assert np.abs(result.state[1][:200] - truth[:200]).max() < 0.03
    assert result.end[1] == pytest.approx(truth[200], abs=0.02)
    assert not bench.board.hazards  # type: ignore[union-attr]


# What cannot be.


def test_what_cannot_be_served_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="possible: keithley2400, keithley2450, keysight-b2900"):
        Table(meter="keithley9999")
    with pytest.raises(InputError, match="1024 to 65533"):
        Table(ports=80)
    with pytest.raises(InputError, match="use the real one"):
        VirtualBench(table=Table(dialect=1))
    with pytest.raises(InputError, match="three macros"):
        VirtualBench(SMALL, clock="real", table=Table(dialect=1))


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        first = other.getsockname()[1]
        bench = VirtualBench(SMALL, table=Table(ports=first, meter=None, scope=None))
        with pytest.raises(InputError, match=f"port {first} for the board .* choose others"), bench:
            pass


# The macro outlives the process.


def test_the_macro_is_kept_before_the_reply_to_a_pulse_goes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the file takes longer than that, and is written behind the reply.
    monkeypatch.setattr(keeper, "CHEAP", math.inf)
    table = Table(meter=None, scope=None, state=tmp_path / "macro.npz")
    with VirtualBench(SMALL, 5, table=table) as bench:
        with Bench.parse(without_guardian(bench.bench_file())).open() as backend:
            backend.pulse(PulseTrain.of(Cells.parse("r0-3,c0"), SET))
            # As a process that is killed now would leave it.
            left = (tmp_path / "macro.npz").read_bytes()
        truth = bench.world.memory()["conductance"].copy()
    (tmp_path / "killed.npz").write_bytes(left)
    for name in ("macro.npz", "killed.npz"):
        kept = Table(meter=None, scope=None, state=tmp_path / name)
        with VirtualBench(SMALL, 99, table=kept) as again:
            assert np.array_equal(again.world.memory()["conductance"], truth)
            assert again.world.pulses_seen.sum() == 4


def test_one_process_serves_a_macro(tmp_path: Path) -> None:
    table = Table(meter=None, scope=None, state=tmp_path / "macro.npz")
    busy = pytest.raises(BenchBusy, match="already served")
    with VirtualBench(SMALL, table=table), busy, VirtualBench(SMALL, table=table):
        pass
    with VirtualBench(SMALL, table=table):
        pass


def test_a_state_of_another_macro_is_refused(tmp_path: Path) -> None:
    table = Table(meter=None, scope=None, state=tmp_path / "macro.npz")
    with VirtualBench(SMALL, table=table):
        pass
    with pytest.raises(InputError), VirtualBench(Options(macros=1, rows=8, cols=4), table=table):
        pass
    (tmp_path / "macro.npz").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="holds no state"), VirtualBench(SMALL, table=table):
        pass


def test_without_a_state_nothing_is_written(tmp_path: Path) -> None:
    bench = VirtualBench(SMALL, table=Table(meter=None, scope=None))
    with StateKeeper(bench.world, None) as idle:
        idle.touched()
        idle.save()
    assert list(tmp_path.iterdir()) == []


# The command.


def command(folder: Path, *extras: str) -> subprocess.Popen[str]:
    """Start the command and return it when it serves."""
    line = ["virtual-bench", "--macros", "1", "--rows", "4", "--cols", "4", *extras]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *line],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for said in process.stdout:
        if said.startswith("ready"):
            return process
    process.communicate()
    raise AssertionError(f"it ended with {process.returncode}")


def ended(process: subprocess.Popen[str]) -> str:
    said = process.communicate(timeout=20)[0]
    return said.strip()


@pytest.fixture
def free_ports() -> int:
    """Return the first of three ports that are free now."""
    for first in range(20_000 + os.getpid() % 20_000, 60_000, 3):
        try:
            for number in range(first, first + 3):
                socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return first
    raise AssertionError("no port is free")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_killed_and_started_again_it_is_the_same_macro_at_the_same_place(
    tmp_path: Path, free_ports: int
) -> None:
    ports = ("--ports", str(free_ports))
    process = command(tmp_path, *ports)
    file = tmp_path / "virtual-bench.toml"
    text = file.read_text()
    cells = Cells.of_shape((4, 4))
    with Bench.parse(without_guardian(text)).open() as backend:
        for _ in range(3):
            backend.pulse(PulseTrain.of(cells, SET))
        before = backend.read(cells, ReadSpec(samples=100))
        process.send_signal(signal.SIGKILL)
        ended(process)
        again = command(tmp_path, *ports)
        assert file.read_text() == text
    with Bench.parse(without_guardian(text)).open() as backend:
        after = backend.read(cells, ReadSpec(samples=100))
    # The same cells, but for noise and a little relaxation; another chip would differ by tens of per cent.
    assert after == pytest.approx(before, rel=0.1)
    line = [sys.executable, "-c", SCRIPT, "virtual-bench", *ports]
    second = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 8 and second.stderr.count("error:") == 1
    again.send_signal(signal.SIGTERM)
    assert "the macro is kept in virtual-bench.macro.npz" in ended(again)
    assert again.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("macros", "rows", "cols"), [(1, 1, 1), (1, 2, 3), (2, 4, 4)])
def test_nothing_is_left_to_be_compiled_while_a_host_waits(macros: int, rows: int, cols: int) -> None:
    options = Options(macros=macros, rows=rows, cols=cols)
    warm(options)
    before = compiled_kernels()
    with SimBackend(options) as physics:
        for cells in (Cells.parse("r0c0"), Cells.grid(range(macros * rows), range(cols))):
            physics.pulse(PulseTrain.of(cells, Pulse.parse("RESET 1V gate=3.3V 1us")))
            physics.read(cells, ReadSpec(samples=3))
            physics.sweep(cells.take(np.array([0])), Staircase(np.linspace(0.1, 0.2, 3), 3.3, 50e-6))
        physics.multiply(np.full((3, rows), 0.1), macros - 1)
        physics.wait(60.0)
    assert compiled_kernels() == before


def compiled_kernels() -> dict[str, int]:
    """Return how often each kernel of the physics was compiled in this process."""
    modules = [module for name, module in sys.modules.items() if name.startswith("sim_backend.")]
    found = {name: part for module in modules for name, part in vars(module).items()}
    return {name: len(part.signatures) for name, part in found.items() if hasattr(part, "signatures")}


def test_ctrl_c_ends_it_and_another_file_is_not_written_over(tmp_path: Path, free_ports: int) -> None:
    (tmp_path / "mine.toml").write_text("[bench]\n")
    extras = ("--ports", str(free_ports), "--board", "socket", "--scope", "none")
    with pytest.raises(AssertionError, match="ended with 2"):
        command(tmp_path, *extras, "--bench-file", "mine.toml")
    assert (tmp_path / "mine.toml").read_text() == "[bench]\n"
    process = command(tmp_path, *extras)
    assert "oscilloscope" not in (tmp_path / "virtual-bench.toml").read_text()
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert "stopped by Ctrl-C" in ended(process)
    assert time.monotonic() - began < 10
    assert BOARD in (tmp_path / "virtual-bench.toml").read_text()
