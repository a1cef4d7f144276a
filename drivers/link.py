"""Own one link: ask and be answered, and never trust a link again that failed, before it is opened anew."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Self, final

from drivers.blocks import QUIET, BlockReader
from drivers.wire import CHUNK, Wire
from rramlab.errors import LinkError, LinkFault

LONGEST_LINE = 1 << 24
"""More text (bytes) than any instrument sends in one reply."""

Greet = Callable[["Link"], None]
Transcript = Callable[[str, bytes], None]


@final
class Link:
    """Talk with one instrument in lines of text and IEEE 488.2 blocks; safe to share between threads.

    After a timeout, a broken connection, nonsense, or Ctrl-C within a talk, what arrives next may be the
    answer to an older question. So the link is poisoned: before its next use it is closed, opened and greeted
    (`greet`, which checks who answers). Nothing is ever sent twice. `openings` counts the greetings.
    """

    def __init__(
        self,
        wire: Wire,
        timeout: float = 2.0,
        greet: Greet | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        self.openings = 0
        self._wire, self._timeout = wire, timeout
        self._greet, self._transcript = greet, transcript
        self._lock = RLock()
        self._got = bytearray()
        self._is_open = self._is_poisoned = self._is_greeting = False

    @property
    def name(self) -> str:
        """Return what the link leads to."""
        return self._wire.name

    @property
    def is_open(self) -> bool:
        """Tell whether the link is to be used: it was opened, whether or not that worked, and not closed."""
        return self._is_open

    @property
    def is_poisoned(self) -> bool:
        """Tell whether the link failed and will be opened anew at its next use."""
        return self._is_poisoned

    # Opening and closing.

    def open(self) -> Self:
        """Connect and greet."""
        with self._lock:
            self._is_open = True
            self._renew()
        return self

    def close(self) -> None:
        """Disconnect; never raises."""
        with self._lock:
            self._is_open = False
            self._wire.close()

    def poison(self) -> None:
        """Distrust the link from now on, for what it answered makes no sense to the caller."""
        self._is_poisoned = True

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep other threads out of several exchanges that belong together."""
        with self._lock:
            yield

    # Talking.

    def query(self, command: str, timeout: float | None = None) -> str:
        """Return the line that answers a command, without its line feed."""
        with self._exchange():
            self._send(command)
            return self._line(command, self._within(timeout))

    def write(self, command: str, timeout: float | None = None) -> None:
        """Send a command and wait until the instrument says that it is done with it."""
        with self._exchange():
            self._send(command)
            self._send("*OPC?")
            answer = self._line("*OPC?", self._within(timeout))
            if answer.strip() != "1":
                raise self._nonsense(command, f"it was not acknowledged by '1' but by '{answer[:60]}'")

    def send(self, command: str) -> None:
        """Send a command that is not acknowledged, such as one that starts something long."""
        with self._exchange():
            self._send(command)

    def block(self, command: str, count: int | None = None, timeout: float | None = None) -> bytearray:
        """Return the bytes of the IEEE 488.2 block that answers a command; `count` is how many are expected.

        The timeout (s) is that of each piece, so that a deep memory may take as long as it needs.
        """
        with self._exchange():
            self._send(command)
            within = self._within(timeout)
            data = BlockReader(
                lambda most: self._some(most, within),
                lambda: self._wire.ended and not self._got,
                self._is_quiet,
                self.name,
                count,
            ).read()
            self._note("received", data)
            self._has_gone()  # takes in what is there beyond the block
            self._refuse_rest(command)
            return data

    # The steps.

    @contextmanager
    def _exchange(self) -> Iterator[None]:
        with self._lock:
            self._make_ready()
            try:
                yield
            except BaseException:  # also Ctrl-C: the answer would be taken for that to the next question
                self._is_poisoned = True
                raise

    def _make_ready(self) -> None:
        if not self._is_open:
            raise LinkError(LinkFault.LOST, f"the link to {self.name} is not open; open it first")
        if not self._is_greeting and (self._is_poisoned or self._has_gone()):
            self._renew()
        self._refuse_unasked()

    def _has_gone(self) -> bool:
        """Tell whether the other end went away while nothing was asked: to open anew loses nothing then."""
        try:
            self._got += self._wire.unasked()
        except LinkError as error:
            return error.fault is LinkFault.LOST
        return False

    def _refuse_unasked(self) -> None:
        if self._got:
            self._is_poisoned = True
            raise LinkError(
                LinkFault.GARBLED,
                f"{self.name} sent '{shown(self._got)}' unasked: its last answers may belong to other "
                "questions; read anew what was read last",
            )

    def _renew(self) -> None:
        self._is_poisoned = True
        self._wire.close()
        self._got.clear()
        self._wire.open()
        self.openings += 1
        self._is_greeting = True
        try:
            self._is_poisoned = False
            if self._greet is not None:
                self._greet(self)
        except BaseException:
            self._is_poisoned = True
            raise
        finally:
            self._is_greeting = False

    def _send(self, command: str) -> None:
        data = f"{command}\n".encode("ascii")
        self._note("sent", data)
        self._wire.write(data, self._timeout)

    def _line(self, command: str, timeout: float) -> str:
        line = self._read_line(timeout)
        self._note("received", line)
        self._refuse_rest(command)
        try:
            return line.decode("ascii").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise self._nonsense(command, f"'{shown(line)}' is no text") from error

    def _read_line(self, timeout: float) -> bytes:
        end = time.monotonic() + timeout
        while (at := self._got.find(b"\n")) < 0 and not (self._got and self._wire.ended):
            if len(self._got) > LONGEST_LINE:
                raise self._nonsense("a query", f"no line ends within {LONGEST_LINE} bytes")
            self._got += self._wire.read(CHUNK, max(end - time.monotonic(), 1e-3), line=True)
        return self._take(at + 1 if at >= 0 else len(self._got))

    def _some(self, most: int, timeout: float) -> bytes:
        return self._take(most) if self._got else self._wire.read(most, timeout)

    def _take(self, most: int) -> bytes:
        data = bytes(self._got[:most])
        del self._got[:most]
        return data

    def _is_quiet(self) -> bool:
        try:
            self._got += b"" if self._got else self._wire.read(CHUNK, QUIET)
        except LinkError as error:
            if error.fault is not LinkFault.TIMEOUT:
                raise
            return True
        return False

    def _refuse_rest(self, command: str) -> None:
        if self._got:
            raise self._nonsense(command, f"'{shown(self._got)}' came after the end of the answer")

    def _nonsense(self, command: str, what: str) -> LinkError:
        return LinkError(LinkFault.GARBLED, f"{self.name} answered '{command}' with nonsense: {what}")

    def _within(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else timeout

    def _note(self, direction: str, data: bytes | bytearray) -> None:
        if self._transcript is not None:
            self._transcript(direction, bytes(data))


def shown(data: bytes | bytearray) -> str:
    """Return the beginning of some bytes as text that a terminal can show."""
    return repr(bytes(data[:40]))[2:-1] + ("..." if len(data) > 40 else "")
