"""Get work done by a board that may be reset in the midst of it: pulses once, everything else again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from typing import TypeVar, final

from drivers.board_answers import complaint
from drivers.board_session import RESETS, BoardReset, BoardSession, Place, restless
from drivers.board_settling import NOTE, Fates, Opening, fates, told
from drivers.controller import Note
from rramlab.board_protocol.cursor import garbled
from rramlab.board_protocol.frame import Response
from rramlab.board_protocol.limits import NAMES, BoardLimits
from rramlab.board_protocol.pulses import HEAD_BYTES, PULSE_BYTES, PulseReply, PulseRequest
from rramlab.board_protocol.readings import CELL_BYTES
from rramlab.board_protocol.words import Command, State, Status
from rramlab.errors import LinkError, LinkFault

Made = TypeVar("Made")
LATCHED = State.WATCHDOG_TRIPPED | State.FAULT


@final
class BoardWork:
    """Keep a session at work: after a reset of the board open a new one, with the limits and a note.

    `hello` of the session is there once it is open.
    """

    def __init__(self, session: BoardSession) -> None:
        self.session = session
        self._limits: BoardLimits | None = None
        self._note: Note = lambda what, facts, columns=None: None
        self._noted: Place | None = None
        self._lock = RLock()

    @property
    def cells_per_batch(self) -> int:
        """Return how many cells a request takes at most."""
        hello = self.session.greeted
        room = (hello.most_body - HEAD_BYTES) // PULSE_BYTES, (hello.most_body - HEAD_BYTES) // CELL_BYTES
        return max(1, min(hello.most_cells, *room))

    # Beginning.

    def begin(self, limits: BoardLimits, note: Note) -> None:
        """End what an earlier session left latched, give the limits to the board, note the session."""
        self._unlatch()
        self._limits, self._note = limits, note
        try:
            self._lower()
        except BoardReset:
            self._anew(lambda: None)
        self._tell(Opening(self.session.place, self.cells_per_batch))

    # Working.

    def again(self, do: Callable[[], Made]) -> Made:
        """Return what `do` makes, from its beginning again if the board was reset meanwhile."""
        with self._lock:
            for _ in range(RESETS):
                try:
                    with self.distrust():
                        return do()
                except BoardReset:
                    self.renew()
        raise restless(RESETS)

    def once(self, command: Command, body: bytes) -> Response:
        """Return the answer to a request that a reset makes pointless."""
        with self._lock:
            return self.session.once(command, body, self.session.id_of(0))

    def ask(
        self, number: int, command: Command, body: bytes, work: float = 0.0, answer_bytes: int = 0
    ) -> Response:
        """Return the answer to a request that may be asked again after a reset."""
        return self.again(
            lambda: _whole(self.session.once(command, body, self.session.id_of(number), work, answer_bytes))
        )

    def pulse(self, number: int, batch: PulseRequest, work: float) -> tuple[Fates, PulseReply]:
        """Send a batch of pulses once; return the fate of each and the answer (none went out: of a reset)."""
        with self._lock:
            return self._pulse(number, batch, work)

    def renew(self) -> None:
        """Open a new session after a reset that left nothing unknown."""
        self._anew(lambda: None)
        self._tell(Opening(self.session.place, self.cells_per_batch))

    @contextmanager
    def distrust(self) -> Iterator[None]:
        """Take the lines to 0 V when the board answers what cannot be."""
        try:
            yield
        except LinkError as error:
            if error.fault is LinkFault.GARBLED:
                with suppress(Exception):
                    self.session.anyhow(Command.SAFE)
            raise

    # The steps.

    def _unlatch(self) -> None:
        if self.session.state & LATCHED:
            self.session.anyhow(Command.SAFE)
            self.ask(0, Command.CLEAR, b"")

    def _pulse(self, number: int, batch: PulseRequest, work: float) -> tuple[Fates, PulseReply]:
        identity, count = self.session.id_of(number), len(batch.cells)
        place = self.session.place
        if place != self._noted:  # opened where no note could be written
            self._tell(Opening(place, self.cells_per_batch, identity))
        try:
            with self.distrust():
                answer = self.session.once(Command.PULSE, batch.pack(), identity, work, 4 * count)
                return _counted(answer, batch)
        except BoardReset:
            reply = self._anew(lambda: self.session.settle(place, identity))
        applied, unknown = told(reply, identity, count)
        opening = Opening(self.session.place, self.cells_per_batch, identity + 1, True, applied, unknown)
        self._tell(opening)
        return fates(count, applied, unknown), PulseReply(count)

    def _anew(self, do: Callable[[], Made]) -> Made:
        """Open a new session with the limits, and return what `do` finds out in it."""
        for _ in range(RESETS):
            with suppress(BoardReset):
                self.session.begin()
                if self._limits is not None:
                    self._lower()
                return do()
        raise restless(RESETS)

    def _tell(self, opening: Opening) -> None:
        self._note(NOTE, opening.facts())
        self._noted = opening.place

    def _lower(self) -> None:
        assert self._limits is not None
        kept = self.session.lower(self._limits)
        wrong = [name for name in NAMES if getattr(kept, name) != getattr(self._limits, name)]
        if wrong:
            has, asked = getattr(kept, wrong[0]), getattr(self._limits, wrong[0])
            cure = (
                f"lower {wrong[0]} under [limits] in the bench file"
                if has < asked
                else "look at its firmware"
            )
            raise LinkError(
                LinkFault.MISMATCH,
                f"the board was given a limit {wrong[0]} of {asked} and keeps {has} (uV or ns); {cure}",
            )


def _whole(answer: Response) -> Response:
    if answer.status is Status.STOPPED:
        raise complaint(answer)
    return answer


def _counted(answer: Response, batch: PulseRequest) -> tuple[Fates, PulseReply]:
    reply, count = PulseReply.unpack(answer.body), len(batch.cells)
    if (reply.readings is None) != (batch.verify is None):
        raise garbled("PULSE is answered with readings where none were asked for, or without")
    if reply.executed > count or (answer.status is Status.OK and reply.executed < count):
        raise garbled(f"PULSE of {count} cells is answered {answer.status.name} after {reply.executed}")
    return fates(count, reply.executed), reply
