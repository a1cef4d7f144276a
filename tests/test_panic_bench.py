"""Panic over the virtual bench: it works beside a host that is at work, and beside one that hangs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drivers import breaker
from drivers.bench_options import BenchOptions
from drivers.bench_parts import breakers
from rramlab.bench import Bench
from rramlab.bench_lock import hold
from rramlab.cells import Cells
from rramlab.cli import main
from rramlab.errors import BenchBusy, LinkError
from rramlab.finding import Finding
from rramlab.panic import switch_off
from rramlab.pulse import Pulse, PulseTrain
from sim_backend.options import Options
from sim_backend.virtual.bench import Table, VirtualBench

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals, and no SIGSTOP")

SWEEPING = """
import sys
from pathlib import Path
import numpy as np
from rramlab.bench import Bench
from rramlab.bench_lock import hold
from rramlab.cells import Cells
from rramlab.cli import main
from rramlab.errors import LinkError
from rramlab.reading import Staircase

with Bench.load(Path(sys.argv[1])).open() as backend:
    try:
        backend.sweep(Cells.parse("r0c0"), Staircase(np.full(2000, 0.1), 1.2, 1e-4, 0.02))
    except LinkError as error:
        print(error)
"""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[VirtualBench, Path]]:
    monkeypatch.setenv("RRAMLAB_STATE", str(tmp_path / "state"))
    table = Table(link=tmp_path / "board")
    with VirtualBench(Options(macros=1, rows=4, cols=4), clock="real", table=table) as bench:
        file = tmp_path / "bench.toml"
        file.write_text(bench.bench_file("lab"))
        yield bench, file


@pytest.fixture
def host(served: tuple[VirtualBench, Path]) -> Iterator[subprocess.Popen[str]]:
    """Yield another process that sweeps a cell of the bench: source meter on, gate up."""
    bench, file = served
    process = subprocess.Popen([sys.executable, "-c", SWEEPING, str(file)], stdout=subprocess.PIPE, text=True)
    try:
        # Before its sweep runs it may switch on again after a panic, until it asks the board.
        wait_for(lambda: any(bench.world.lines.outputs.values()))
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def wait_for(condition) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.002)


def all_off(found: dict[str, list[Finding]]) -> bool:
    return [f.part for f in found["lab"]] == ["source_meter", "board", "oscilloscope"] and all(
        f.good for f in found["lab"]
    )


@pytest.mark.slow
def test_beside_a_host_at_work(served: tuple[VirtualBench, Path], host: subprocess.Popen[str]) -> None:
    bench, file = served
    assert all_off(switch_off(file))
    assert bench.world.off_at is not None and bench.world.violations == []
    said, _ = host.communicate(timeout=20)
    assert "the board has taken its lines to 0 V" in said or "source_meter" in said


def test_beside_a_host_that_hangs_and_without_the_bench_file(
    served: tuple[VirtualBench, Path], host: subprocess.Popen[str]
) -> None:
    bench, file = served
    os.kill(host.pid, signal.SIGSTOP)
    with pytest.raises(BenchBusy, match=f"process {host.pid} "), Bench.load(file).open():
        pass
    assert all_off(switch_off(None))
    assert bench.world.off_at is not None


@pytest.mark.slow
def test_a_dead_instrument_is_named_and_the_others_are_off(
    served: tuple[VirtualBench, Path], host: subprocess.Popen[str]
) -> None:
    bench, file = served
    os.kill(host.pid, signal.SIGSTOP)
    bench.ports["source_meter"].unplug()
    options = BenchOptions.model_validate(Bench.load(file).backend.options)
    meter, board, scope = breaker.switch_off(breakers(options), seconds=0.5)
    assert (meter.good, board.good, scope.good) == (False, True, True)
    assert "interlock" in meter.advice


def test_after_a_panic_the_next_run_begins_by_itself(served: tuple[VirtualBench, Path]) -> None:
    _, file = served
    assert all_off(switch_off(file))
    with Bench.load(file).open() as backend:
        cells = Cells.grid(range(2), range(2))
        delivery = backend.pulse(PulseTrain.of(cells, Pulse.parse("SET 1.0V gate=1.1V 1us")))
        assert (delivery == 0).all() and np.isfinite(backend.read(cells)).all()


def test_a_panic_in_the_middle_of_work_ends_the_work(served: tuple[VirtualBench, Path]) -> None:
    _, file = served
    cells = Cells.grid(range(2), range(2))
    with pytest.raises(LinkError, match="PANIC"), Bench.load(file).open() as backend:
        backend.read(cells)
        assert all_off(switch_off(file))
        backend.pulse(PulseTrain.of(cells, Pulse.parse("SET 1.0V gate=1.1V 1us")))


def test_a_run_on_a_bench_in_use_is_refused_and_leaves_no_folder(
    served: tuple[VirtualBench, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, file = served
    with hold("lab", run="runs/moon"), pytest.raises(SystemExit) as ended:
        main(["read", "--cells", "r0c0", "--bench", str(file), "--run", str(tmp_path / "mine")])
    said = capsys.readouterr().err
    assert ended.value.code == 8 and "run 'runs/moon'" in said and "go on with" not in said
    assert not (tmp_path / "mine").exists()
