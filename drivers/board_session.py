"""Hold one session with a board: each request is executed once, or it is known that this is not known."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from drivers.board_answers import complaint
from drivers.board_link import BoardLink
from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.hello import HelloReply, HelloRequest, StatusReply
from rramlab.board_protocol.limits import BoardLimits
from rramlab.board_protocol.settling import SettleReply, SettleRequest
from rramlab.board_protocol.words import Command, Feature, State, Status
from rramlab.clock import Clock
from rramlab.errors import LinkError, LinkFault

PART_BITS = 16
"""A request of the record may be sent in so many parts: its id on the wire is number << 16 | part."""
OPENINGS, PAUSE = 8, 0.25
"""How often a lost link is opened anew, and the time (s) between: a cable that was pulled for a moment."""
SILENCES = 2
"""How often a link is opened anew because the board is silent: each time takes all repetitions."""
RESETS = 5
"""How many resets of the board one request that can be repeated lives through."""
_TAG = 1 << 63
_FINAL = (LinkFault.MISMATCH, LinkFault.GARBLED)

Draw = Callable[[], int]


def random_session() -> int:
    """Draw the number of a session, never 0; it must differ between processes, whatever their seed."""
    return 1 + secrets.randbelow(0xFFFFFFFE)


@final
class BoardReset(Exception):
    """Say that the board was reset, so that nobody knows what became of the request in flight."""


@final
@dataclass(frozen=True)
class Place:
    """Name a session: boot id, session number."""

    boot: int
    session: int


@final
class BoardSession:
    """Ask a board over a link that may lose, repeat and garble, and over resets of the board.

    `place` is the current session; `state` and `time` (s) are those of the last answer. Time goes on over a
    reset: what a board says then counts from what it said last.
    """

    def __init__(
        self,
        link: BoardLink,
        clock: Clock,
        watchdog: float,
        draw: Draw = random_session,
        who: str = "rramlab",
    ) -> None:
        self.link = link
        self.place = Place(0, 0)
        self._hello: HelloReply | None = None
        self.state, self.time = State(0), 0.0
        self._boot, self._before = 0, 0.0
        self._clock, self._draw = clock, draw
        self._greeting = HelloRequest(max(1, round(1e3 * watchdog)), who)
        self._last = 0
        self._tag = _TAG | draw() << PART_BITS

    # Opening.

    @property
    def greeted(self) -> HelloReply:
        """Return what the board said of itself when the session was opened."""
        if self._hello is None:
            raise LinkError(LinkFault.LOST, f"the board at {self.link.name} is not open; open it first")
        return self._hello

    @property
    def is_open(self) -> bool:
        """Tell whether the board has said who it is."""
        return self._hello is not None

    def open(self) -> None:
        """Open the link and a new session."""
        self.link.open()
        self.begin()

    def begin(self) -> None:
        """Open a new session on the boot that the board is in."""
        for _ in range(RESETS):
            boot = self._free(Command.STATUS).boot
            self.place = Place(boot, self._draw())
            answer = self._free(Command.HELLO, self._greeting.pack())
            if answer.status is not Status.WRONG_BOOT:
                self._hello = HelloReply.unpack(_good(answer).body)
                self._check_watchdog(self._hello)
                return
        raise restless(RESETS)

    # Asking.

    def id_of(self, number: int) -> int:
        """Return the next id of a request of the record; ids rise strictly, whatever the number."""
        self._last = max(number << PART_BITS, self._last + 1)
        return self._last

    def once(
        self, command: Command, body: bytes, identity: int, work: float = 0.0, answer_bytes: int = 0
    ) -> Response:
        """Return the answer to a numbered request that is executed once; BoardReset if that is not known.

        Answers other than OK and STOPPED are raised as LinkError.
        """
        request = Request(command, self.place.boot, self.place.session, identity, body)
        answer = self._persist(request, work, answer_bytes)
        return answer if answer.status is Status.STOPPED else _good(answer)

    def status(self) -> StatusReply:
        """Ask how the board stands, and feed its watchdog; BoardReset if it is another boot."""
        answer = _good(self._persist(self._tagged(Command.STATUS)))
        return StatusReply.unpack(answer.body)

    def bound(self, command: Command, body: bytes, answer_bytes: int = 0) -> Response:
        """Return the answer to a command that belongs to the session and can be repeated without harm."""
        return _good(self._persist(self._tagged(command, body), 0.0, answer_bytes))

    def anyhow(self, command: Command) -> StatusReply:
        """Do SAFE or PANIC, whatever boot and session the board is in; asked twice if never heard."""
        return StatusReply.unpack(_good(self._free(command, retries=None if self.is_open else 1)).body)

    def settle(self, place: Place, identity: int) -> SettleReply:
        """Return what the board knows of a request of a session, and close it up to there."""
        asked = SettleRequest(place.boot, place.session, identity)
        return SettleReply.unpack(self.bound(Command.SETTLE, asked.pack()).body)

    def lower(self, limits: BoardLimits) -> BoardLimits:
        """Give limits to the board and return those that are in force."""
        return BoardLimits.unpack(self.bound(Command.LIMITS, limits.pack()).body)

    # The steps.

    def _persist(self, request: Request, work: float = 0.0, answer_bytes: int = 0) -> Response:
        """Send the same request until it is answered, over a link that is opened anew if need be."""
        broken: list[LinkFault] = []
        while True:
            try:
                if broken:
                    self._reopen(len(broken))
                answer = self._noted(self.link.exchange(request, work, answer_bytes))
            except LinkError as error:
                broken.append(error.fault)
                if _is_hopeless(broken):
                    raise _lost(self.link.name, error, broken) from error
                continue
            self._check_place(answer)
            return answer

    def _check_watchdog(self, hello: HelloReply) -> None:
        asked, drives = self._greeting.watchdog, hello.features & (Feature.ROUTE | Feature.LOOP)
        if drives and not 0 < hello.watchdog <= asked:
            raise LinkError(
                LinkFault.MISMATCH,
                f"the board at {self.link.name} was asked for a watchdog of {asked} ms and has one of "
                f"{hello.watchdog} ms; write what it has into the bench file, or look at its firmware",
            )

    def _reopen(self, opening: int) -> None:
        """Open the link anew and see that board and session are still those of the request."""
        if opening > 1:
            self._clock.sleep(PAUSE)
        self.link.open()
        self._check_place(self._noted(self.link.exchange(self._tagged(Command.STATUS), retries=1)))

    def _check_place(self, answer: Response) -> None:
        if answer.status is Status.WRONG_BOOT or answer.boot != self.place.boot:
            raise BoardReset
        if answer.session != self.place.session:
            raise LinkError(
                LinkFault.MISMATCH,
                f"the board at {self.link.name} has been taken over by another host; "
                f"end one of the two and start again",
            )

    def _free(self, command: Command, body: bytes = b"", retries: int | None = None) -> Response:
        """Send a command that is good for any boot; the link is opened anew once, unless all was silence."""
        request = self._tagged(command, body)
        try:
            return self._noted(self.link.exchange(request, retries=retries))
        except LinkError as error:
            if error.fault is LinkFault.TIMEOUT and not self.is_open:
                raise  # nobody is there: to ask as often once more keeps a person waiting for nothing
            self.link.open()
            return self._noted(self.link.exchange(request, retries=retries))

    def _tagged(self, command: Command, body: bytes = b"") -> Request:
        self._tag += 1
        return Request(command, self.place.boot, self.place.session, self._tag, body)

    def _noted(self, answer: Response) -> Response:
        if answer.boot != self._boot:
            self._boot, self._before = answer.boot, self.time
        self.state, self.time = answer.state, self._before + 1e-9 * answer.time
        return answer


def _good(answer: Response) -> Response:
    if answer.status is not Status.OK:
        raise complaint(answer)
    return answer


def _is_hopeless(broken: list[LinkFault]) -> bool:
    return broken[-1] in _FINAL or len(broken) > OPENINGS or broken.count(LinkFault.TIMEOUT) > SILENCES


def _lost(name: str, error: LinkError, broken: list[LinkFault]) -> LinkError:
    if error.fault in _FINAL:
        return error
    silent = all(fault is LinkFault.TIMEOUT for fault in broken)
    return LinkError(
        LinkFault.TIMEOUT if silent else LinkFault.LOST,
        f"the board at {name} did not come back ({error}); see to it, then go on with --resume: "
        f"what became of its last request is asked then",
    )


def restless(resets: int) -> LinkError:
    """Return the error of a board that is reset again and again."""
    return LinkError(
        LinkFault.LOST, f"the board was reset {resets} times within one request; look at its supply"
    )
