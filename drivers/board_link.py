"""Exchange frames with a board: the same frame again, until its own answer comes."""

import time
from threading import RLock
from typing import final

from drivers.wire import CHUNK, Wire
from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.splitter import PANIC, Splitter
from rramlab.board_protocol.words import REPLY
from rramlab.errors import LinkError, LinkFault


@final
class BoardLink:
    """Own the wire to a board; safe to share between threads.

    An answer is known by command and request id: one that is late, double, or of another question is dropped.
    `timeout` (s) is what an answer may take beside bytes and work; `retries` is how often a frame is
    sent again. `repeats` counts these. The board executes a frame once, however often it arrives.
    """

    def __init__(self, wire: Wire, timeout: float = 1.0, retries: int = 5, baud: int = 921_600) -> None:
        self.repeats = 0
        self._wire, self._timeout, self._retries = wire, timeout, retries
        self._byte = 10.0 / baud
        self._lock = RLock()
        self._splitter = Splitter()

    @property
    def name(self) -> str:
        """Return what the wire leads to."""
        return self._wire.name

    def open(self) -> None:
        """Connect; a link that is open is connected anew, with nothing left of what was said before."""
        with self._lock:
            self._wire.close()
            self._splitter.clear()
            self._wire.open()

    def close(self) -> None:
        """Disconnect; never raises."""
        with self._lock:
            self._wire.close()

    def exchange(
        self, request: Request, work: float = 0.0, answer_bytes: int = 0, retries: int | None = None
    ) -> Response:
        """Return the answer to a request that keeps the board busy for `work` (s).

        Raises LinkError: TIMEOUT if the board stays silent, LOST or REFUSED if the connection is broken,
        GARBLED if a whole frame makes no sense.
        """
        # A zero byte first ends whatever a broken frame has left in the input of the board.
        data = b"\0" + request.encode()
        patience = self._timeout + work + self._byte * (len(data) + answer_bytes)
        tries = 1 + (self._retries if retries is None else min(retries, self._retries))
        with self._lock:
            for attempt in range(tries):
                self.repeats += attempt > 0
                self._wire.write(data, patience)
                answer = self._answer(request, patience)
                if answer is not None:
                    return answer
        raise LinkError(
            LinkFault.TIMEOUT,
            f"the board at {self.name} was asked {tries} times and gave no answer, "
            f"each time within {patience:.3g} s; look at supply, cable, and the speed in the bench file",
        )

    def shout(self) -> None:
        """Send the bytes of PANIC, which the board obeys whatever state its parser is in."""
        with self._lock:
            self._wire.write(PANIC, self._timeout)

    def _answer(self, request: Request, patience: float) -> Response | None:
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            try:
                data = self._wire.read(CHUNK, left)
            except LinkError as error:
                if error.fault is LinkFault.TIMEOUT:
                    self._splitter.clear()  # half an answer must not spoil the next
                    return None
                raise
            for content in self._splitter.feed(data):
                answer = _understood(content)
                if answer is not None and _belongs(answer, request):
                    return answer
        return None


def _understood(content: bytes) -> Response | None:
    """Return a response; None for an echo of a request; GARBLED for what no board may say."""
    is_echo = len(content) < 2 or not content[1] & REPLY
    return None if is_echo else Response.decode(content)


def _belongs(answer: Response, request: Request) -> bool:
    return (answer.command, answer.request) == (request.command, request.request)
