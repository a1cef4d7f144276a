"""Fork children that are warm and have one thread, for a test that kills them.

A test process has threads by the time it comes to a kill: those of the linear algebra, of OpenMP, of
pictures and progress bars. A fork copies their locks as they stand, but not the threads that would free
them, and the child may wait for ever. So a process of its own imports the test's module, warms up what it
needs, sees to it that it has one thread, and forks on demand.
"""

import faulthandler
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from threading import active_count
from typing import Any

Say = Callable[[str, int], None]
Work = Callable[..., None]
READY = "ready"
TASKS = Path("/proc/self/task")


def live(work: Work, writer: Connection, args: tuple[Any, ...]) -> None:
    """Do one work and say on the pipe what is done, how it failed, or that it ended; then end the process."""

    def say(kind: str, number: int = 0) -> None:
        writer.send((kind, number))

    try:
        faulthandler.enable()
        if hasattr(faulthandler, "register"):
            faulthandler.register(signal.SIGUSR1)  # the stacks of a child that says nothing
        work(say, *args)
        say("ended")
    except BaseException:
        say(f"failed: {traceback.format_exc()}")
    finally:
        os._exit(0)


def threads() -> int:
    """Return how many threads this process has, also those that Python does not know of."""
    return len(list(TASKS.iterdir())) if TASKS.exists() else active_count()


def nurse(home: Any, line: Connection) -> None:
    """Fork a child for each work named on the line, and reap it when told that it is over."""
    while True:
        name, args = line.recv()
        handle = recv_handle(line)
        if (child := os.fork()) == 0:
            line.close()
            live(getattr(home, name), Connection(handle, readable=False), args)
        os.close(handle)
        line.send(child)
        line.recv()  # until then its number belongs to nobody else
        line.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def main(module: str, handle: str) -> None:
    """Import a test module, warm up what it needs, and nurse until the line is closed."""
    home, line = import_module(module), Connection(int(handle))
    getattr(home, "warm_up", lambda: None)()
    if (count := threads()) > 1:
        sys.exit(f"{module} has {count} threads after its warm-up; a fork needs a process with one")
    gc.freeze()
    line.send(READY)
    try:
        nurse(home, line)
    except (EOFError, ConnectionError, KeyboardInterrupt):
        line.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
