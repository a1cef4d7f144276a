"""Talk with the published firmware: whole lines, and answers that are checked to the letter."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from drivers.published_commands import GO, Command, probes
from drivers.published_log import PublishedLog
from drivers.published_schedule import DURATION
from drivers.wire import Wire
from rramlab.clock import Clock
from rramlab.errors import LinkError, LinkFault

BAUD = 9600
"""The speed of the published firmware."""
SYNC = b"\r \r "
"""CR and no LF drops a begun line; twice, for the line may have ended with the CR of somebody else."""
PARSING = 0.02
"""Twice the time (s) in which the main loop of the firmware has dealt with a line."""
RUN = DURATION + 2 * PARSING
"""Time (s) from a `Go` until the run that it began is over."""
LONGEST = 200
"""More bytes than any reply has."""


@final
class PublishedTalk:
    """Say one command at a time, and nothing while a run may be going on: its interrupts lose bytes.

    After a failure the line is opened, cleared and probed anew before its next use; nothing is sent twice.
    `openings` counts how often: what was set before the last one may be lost. `log` holds every line.
    """

    def __init__(self, wire: Wire, clock: Clock, timeout: float = 1.0) -> None:
        self.openings = 0
        self.log = PublishedLog()
        self._wire, self._clock, self._timeout = wire, clock, timeout
        self._is_open = self._is_sound = False
        self._quiet_until = float("-inf")

    @property
    def name(self) -> str:
        """Return what the line leads to."""
        return self._wire.name

    @property
    def is_running(self) -> bool:
        """Tell whether a run may be going on."""
        return self._clock.now() < self._quiet_until

    def open(self) -> None:
        """Connect, and prove by its replies that this firmware is at the other end."""
        self._is_open = True
        # An earlier process may have begun a run the moment before it died.
        self._hush()
        self._renew()

    def close(self) -> None:
        """Disconnect; never raises."""
        self._is_open = self._is_sound = False
        self._wire.close()

    def ask(self, command: Command) -> str:
        """Return the reply to a command, one of those that it may bring."""
        self._make_ready()
        with self._poisoned_by_failure():
            return self._asked(command)

    def go(self) -> float:
        """Ask for a run and return the time (s) of the clock at which it began, if it did."""
        self._make_ready()
        # Whatever becomes of the reply, a run may have begun.
        self._hush()
        with self._poisoned_by_failure():
            self._asked(GO)
        self._hush()
        return self._clock.now()

    def prove(self) -> None:
        """Prove once more that this firmware is at the other end."""
        for command in probes():
            self.ask(command)

    def wait_for_the_end(self) -> None:
        """Let the time pass in which a run may be going on."""
        while (left := self._quiet_until - self._clock.now()) > 0:
            self._clock.sleep(left)

    # The steps.

    def _hush(self) -> None:
        self._quiet_until = self._clock.now() + RUN

    def _make_ready(self) -> None:
        if not self._is_open:
            raise LinkError(LinkFault.LOST, f"the line to {self.name} is not open; open it first")
        self.wait_for_the_end()
        if not self._is_sound:
            self._renew()

    def _renew(self) -> None:
        self._is_sound = False
        self._wire.close()
        self._wire.open()
        self.openings += 1
        self.wait_for_the_end()
        self._synchronise()
        for command in probes():
            try:
                self._asked(command)
            except LinkError as error:
                raise _stranger(error, self.name) from error
        self._is_sound = True

    def _synchronise(self) -> None:
        self._clock.sleep(PARSING)
        self._wire.write(SYNC, self._timeout)
        self._clock.sleep(PARSING)
        self._wire.unasked()

    @contextmanager
    def _poisoned_by_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # also Ctrl-C: the reply would be taken for that to the next command
            self._is_sound = False
            raise

    def _asked(self, command: Command) -> str:
        if unasked := self._wire.unasked():
            raise self._garbled(command, unasked, "came before the command was sent")
        self._wire.write(f"{command.text}\r\n".encode("ascii"), self._timeout)
        reply = self._line(command)
        self.log.said(self._clock.now(), command.text, reply)
        if reply not in command.replies:
            wanted = " or ".join(map(repr, sorted(command.replies)[:2]))
            raise self._garbled(command, reply.encode("latin-1"), f"came where {wanted} was due")
        return reply

    def _line(self, command: Command) -> str:
        end, got = time.monotonic() + self._timeout, b""
        while not got.endswith(b"\r\n"):
            if len(got) > LONGEST:
                raise self._garbled(command, got, "has no end")
            try:
                got += self._wire.read(LONGEST, max(end - time.monotonic(), 1e-3), line=True)
            except LinkError as error:
                raise _silent(error, self.name, command, got) from error
        return got[:-2].decode("latin-1")

    def _garbled(self, command: Command, what: bytes, why: str) -> LinkError:
        text = f"{self.name}, asked '{command.text}': {what[:60]!r} {why}; look at the cable, and repeat"
        return LinkError(LinkFault.GARBLED, text)


def _silent(error: LinkError, name: str, command: Command, got: bytes) -> LinkError:
    """Return the error of a reply that did not come, or not to its end."""
    if error.fault is not LinkFault.TIMEOUT:
        return error
    part = f"only {got!r}" if got else "nothing"
    return LinkError(
        LinkFault.TIMEOUT,
        f"{name} answered '{command.text}' with {part}; is it on, at {BAUD} baud, and does it run the "
        "published firmware?",
    )


def _stranger(error: LinkError, name: str) -> LinkError:
    """Return the error of a greeting: whoever answers something else is somebody else."""
    if error.fault is not LinkFault.GARBLED:
        return error
    return LinkError(
        LinkFault.MISMATCH, f"{name} does not answer as the published firmware does ({error}); what is it?"
    )
