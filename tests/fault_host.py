"""Let things go wrong on the side of the host: disk, clock, limits, somebody else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from fault_bench import CELLS, NONE, FaultBench, Verdict

from rramlab.backend import Backend
from rramlab.journal import Journal
from rramlab.pulse import Polarity, Pulse, PulseTrain

DAY = 86_400.0
BEYOND = Pulse(Polarity.SET, 2.4, 1.4, 1e-6)
"""Above the operating limits of a bench, below what the bench file may allow."""


def second_host(bench: FaultBench) -> Verdict:
    """Let somebody else open the bench while it is at work."""

    def work(backend: Backend) -> None:
        bench.work(backend)
        with bench.backend():
            raise AssertionError("two hosts work on one bench")

    return bench.observe(work)


def limit_breach(bench: FaultBench) -> Verdict:
    """Ask for a pulse beyond the operating limits."""

    def work(backend: Backend) -> None:
        bench.work(backend)
        backend.pulse(PulseTrain.of(CELLS, BEYOND))

    return bench.observe(work)


def full_disk(bench: FaultBench) -> Verdict:
    """Let the system refuse to write the record any further; there is room again for the next session."""

    def work(backend: Backend) -> None:
        assert isinstance(backend.recorder, Journal)
        with no_room(backend.recorder.path):
            for _ in range(1000):
                bench.work(backend)
        raise AssertionError("there was room for everything")

    return bench.observe(work)


def clock_jump(bench: FaultBench) -> Verdict:
    """Set the clock of the computer back by a day, and then forward, in the middle of the work."""
    genuine = time.time

    def work(backend: Backend) -> None:
        for jump in (-DAY, DAY):
            with patch("time.time", lambda jump=jump: genuine() + jump):
                bench.work(backend)

    return bench.observe(work)


@contextmanager
def no_room(journal: Path) -> Iterator[None]:
    """Stand in for a full disk: files of this process cannot grow beyond what the journal has now."""
    import resource  # not on Windows

    largest = max(file.stat().st_size for file in journal.parent.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 20_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


HOST: dict[str, tuple[Callable[[FaultBench], Verdict], str]] = {
    "second-host": (second_host, "busy"),
    "limit-breach": (limit_breach, "limit"),
    "disk-full": (full_disk, "run"),
    "clock-jump": (clock_jump, NONE),
}
"""What goes wrong, and the kind of error that it ends with."""
