"""Kill a process at random moments and hear what it had acknowledged until then.

The child says each thing on a pipe after it is done, so that what was heard must be found in the record.
Every wait has an end: a child that says nothing for `PATIENCE` is killed, and its stacks are the failure.
"""

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import send_handle
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, final

import nursery
from nursery import Say, Work

from rramlab.recorder import Columns, Facts, Recorder

MEMORY_DISK = Path("/dev/shm")
PATIENCE = 60.0  # s; what a child says takes it milliseconds, on a loaded machine a second
WARM_UP = 300.0  # s; compiling the simulation for the first time takes half a minute of one quiet core
SIGKILL = getattr(signal, "SIGKILL", signal.SIGTERM)
KILLED = (-SIGKILL, 9)  # 9: a test's own way of dying at a line
STACKS = "most recent call first"
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
    ),
    "1",
)


@final
class Acknowledging(Recorder):
    """Say on a pipe what a recorder keeps, after it is kept."""

    def __init__(self, recorder: Recorder, say: Say) -> None:
        self._recorder = recorder
        self._say = say

    def request(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> int:
        number = self._recorder.request(verb, bench_time, facts, columns)
        self._say("request", number)
        return number

    def result(self, number: int, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        self._recorder.result(number, verb, bench_time, facts, columns)
        self._say("result", number)

    def note(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        self._recorder.note(verb, bench_time, facts, columns)
        self._say(f"note {verb}", 0)


@final
@dataclass(frozen=True)
class Moment:
    """Tell when to kill: so many seconds after so many messages whose kind starts with `kind`."""

    kind: str
    count: int
    seconds: float


@final
@dataclass
class Killed:
    """Hold what was heard of a child, and whether it came to its end before it was killed."""

    heard: list[tuple[str, int]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return any(kind == "ended" for kind, _ in self.heard)

    @property
    def failures(self) -> list[str]:
        return [kind for kind, _ in self.heard if kind.startswith("failed")]

    def numbers(self, kind: str) -> set[int]:
        return {number for heard, number in self.heard if heard == kind}


class Nest(ABC):
    """Start children of one test module, one at a time."""

    @abstractmethod
    def start(self, work: Work, args: tuple[Any, ...], writer: Connection) -> int:
        """Start a child that says on `writer` what it does; return its process id."""

    @abstractmethod
    def reap(self) -> int | None:
        """Forget the child, which has ended; return its exit code, negative for a signal."""

    @abstractmethod
    def close(self) -> None:
        """End whatever lives here."""

    def words(self) -> str:
        """Return what the child wrote on its stderr."""
        return ""

    def stacks(self, child: int) -> str:
        """Return what the child wrote on its stderr after it was asked where it is."""
        return self.words()


@final
class Forking(Nest):
    """Hold a fresh process that forks children of one test module; they are warm and have one thread."""

    def __init__(self, module: str) -> None:
        self._words = TemporaryFile()  # noqa: SIM115  (closed with the nursery)
        self._line, theirs = Pipe()
        command = [sys.executable, nursery.__file__, module, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command,
            env=os.environ | ONE_THREAD,
            stdin=subprocess.DEVNULL,
            stdout=self._words,
            stderr=self._words,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._begin = 0  # of the words of the child at hand
        atexit.register(self.close)
        self._answer(WARM_UP)

    def _answer(self, seconds: float = PATIENCE) -> Any:
        with suppress(EOFError, ConnectionError):
            if self._line.poll(seconds):
                return self._line.recv()
            self._process.kill()
        told = self.words()
        self.close()
        raise AssertionError(f"the nursery gave no answer within {seconds:g} s:\n{told}")

    def words(self) -> str:
        return os.pread(self._words.fileno(), 1 << 20, self._begin).decode(errors="replace")

    def start(self, work: Work, args: tuple[Any, ...], writer: Connection) -> int:
        self._begin = os.fstat(self._words.fileno()).st_size
        self._line.send((work.__name__, args))
        send_handle(self._line, writer.fileno(), self._process.pid)
        return int(self._answer())

    def stacks(self, child: int) -> str:
        os.kill(child, signal.SIGUSR1)
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline and STACKS not in self.words():
            time.sleep(0.02)  # waiting for the child: nothing is timed
        return self.words()

    def reap(self) -> int:
        self._line.send("over")
        return int(self._answer())

    def close(self) -> None:
        atexit.unregister(self.close)
        self._line.close()
        self._process.kill()
        self._process.wait(PATIENCE)
        self._words.close()


@final
class Spawning(Nest):
    """Start each child anew, where there is no fork; it imports and warms up everything itself."""

    def __init__(self, module: str) -> None:
        self._children: list[Any] = []

    def start(self, work: Work, args: tuple[Any, ...], writer: Connection) -> int:
        child = multiprocessing.get_context("spawn").Process(
            target=nursery.live, args=(work, writer, args), daemon=True
        )
        child.start()
        self._children.append(child)
        return int(child.pid or 0)

    def reap(self) -> int | None:
        child = self._children.pop()
        child.join(PATIENCE)
        code: int | None = child.exitcode
        child.close()
        return code

    def close(self) -> None:
        for child in self._children:
            child.kill()
            self.reap()


NEST: Callable[[str], Nest] = Forking if hasattr(os, "fork") else Spawning
# One for each test module; a nursery ends with the tests.
_nests: dict[str, Nest] = {}


@contextmanager
def nest_of(module: str) -> Iterator[Nest]:
    """Hold the nest of a test module; a test that is interrupted leaves none behind."""
    nest = _nests.pop(module, None) or NEST(module)
    try:
        yield nest
    except BaseException:
        nest.close()
        raise
    _nests[module] = nest


def kill(work: Work, *args: Any, at: Moment | None, patience: float = PATIENCE) -> Killed:
    """Run `work(say, *args)` in a process of its own and kill it (SIGKILL) at a moment, or let it end."""
    killed = Killed()
    reader, writer = Pipe(duplex=False)
    with nest_of(work.__module__) as nest, reader:
        with writer:
            child = nest.start(work, args, writer)
        ear = Ear(reader, killed, nest, child, patience)
        try:
            with suppress(EOFError, OSError):  # the pipe ends with the child, maybe in the middle of a word
                if at is not None:
                    ear.until(at)
                    os.kill(child, SIGKILL)
                while True:
                    ear.hear()
        except BaseException:
            os.kill(child, SIGKILL)
            raise
        if (code := nest.reap()) not in (0, *KILLED):
            killed.heard.append((f"failed: the child ended with code {code}; {nest.words()}", 0))
    return killed


@final
@dataclass(frozen=True)
class Ear:
    """Listen to a child, but not for ever."""

    reader: Connection
    killed: Killed
    nest: Nest
    child: int
    patience: float

    def hear(self) -> None:
        """Wait for the next thing that the child says; EOFError where it has ended."""
        if not self.reader.poll(self.patience):
            stacks = self.nest.stacks(self.child)
            raise AssertionError(f"the child has said nothing for {self.patience:g} s; it is here:\n{stacks}")
        self.killed.heard.append(self.reader.recv())

    def until(self, at: Moment) -> None:
        """Listen until a moment has come."""
        while sum(kind.startswith(at.kind) for kind, _ in self.killed.heard) < at.count:
            self.hear()
        deadline = time.monotonic() + at.seconds
        while (left := deadline - time.monotonic()) > 0:
            if self.reader.poll(left):
                self.hear()


def memory_disk(otherwise: Path) -> Path:
    """Return a folder on a memory disk, where there is one.

    SIGKILL leaves what the system was given to write: a disk adds waiting, but nothing to this test.
    """
    return MEMORY_DISK if os.access(MEMORY_DISK, os.W_OK) else otherwise
