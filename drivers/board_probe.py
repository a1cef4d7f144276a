"""Talk to a board as no well-behaved host does: raw bytes, wrong ids, broken frames."""

import secrets
import time
from typing import final

from drivers.wire import CHUNK, Wire
from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.hello import HelloReply, HelloRequest, StatusReply
from rramlab.board_protocol.splitter import Splitter
from rramlab.board_protocol.words import Command, Status
from rramlab.cells import Cells
from rramlab.errors import LinkError, LinkFault


@final
class Broken(Exception):
    """Say which rule a board breaks."""


def hold(truth: bool, otherwise: str) -> None:
    """Demand a rule."""
    if not truth:
        raise Broken(otherwise)


@final
class Probe:
    """Hold one conversation with a board under test; nothing is repeated, nothing is repaired.

    `timeout` (s) is how long an answer may take; `cells` are those that may be touched.
    """

    def __init__(self, wire: Wire, timeout: float, cells: Cells) -> None:
        self.wire, self.timeout, self.cells = wire, timeout, cells
        self.boot = self.session = 0
        self._splitter = Splitter()
        self._tag = 1 << 63 | secrets.randbits(32) << 16
        self._id = 0

    # Bytes.

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.wire.write(data, self.timeout)

    def heard(self, seconds: float) -> list[Response]:
        """Return what arrives until a response is there, or until a time (s) is over."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                data = self.wire.read(CHUNK, left)
            except LinkError as error:
                if error.fault is LinkFault.TIMEOUT:
                    return []
                raise
            if found := self._splitter.feed(data):
                return [Response.decode(content) for content in found]
        return []

    def silent(self, data: bytes, what: str) -> None:
        """Demand that the board does not answer these bytes."""
        self.send(data)
        found = self.heard(min(self.timeout, 0.1))
        hold(not found, f"{what} was answered: {[answer.status.name for answer in found]}")

    # Requests.

    def ask(self, request: Request, seconds: float | None = None) -> Response:
        """Return the answer to a request that is sent once."""
        self.send(b"\0" + request.encode())
        return self.answer(request, seconds)

    def answer(self, request: Request, seconds: float | None = None) -> Response:
        """Return the answer to a request that was sent."""
        within = self.timeout if seconds is None else seconds
        for answer in self.heard(within):
            hold(answer.command == request.command, f"{request.command} is answered by {answer.command}")
            hold(answer.request == request.request, "the request id does not come back")
            return answer
        raise Broken(f"{Command(request.command).name} is not answered within {within:.3g} s")

    def free(self, command: Command, body: bytes = b"") -> Request:
        """Return a request with a tag."""
        self._tag += 1
        return Request(command, self.boot, self.session, self._tag, body)

    def numbered(self, command: Command, body: bytes = b"") -> Request:
        """Return a request with the next id."""
        self._id += 1
        return Request(command, self.boot, self.session, self._id, body)

    def expect(self, status: Status, request: Request) -> Response:
        """Return the answer to a request, which must have a status."""
        answer = self.ask(request)
        hold(answer.status is status, f"{_name(request)} is answered {answer.status.name}, not {status.name}")
        return answer

    def status(self) -> tuple[Response, StatusReply]:
        """Return what STATUS answers."""
        answer = self.expect(Status.OK, self.free(Command.STATUS))
        return answer, StatusReply.unpack(answer.body)

    def begin(self, watchdog: int = 0) -> HelloReply:
        """Open a session of its own and return who answers."""
        self.boot = self.status()[0].boot
        self.session = 1 + secrets.randbelow(0xFFFFFFFE)
        self._id = 0
        request = self.free(Command.HELLO, HelloRequest(watchdog, "conformance").pack())
        return HelloReply.unpack(self.expect(Status.OK, request).body)


def _name(request: Request) -> str:
    known = request.command in list(Command)
    return Command(request.command).name if known else f"command {request.command}"
