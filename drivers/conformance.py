"""Run all checks of the board protocol against one board, and end with its lines at 0 V."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import final

from drivers import board_analog_checks as analog
from drivers import board_checks as requests
from drivers import board_safety_checks as safety
from drivers.board_probe import Broken, Probe
from drivers.wire import Wire
from rramlab.board_protocol.frame import Request
from rramlab.board_protocol.hello import HelloReply
from rramlab.board_protocol.words import Command
from rramlab.cells import Cells
from rramlab.errors import InputError, LinkError
from rramlab.finding import Finding

Check = Callable[[Probe, HelloReply], str]
CHECKS: dict[str, Check] = {
    "golden bytes": requests.golden_bytes,
    "who answers": requests.who,
    "safe at first": requests.safe_at_first,
    "HELLO twice": requests.hello_again,
    "request twice": requests.duplicate,
    "reading twice": requests.reading_twice,
    "stale id": requests.stale,
    "id used again": requests.reused,
    "wrong boot": requests.wrong_boot,
    "wrong session": requests.wrong_session,
    "old session": requests.old_session,
    "closed by SETTLE": requests.closed,
    "forgotten session": requests.forgotten,
    "version and command": requests.version,
    "missing features": requests.features,
    "malformed bodies": requests.malformed,
    "corrupt frames": requests.corrupt,
    "resync after noise": requests.resync,
    "frame in pieces": requests.in_pieces,
    "largest body": requests.largest,
    "limits only fall": safety.limits_fall,
    "limits refuse": safety.limits_refuse,
    "PANIC as a frame": safety.panic_frame,
    "PANIC as raw bytes": safety.panic_bytes,
    "SAFE in any session": safety.safe_frame,
    "route": safety.route,
    "watchdog": safety.watchdog,
    "product": analog.product,
    "closed loop": analog.loop,
}
PULSES: dict[str, Check] = {
    "pulses once": safety.pulse_once,
    "pulses verified": safety.pulse_verified,
}


@final
class Conformance:
    """Test a board at the end of a wire; cells are pulsed only if `pulses` says so.

    Each check has a session of its own, so that one that fails leaves nothing for the next.
    """

    def __init__(self, wire: Wire, timeout: float, cells: Cells, pulses: bool) -> None:
        self._wire = wire
        self._probe = Probe(wire, timeout, cells)
        self._checks = CHECKS | (PULSES if pulses else {})

    def findings(self) -> Iterator[Finding]:
        """Yield what each check finds; LinkError if nobody is there at all."""
        self._wire.open()
        try:
            self._check_cells(self._probe.begin())
            for name, check in self._checks.items():
                yield self._finding(name, check)
        except Broken as broken:
            yield Finding("HELLO", str(broken), False)
        finally:
            self._leave_safe()

    def _finding(self, name: str, check: Check) -> Finding:
        try:
            self._fresh()
            return Finding(name, check(self._probe, self._probe.begin()), True)
        except (Broken, LinkError, ValueError) as broken:
            return Finding(name, str(broken), False)

    def _fresh(self) -> None:
        """Drop what a failed check has left: answers on their way, half a frame, a latched fault."""
        with suppress(LinkError):
            self._probe.send(b"\0")
            while self._probe.heard(0.005):
                pass
        self._probe.begin()
        self._probe.ask(self._probe.free(Command.SAFE))
        self._probe.ask(self._probe.numbered(Command.CLEAR))

    def _check_cells(self, hello: HelloReply) -> None:
        cells, rows = self._probe.cells, hello.rows * hello.macros
        if len(cells) > hello.most_cells or (cells.row >= rows).any() or (cells.col >= hello.cols).any():
            raise InputError(
                f"cells {cells} are not on this board of {rows} rows and {hello.cols} columns, "
                f"{hello.most_cells} at a time; name others with --pulses"
            )

    def _leave_safe(self) -> None:
        for _ in range(3):
            with suppress(Exception):
                self._probe.ask(Request(Command.SAFE, request=1 << 63))
                break
        self._wire.close()
