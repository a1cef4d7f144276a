"""Turn the signals that end a process into an orderly way out."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from stat import S_ISCHR
from types import FrameType

# SIGHUP (a closed terminal) does not exist on Windows, SIGBREAK (a closed console) nowhere else.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]


@contextmanager
def exits_on_signals() -> Iterator[None]:
    """Raise SystemExit on SIGTERM and SIGHUP while inside, so that every `finally` runs.

    A signal that was ignored before, as `nohup` does with SIGHUP, stays ignored.
    """
    with _handled(_ENDING, _leave):
        yield


@contextmanager
def ends_later() -> Iterator[None]:
    """Hold back Ctrl-C and the signals that end a process while inside; they arrive afterwards."""
    held: list[int] = []
    try:
        with _handled([signal.SIGINT, *_ENDING], lambda number, frame: held.append(number)):
            yield
    finally:
        if held:
            signal.raise_signal(held[0])


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C and the signals that end a process while inside; for short work that must be done."""
    with _handled([signal.SIGINT, *_ENDING], lambda number, frame: None):
        yield


@contextmanager
def _handled(numbers: list[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    before = {number: signal.getsignal(number) for number in numbers}
    # None: someone handles it outside Python, and it could not be given back.
    ours = [number for number in numbers if before[number] not in (signal.SIG_IGN, None)]
    try:
        for number in ours:
            signal.signal(number, handler)
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _leave(number: int, frame: FrameType | None) -> None:
    _forget_closed_terminal()
    raise SystemExit(128 + number)


def _forget_closed_terminal() -> None:
    """Let what is still said go nowhere, so that an error of the terminal does not stand in the way out."""
    for stream in (1, 2):
        with suppress(OSError):
            # A terminal that was closed is still a character device, but no terminal any more.
            if S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream)
                os.close(nowhere)
