"""Have a guardian beside this process, from before the first output goes on until all are off again."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, final

from drivers.breaker import SECONDS, Breaker
from drivers.guardian import BYE, READY
from rramlab.errors import LinkError, LinkFault
from rramlab.signals import ends_later

PATIENCE = 30.0
"""Time (s) that a guardian may take to load its drivers, on a slow machine."""

_LEAVE = 3.0


@final
class Guarded:
    """Hold the guardian of this process: `check` before each output, `bye` when all links are closed."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._process, self._seconds = process, seconds
        assert process.stdin is not None and process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    @classmethod
    def start(
        cls, breakers: Sequence[Breaker], log: Path, lock: Path | None = None, seconds: float = SECONDS
    ) -> Self:
        """Start a guardian that loads while this process goes on; `ready` waits for it.

        It has a session of its own, so that neither Ctrl-C nor a closed terminal reaches it; what it does is
        written into `log`, and `lock` is locked as long as it lives.
        """
        order = {
            "pid": os.getpid(),
            "log": str(log.absolute()),
            "lock": None if lock is None else str(lock.absolute()),
            "seconds": seconds,
            "breakers": [breaker.order() for breaker in breakers],
        }
        guarded = cls(_process(), seconds)
        guarded._say(json.dumps(order).encode() + b"\n")
        return guarded

    @property
    def pid(self) -> int:
        """Return the number of the process of the guardian."""
        return self._process.pid

    def ready(self, patience: float = PATIENCE) -> None:
        """Wait until the guardian watches; LinkError if it does not within a time (s)."""
        said: list[bytes] = []
        listening = threading.Thread(target=lambda: said.append(self._out.readline()), daemon=True)
        listening.start()
        listening.join(patience)
        if said != [READY]:
            self._process.kill()
            listening.join()
            raise LinkError(
                LinkFault.REFUSED,
                f"the guardian, which switches off when this process dies, did not start within "
                f"{patience:g} s (exit code {self._process.wait()}); try 'python -m drivers.guardian', which "
                f"should wait in silence, or write guardian = false into the bench file and stay beside it",
            )
        self._out.close()

    def check(self) -> None:
        """Refuse to go on without a guardian."""
        code = self._process.poll()
        if code is not None:
            raise LinkError(
                LinkFault.LOST,
                f"the guardian (process {self.pid}) is gone (exit code {code}): nobody would switch off if "
                f"this process died, so all outputs go off now; find out who ended it, then continue the run",
            )

    def bye(self, off: bool = True) -> bool:
        """See the guardian end, and return whether all outputs are off; never raises, and no process stays.

        A host that could not switch everything off (`off` false) leaves it to the guardian, as by dying.
        """
        with ends_later():  # half a word would be taken for a death
            if off:
                self._say(BYE)
            self._close()
            try:
                return self._process.wait(_LEAVE if off else self._seconds + _LEAVE) == 0
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                return off

    def _say(self, words: bytes) -> None:
        with suppress(OSError):  # it is dead, which `check` tells
            self._in.write(words)
            self._in.flush()

    def _close(self) -> None:
        for pipe in (self._in, self._out):
            with suppress(OSError):
                pipe.close()


@contextmanager
def guarded(breakers: Sequence[Breaker], log: Path, seconds: float = SECONDS) -> Iterator[Guarded]:
    """Have a guardian while inside; leave only when all outputs are off."""
    guardian = Guarded.start(breakers, log, seconds=seconds)
    try:
        guardian.ready()
        yield guardian
    finally:
        guardian.bye()


def _process() -> subprocess.Popen[bytes]:
    flags = sum(getattr(subprocess, f, 0) for f in ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW"))
    return subprocess.Popen(
        [sys.executable, "-m", "drivers.guardian"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # The drivers of a laboratory may lie where only this process looks for them.
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        start_new_session=True,
        creationflags=flags,
    )
