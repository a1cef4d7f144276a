"""Time the programming of a macro over a serial line, beside what the line and the macro need in any case.

The virtual board hangs on a pseudo-terminal whose speed is imitated (10 bits a byte), on a real clock;
32 x 32 cells are programmed by the default strategy. The bound is the time of the bytes that went both ways,
one direction after the other, plus the pulses and the integration of the readings. The waits of the protocol
between passes are left out on both sides. Beside it, the same with one cell per request, on 32 cells and
scaled by the number of cells. `--baud N`, `--cells N` of the second (0: leave it out).
"""

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from drivers.bench_backend import BenchBackend
from drivers.bench_options import BenchOptions
from drivers.spec import BoardSpec
from protocols.write_verify import Spec, WriteVerify
from rramlab.cells import Cells
from rramlab.clock import Clock
from rramlab.recorder import MemoryRecorder
from sim_backend.backend import ADDRESSING
from sim_backend.options import Options
from sim_backend.product import SAMPLE
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.clock import RealClock
from sim_backend.virtual.machine import Conversation, Machine
from sim_backend.virtual.port import Plug
from sim_backend.virtual.terminal import TerminalPort
from sim_backend.virtual.world import World

GOAL = 1.5


@final
class Impatient(Clock):
    """Skip the waits of the protocol and count them as passed."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> float:
        """Return the time (s)."""
        return time.monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        """Let time pass without waiting (s)."""
        self.skipped += seconds


@final
class Counted(Conversation):
    """Count the bytes of a conversation, both ways."""

    def __init__(self, inner: Conversation, counted: "CountedBoard") -> None:
        self._inner, self._counted = inner, counted

    def feed(self, data: bytes) -> list[bytes]:
        """Count what comes and what is replied."""
        return self._count(len(data), self._inner.feed(data))

    def poll(self) -> list[bytes]:
        """Count what became ready."""
        return self._count(0, self._inner.poll())

    def wake(self) -> float:
        """Return when something is due (s)."""
        return self._inner.wake()

    def close(self) -> None:
        """Forget the host."""
        self._inner.close()

    def _count(self, came: int, replies: list[bytes]) -> list[bytes]:
        self._counted.bytes += came + sum(map(len, replies))
        self._counted.requests += len(replies)
        return replies


@final
class CountedBoard(Machine):
    """Put a counter between a board and its port."""

    end = VirtualBoard.end

    def __init__(self, board: VirtualBoard) -> None:
        self._board = board
        self.bytes = self.requests = 0

    def attach(self) -> Conversation:
        """Return a counted conversation."""
        return Counted(self._board.attach(), self)

    def tick(self) -> None:
        """Do what is due."""
        self._board.tick()


@final
@dataclass(frozen=True)
class Timed:
    """Hold what one programming took (s), and of what."""

    cells: int
    wall: float
    line: float
    pulses: float
    integration: float
    bytes: int
    requests: int
    within: float

    @property
    def bound(self) -> float:
        """Return what it takes in any case (s)."""
        return self.line + self.pulses + self.integration


def program(side: tuple[int, int], baud: int, batch: int | None) -> Timed:
    options = Options(macros=1, rows=side[0], cols=side[1])
    cells = Cells.of_shape(side)
    targets = np.random.default_rng(1).uniform(20e-6, 100e-6, len(cells))
    recorder = MemoryRecorder()
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        world = exits.enter_context(World(options, seed=1, clock=RealClock()))
        board = CountedBoard(VirtualBoard(world))
        plug = Plug(board, baud=baud, clock=world.clock)
        port = exits.enter_context(TerminalPort(plug, folder / "board"))
        spec = BoardSpec(use="rramlab-board", port=port.address, baud=baud)
        bench = BenchOptions(macros=1, rows=side[0], cols=side[1], guardian=False, board=spec)
        backend = exits.enter_context(BenchBackend(bench, recorder=recorder, clock=Impatient()))
        sent, asked, begin = board.bytes, board.requests, time.perf_counter()
        result = WriteVerify(backend, spec=Spec(batch=batch)).program(cells, targets)
        wall = time.perf_counter() - begin
        sent, asked = board.bytes - sent, board.requests - asked
    pulses, integration = needed(recorder)
    line = 10.0 * sent / baud
    within = float((np.abs(result.error) <= 1e-6).mean())
    return Timed(len(cells), wall, line, pulses, integration, sent, asked, within)


def needed(recorder: MemoryRecorder) -> tuple[float, float]:
    """Return the time (s) of all pulses, with the addressing of their cells, and of all readings."""
    asked = [event for event in recorder.events if event.stage == "request"]
    pulses = [float((e.columns["width"] + ADDRESSING).sum()) for e in asked if e.verb == "pulse"]
    reads = [SAMPLE * e.facts["samples"] * len(e.columns["row"]) for e in asked if e.verb == "read"]
    return sum(pulses), sum(reads)


def show(name: str, timed: Timed, times: float = 1.0, goal: str = "") -> None:
    overhead = timed.wall - timed.pulses - timed.integration
    print(f"{name}: {timed.cells} cells, {timed.within:.1%} within 1 uS after the last pass")
    print(
        f"    {timed.requests:6d} requests, {timed.bytes:8d} bytes: {times * timed.line:7.2f} s on the line"
    )
    print(f"    pulses {times * timed.pulses:6.2f} s, integration {times * timed.integration:7.2f} s")
    print(f"    measured {times * timed.wall:7.2f} s, bound {times * timed.bound:7.2f} s, "
          f"ratio {timed.wall / timed.bound:.2f}{goal}")  # fmt: skip
    print(f"    beside pulses and integration {times * overhead:7.2f} s, "
          f"{overhead / timed.line:.2f} x the bytes on the line")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--baud", type=int, default=921_600)
    parser.add_argument("--cells", type=int, default=32)
    asked = parser.parse_args()
    os.environ.setdefault("RRAMLAB_STATE", tempfile.mkdtemp())
    program((2, 2), 921_600, None)  # what is compiled and imported once is no part of the speed
    print(f"serial line of {asked.baud} baud")
    whole = program((32, 32), asked.baud, None)
    show("batches (default)", whole, goal=f" (goal <= {GOAL})")
    if asked.cells:
        single = program((1, asked.cells), asked.baud, 1)
        times = whole.cells / single.cells
        show(f"one cell per request, scaled by {times:g} to {whole.cells} cells", single, times)
        beside = [times * (single.wall - single.pulses - single.integration),
                  whole.wall - whole.pulses - whole.integration]  # fmt: skip
        print(f"batches are {times * single.wall / whole.wall:.2f} x as fast as one cell per request, "
              f"{beside[0] / beside[1]:.1f} x beside pulses and integration")  # fmt: skip


if __name__ == "__main__":
    main()
