"""Keep a virtual bench on the wire until somebody ends it."""

import sys
import threading
from pathlib import Path
from typing import NoReturn, final

from rramlab.errors import InputError
from rramlab.signals import exits_on_signals
from rramlab.terminal import Terminal
from sim_backend.virtual.bench import VirtualBench
from sim_backend.virtual.bench_text import HEAD
from sim_backend.virtual.warming import warm

LOOK = 0.5
"""Longest time for which Ctrl-C is not noticed where waiting cannot be interrupted (s)."""


@final
class Serving:
    """Serve a bench for the command line: write its file, tell where everything is, wait for the end."""

    def __init__(self, bench: VirtualBench, file: Path, terminal: Terminal) -> None:
        self._bench, self._file, self._terminal = bench, file, terminal

    def run(self) -> None:
        """Serve until Ctrl-C, SIGTERM or SIGHUP, and say how it ended."""
        self._check_file()
        self._terminal.say("getting ready (the first time on a machine this takes half a minute)")
        with exits_on_signals():
            ended = self._until_ended()
        kept = self._bench.table.state
        self._terminal.say(f"{ended}; the macro is kept in {kept}" if kept else ended)

    def _check_file(self) -> None:
        if not self._file.parent.is_dir():
            raise InputError(f"there is no folder {self._file.parent} for the bench file; make it first")
        if self._file.exists() and not self._file.read_text(encoding="utf-8").startswith(HEAD):
            raise InputError(
                f"{self._file} is not a file of a virtual bench and is not written over; name another one "
                f"with --bench-file"
            )

    def _tell(self) -> None:
        bench, addresses = self._bench, self._bench.addresses()
        drivers = {"board": "rramlab-board" if bench.table.dialect == 2 else "published-board"}
        drivers |= {"source_meter": bench.table.meter or "", "oscilloscope": bench.table.scope or ""}
        rows = [[name, where, drivers[name]] for name, where in addresses.items()]
        self._terminal.table("Virtual bench", ["instrument", "where it listens", "driver"], rows)
        time = "real time" if bench.clock.waits else "virtual time: waiting costs nothing"
        self._terminal.say(f"clock: {time}")
        self._terminal.say(f"bench file: {self._file}")
        first = "demo" if bench.table.dialect == 2 and bench.options.macros >= 3 else "bench check"
        self._terminal.say(
            f"ready; in another terminal: rramlab --bench {self._file} {first}  (Ctrl-C ends it)"
        )
        self._terminal.document({"addresses": addresses, "bench_file": str(self._file)})
        sys.stdout.flush()

    def _until_ended(self) -> str:
        """Get the physics ready, serve, and return in words what ended it."""
        try:
            warm(self._bench.options)
            with self._bench:
                self._serve()
        except KeyboardInterrupt:
            return "stopped by Ctrl-C"
        except SystemExit as end:
            if isinstance(end.code, int) and end.code > 128:
                return "stopped by a signal"
            raise

    def _serve(self) -> NoReturn:
        """Write the bench file, tell where everything is, and wait."""
        never = threading.Event()
        self._file.write_text(self._bench.bench_file(), encoding="utf-8")
        self._tell()
        while True:
            never.wait(LOOK)
