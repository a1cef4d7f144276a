"""The guardian of a bench of instruments: without it no request goes out, and it sees to what was left on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bench_backend import BenchBackend
from rramlab.bench import Bench
from rramlab.bench_lock import hold, holder_of, lock_file
from rramlab.cells import Cells
from rramlab.errors import LinkError, LinkFault
from sim_backend.options import Options
from sim_backend.virtual.bench import VirtualBench

CELLS = Cells.grid(range(2), range(2))


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[VirtualBench, BenchBackend]]:
    monkeypatch.setenv("RRAMLAB_STATE", str(tmp_path / "state"))
    with VirtualBench(Options(macros=1, rows=4, cols=4)) as bench:
        backend = Bench.parse(bench.bench_file("lab")).open()
        assert isinstance(backend, BenchBackend)
        yield bench, backend


def guardian_of(backend: BenchBackend) -> int:
    assert backend._guards is not None and backend._guards._guardian is not None
    return backend._guards._guardian.pid


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_without_its_guardian_a_bench_goes_no_further(served: tuple[VirtualBench, BenchBackend]) -> None:
    bench, backend = served
    with pytest.raises(LinkError, match="guardian") as lost, backend:
        backend.read(CELLS)
        os.kill(guardian_of(backend), signal.SIGKILL)
        for _ in range(1000):  # the system takes a moment to end it
            backend.read(CELLS)
    assert lost.value.fault is LinkFault.LOST
    assert bench.world.off_at is not None and holder_of("lab") is None


def test_what_a_broken_link_left_on_is_switched_off_by_the_guardian(
    served: tuple[VirtualBench, BenchBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, backend = served

    def broken() -> None:
        raise OSError("the cable is out")

    with backend:
        meter, board = backend._parts.meter, backend._parts.board
        assert meter is not None and board is not None
        monkeypatch.setattr(type(meter), "safe", lambda self: broken())
        meter.arm(1e-4, 0.1)
        meter.output_on()
        assert bench.world.off_at is None
    assert bench.world.off_at is not None
    assert "all off after" in lock_file("lab").with_suffix(".guardian.log").read_text()


def test_the_name_beside_the_lock_tells_how_to_switch_off(
    served: tuple[VirtualBench, BenchBackend],
) -> None:
    _, backend = served
    with backend:
        left = holder_of("lab")
    assert left is not None and left.world == "drivers.bench_backend:BenchBackend"
    with hold("lab", world=left.world, options=left.options):
        pass
    assert BenchBackend.options().model_validate(dict(left.options)) == backend._options
