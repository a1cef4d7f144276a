"""Put one driver on a virtual bench, let one thing break while it works, and look at what is left."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, final

import numpy as np

from drivers.bench_backend import BenchBackend
from drivers.bench_options import BenchOptions
from drivers.published_circuit import published_coefficients
from drivers.published_schedule import PublishedSettings
from rramlab.backend import Backend
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.errors import LinkError, RramlabError
from rramlab.limits import Limits
from rramlab.loop import LoopRun
from rramlab.pulse import Delivery, Polarity, Pulse, PulseTrain
from rramlab.reading import Staircase
from rramlab.run import Run
from rramlab.runfile import RunFile
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.virtual.bench import BOARD, METER, SCOPE, Table, VirtualBench
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.faults import Fault, When
from sim_backend.virtual.port import Port
from sim_backend.virtual.published import PublishedFirmware
from sim_backend.virtual.tcp import TcpPort

Work = Callable[[Backend], None]
ROWS, COLS = 4, 4
CELLS = Cells.grid(range(2), range(2))
ONE = Cells.grid(range(1), range(1))
FAINT = Pulse(Polarity.SET, 0.6, 1.2, 1e-6)
DEAD = 10.0
"""Time (s, of the virtual bench) between two sessions: the published firmware takes no `Go` in between."""
WITH_NETWORK = Options(macros=3, rows=14, cols=15)
SMALL, SEED = Options(macros=1, rows=ROWS, cols=COLS), 3
RETRIES = 2
TIMEOUT = 0.1
"""What one answer may take (s): long enough for a virtual instrument, short enough to wait for often."""
WARM_UP = 30.0
"""What one answer may take (s) while the simulation is compiled."""
SLOW = 0.25
"""The same for the published firmware, which answers `Go` after the run."""
NEVER = 10**9
NONE, UNSAFE = "none", "unsafe"
"""Kinds beside those of errors: the driver got over it; the bench says that outputs may still be on."""
START: dict[str, Any] = {
    "command": "read",
    "seed": 0,
    "bench_text": "",
    "limits": Limits(),
    "minimum_free": 0,
}
MUST = ("off", "told", "gentle", "readable", "counted", "clean")
LATE = (Fault.LATE, Fault.LATE_REQUEST)


@final
@dataclass(frozen=True)
class Subject:
    """Name a driver (by its entry point), the part of the bench that it is, and the wire under it."""

    driver: str
    part: str
    wire: str

    @property
    def dialect(self) -> Literal[1, 2]:
        """Return the language of the board beside it: only the published firmware needs an oscilloscope."""
        return 1 if self.part == SCOPE or self.driver == "published-board" else 2

    def __str__(self) -> str:
        return f"{self.driver} ({self.wire})"


@final
@dataclass(frozen=True)
class Verdict:
    """Hold what one fault left behind.

    `kind` is that of the error that the work ended with, NONE where the driver got over it; `struck` tells
    whether the fault came about at all, `leaving` whether only after the work, on the way out. The others are
    what must hold: nothing drives a cell, an output that could not be switched off is told, no rule of
    switching was broken, the record reads, it counts each pulse of the macro, the next connection works.
    """

    kind: str
    struck: bool
    leaving: bool
    off: bool
    told: bool
    gentle: bool
    readable: bool
    counted: bool
    clean: bool
    text: str = ""

    @property
    def broken(self) -> list[str]:
        """Return which of the things that must hold do not."""
        return [name for name in MUST if not getattr(self, name)]


@final
class FaultBench:
    """Serve a virtual bench with the driver under test; a context manager."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject, self._folder = subject, folder
        self.clock = VirtualClock()
        options = SMALL if subject.dialect == 2 else WITH_NETWORK
        self.bench = VirtualBench(options, SEED, self.clock, self._table())
        self.world = self.bench.world
        self.injector = self.bench.injectors[subject.part]
        self._runs = 0
        self._before = 0
        self.timeout = WARM_UP

    def _table(self) -> Table:
        subject = self.subject
        meter = subject.driver if subject.part == METER else None
        scope = subject.driver if subject.part == SCOPE else "rigol-ds1000z" if subject.dialect == 1 else None
        link = self._folder / "board" if subject.wire == "pty" else None
        return Table(subject.dialect, meter, scope, link, hislip=subject.wire == "HiSLIP")

    def __enter__(self) -> Self:
        with SimBackend(self.bench.options) as plain:
            self.work(plain)  # compiled now: a board under test does not wait for that
        self.bench.__enter__()
        error, _ = self._session(Run.create(self._new(), **START), self.work)
        assert error is None, f"nothing was broken, but {error}"
        self.patience(1.0)
        return self

    def patience(self, times: float) -> None:
        """Let an answer take so many times as long as usual, and late ones come later than that."""
        usual = SLOW if self.subject.driver == "published-board" else TIMEOUT
        self.timeout = times * usual
        self.injector.delay = 1.5 * self.timeout

    def __exit__(self, *error: object) -> None:
        self.bench.__exit__(*error)

    # The host.

    def backend(self) -> BenchBackend:
        """Return the bench as a host opens it now."""
        options = Bench.parse(self.bench.bench_file()).backend.options
        for part in (BOARD, METER, SCOPE):
            options.get(part, {}).update(timeout=self.timeout if part == self.subject.part else WARM_UP)
        options[BOARD]["retries"] = RETRIES
        own = {"guardian": False, "clock": "board" if self.subject.dialect == 2 else "host"}
        return BenchBackend(BenchOptions.model_validate(options | own), Limits(), clock=self.clock)

    def work(self, backend: Backend) -> None:
        """Do what a protocol does, so that the driver under test has something to do."""
        if "solve" in backend.capabilities and self.subject.dialect == 1:
            backend.solve(self._run())
            return
        backend.read(CELLS)
        backend.pulse(PulseTrain.of(CELLS, FAINT))
        if "sweep" in backend.capabilities:
            backend.sweep(ONE, Staircase(np.linspace(0.05, 0.2, 4), 3.3, 50e-6))
        backend.multiply(np.full((2, ROWS), 0.1))
        backend.read(CELLS)

    def _run(self) -> LoopRun:
        """Return a run that the published firmware can play."""
        firmware = self.bench.board
        assert isinstance(firmware, PublishedFirmware)
        wiring = firmware.wiring
        volts = 0.1
        start = np.array([wiring.start]) / volts
        coefficients = published_coefficients(PublishedSettings())
        return LoopRun(wiring.layers, wiring.scale, wiring.gain, volts, start, coefficients)

    # One trial.

    def count(self, fault: Fault) -> int:
        """Return how many events of a fault one quiet session has; connections are not counted."""
        if fault is Fault.REFUSE:
            return 1
        self.injector.set(fault, When.nth(NEVER))
        error, _ = self._session(Run.create(self._new(), **START), self.work)
        assert error is None, f"nothing was broken, but {error}"
        seen: int = self.injector._armed[fault].seen
        self.injector.clear()
        return seen

    def trial(self, fault: Fault, when: When) -> Verdict:
        """Let a fault of the link or of the instrument strike one session."""
        self._before = self.injector.struck[fault]
        self.injector.set(fault, when)
        return self.observe(self.work, lambda: self.struck(fault), lambda: self._mend(fault))

    def observe(
        self, work: Work, struck: Callable[[], bool] = lambda: True, mend: Callable[[], None] = lambda: None
    ) -> Verdict:
        """Return what one session leaves behind, and the next one, which goes on with the same run."""
        folder, before = self._new(), self.world.pulses_seen.copy()
        violations, struck_at_the_end = len(self.world.violations), []

        def watched(backend: Backend) -> None:
            work(backend)
            struck_at_the_end.append(struck())

        error, unsafe = self._session(Run.create(folder, **START), watched)
        off, told = not self._reaches(), bool(unsafe) or not self.world.lines.driven
        readable = self._reads(folder)
        mend()
        again = self._go_on(folder)
        clean = again is None and not self.world.lines.driven
        counted = self._counts(folder, self.world.pulses_seen - before)
        harm = self.world.violations[violations:]
        text = "; ".join(str(t) for t in (error, unsafe and f"unsafe: {unsafe}", again, *harm) if t)
        facts = off, told, not harm, readable, counted, clean
        return Verdict(kind_of(error), struck(), struck_at_the_end == [False], *facts, text)

    def _session(self, run: Run, work: Work) -> tuple[RramlabError | None, str]:
        """Return the error that a session ended with, and why the bench could not be made safe."""
        self.clock.sleep(DEAD)
        backend = self.backend()
        backend.recorder = run.recorder
        try:
            with run, backend:
                if run.recorder.number:
                    run.revive(backend)
                    run.settle(backend)
                run.identify(backend.identify())
                work(backend)
        except RramlabError as error:
            return error, backend.unsafe
        return None, backend.unsafe

    def _go_on(self, folder: Path) -> RramlabError | None:
        """Return the error of the next connection, which settles what was left open and works again."""
        complete = RunFile.open(folder).complete
        run = Run.create(self._new(), **START) if complete else Run.resume(folder, minimum_free=0)
        return self._session(run, self.work)[0]

    def _mend(self, fault: Fault) -> None:
        port = self.bench.ports[self.subject.part]
        self.injector.clear()
        if self.struck(fault) and fault is Fault.UNPLUG and not is_there(port):
            port.replug()
        if fault in LATE:  # what is late on a serial line comes to whoever has it open then
            time.sleep(self.injector.delay)
        deadline = time.monotonic() + 10.0
        while not is_there(port):
            assert time.monotonic() < deadline, f"{port.address} did not come back"
            time.sleep(0.005)  # waiting for the plug: nothing is timed

    def struck(self, fault: Fault) -> bool:
        """Tell whether a fault came about in the present trial."""
        return fault is Fault.REFUSE or self.injector.struck[fault] > self._before

    def _new(self) -> Path:
        self._runs += 1
        return self._folder / f"run{self._runs}"

    # What is left.

    def _reaches(self) -> bool:
        """Tell whether anything still drives a cell."""
        lines = self.world.lines
        return lines.gate > 0 or lines.loop or (lines.cell is not None and bool(lines.outputs))

    def _reads(self, folder: Path) -> bool:
        try:
            RunFile.open(folder)
        except RramlabError:
            return False
        return True

    def _counts(self, folder: Path, seen: np.ndarray) -> bool:
        """Tell whether the record counts what the macro felt, cell by cell, unknown pulses apart."""
        applied, unknown = np.zeros((2, *self.world.shape), int)
        for table in [RunFile.open(f).tables["pulses"] for f in self._folders_from(folder)]:
            if table:
                place = table["row"], table["col"]
                np.add.at(applied, place, table["delivery"] == Delivery.APPLIED)
                np.add.at(unknown, place, table["delivery"] == Delivery.UNKNOWN)
        return bool(((applied <= seen) & (seen <= applied + unknown)).all())

    def _folders_from(self, folder: Path) -> Iterator[Path]:
        first = int(folder.name.removeprefix("run"))
        yield from (self._folder / f"run{i}" for i in range(first, self._runs + 1))


def is_there(port: Port) -> bool:
    """Tell whether a host can open a port now."""
    if isinstance(port, TcpPort):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port.number)) == 0
    return Path(port.address).exists()


def kind_of(error: RramlabError | None) -> str:
    """Return the kind of an error; that of a link error is what broke."""
    if "may still be ON" in str(error):
        return UNSAFE
    return NONE if error is None else error.fault.value if isinstance(error, LinkError) else error.kind
