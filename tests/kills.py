"""Kill a process at random moments and hear what it had acknowledged until then.

The child says each thing on a pipe after it is done, so that what was heard must be found in the record.
"""

import multiprocessing
import os
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, final

from rramlab.recorder import Columns, Facts, Recorder

# A forked child starts warm; where there is no fork the child imports everything anew.
CONTEXT = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
MEMORY_DISK = Path("/dev/shm")
Say = Callable[[str, int], None]


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


def kill(work: Callable[..., None], *args: Any, at: Moment | None) -> Killed:
    """Run `work(say, *args)` in a process of its own and kill it (SIGKILL) at a moment, or let it end."""
    reader, writer = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_child, args=(work, writer, args))
    with warnings.catch_warnings():
        # Python 3.12 warns of forks beside threads; those of the linear algebra library sleep here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    writer.close()
    killed = Killed()
    try:
        if at is not None:
            _listen_until(reader, killed, at)
            child.kill()
        while True:
            killed.heard.append(reader.recv())
    except (EOFError, OSError):  # the pipe ends with the child, maybe in the middle of a word
        child.join()
    reader.close()
    child.close()
    return killed


def memory_disk(otherwise: Path) -> Path:
    """Return a folder on a memory disk, where there is one.

    SIGKILL leaves what the system was given to write: a disk adds waiting, but nothing to this test.
    """
    return MEMORY_DISK if os.access(MEMORY_DISK, os.W_OK) else otherwise


def _listen_until(reader: Connection, killed: Killed, at: Moment) -> None:
    while sum(kind.startswith(at.kind) for kind, _ in killed.heard) < at.count:
        killed.heard.append(reader.recv())
    deadline = time.monotonic() + at.seconds
    while (left := deadline - time.monotonic()) > 0:
        if reader.poll(left):
            killed.heard.append(reader.recv())


def _child(work: Callable[..., None], writer: Connection, args: tuple[Any, ...]) -> None:
    def say(kind: str, number: int = 0) -> None:
        writer.send((kind, number))

    try:
        work(say, *args)
        say("ended")
    except BaseException:
        say(f"failed: {traceback.format_exc()}")
    finally:
        os._exit(0)
