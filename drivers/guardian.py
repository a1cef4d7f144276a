"""Switch the outputs off when the process that drives them dies, in whatever way.

Run as `python -m drivers.guardian`: the order stands on stdin, one line of JSON, and stdin stays open as long
as the host lives. The system closes it when the host dies, and only a host that ends in good order has said
BYE before.
"""

import json
import os
import selectors
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, final

from filelock import FileLock, Timeout

from drivers.breaker import Breaker, switch_off
from rramlab.finding import Finding

READY, BYE = b"READY\n", b"BYE\n"
LOOK = 0.02
"""Time (s) between looks at the host on systems that cannot tell of its death by themselves."""

_IGNORED = ("SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT", "SIGTSTP", "SIGBREAK", "SIGPIPE")


def main() -> None:
    """Read the order, say READY, and wait for the end of the host."""
    for name in _IGNORED:  # what ends the host, or a whole terminal, is what the guardian is there for
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    line, rest = _line()
    if not line:
        return
    order = json.loads(line)
    breakers = [Breaker.of(one) for one in order["breakers"]]
    for breaker in breakers:
        breaker.warm()
    with _alive(order["lock"]):
        os.write(1, READY)
        if not hears_bye(rest, order["pid"]):
            _end(order, breakers)


def hears_bye(heard: bytes, host: int) -> bool:
    """Wait until the host has said BYE (true) or has died (false).

    A forked child of the host keeps the pipe open, so the host itself is watched as well.
    """
    watch = _Watch(host) if hasattr(os, "fork") else None
    while BYE not in heard:
        if watch is not None and not watch.hears():
            return False
        piece = os.read(0, 4096)
        if not piece:
            return False
        heard += piece
    return True


@final
class _Watch:
    """Wait for a word of the host or for its death."""

    def __init__(self, host: int) -> None:
        self._host = host
        self._events = selectors.DefaultSelector()
        self._events.register(0, selectors.EVENT_READ)
        self._told = False
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):  # an old kernel, or the host is dead already: then it is looked at
                self._events.register(os.pidfd_open(host), selectors.EVENT_READ)
                self._told = True

    def hears(self) -> bool:
        """Return true when something can be read, false when the host is dead and has said nothing."""
        while os.getppid() == self._host:
            ready = self._events.select(None if self._told else LOOK)
            if any(key.fd == 0 for key, _ in ready):
                return True
            if ready:
                return False
        return any(key.fd == 0 for key, _ in self._events.select(0))


@contextmanager
def _alive(lock: str | None) -> Iterator[None]:
    with ExitStack() as held:
        if lock is not None:
            # Its host has waited for the guardian before this one; should that one hang, both do their work.
            with suppress(Timeout, OSError):
                held.enter_context(FileLock(lock, timeout=1.0, mode=0o666))
        yield


def _line() -> tuple[bytes, bytes]:
    heard = b""
    while b"\n" not in heard:
        piece = os.read(0, 65536)
        if not piece:
            return b"", b""
        heard += piece
    line, _, rest = heard.partition(b"\n")
    return line, rest


def _end(order: dict[str, Any], breakers: Sequence[Breaker]) -> None:
    began = time.monotonic()
    found = switch_off(breakers, order["seconds"])
    took = time.monotonic() - began
    with suppress(OSError):
        _report(Path(order["log"]), order["pid"], took, found)
    # A thread that still waits for a silent instrument must not keep this process.
    os._exit(0 if all(finding.good for finding in found) else 1)


def _report(log: Path, host: int, took: float, found: Sequence[Finding]) -> None:
    moment = time.strftime("%Y-%m-%d %H:%M:%S")
    end = "all off" if all(finding.good for finding in found) else "NOT all off"
    lines = [f"{moment} process {host} left the bench without switching off; {end} after {took * 1e3:.0f} ms"]
    lines += ["    " + " | ".join(finding.row()) for finding in found]
    with log.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
