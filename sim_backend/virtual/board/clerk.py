"""Decide who may ask a board, and what is done once."""

from collections.abc import Callable
from typing import final

from rramlab.board_protocol.frame import Request
from rramlab.board_protocol.hello import HelloRequest
from rramlab.board_protocol.limits import BoardLimits
from rramlab.board_protocol.loop import FetchRequest
from rramlab.board_protocol.settling import SettleRequest
from rramlab.board_protocol.words import NUMBERED, VERSION, Command, Fault, Feature, Status
from rramlab.errors import RramlabError
from sim_backend.virtual import faults
from sim_backend.virtual.board.job import Answer, Denied, Job
from sim_backend.virtual.board.ledger import Ledger, digest
from sim_backend.virtual.board.state import LONGEST_WATCH, MOST_BODY, BoardState, factory_limits
from sim_backend.virtual.board.verbs import NEEDS, Verbs
from sim_backend.virtual.faults import Injector

ANYTIME = (Command.STATUS, Command.PANIC, Command.SAFE)
"""Commands that are done whatever boot and session are named."""
Stop = Callable[[Fault], None]


@final
class Clerk:
    """Follow the steps of the protocol; `stop` breaks off what is going on and takes the lines to 0 V."""

    def __init__(
        self, state: BoardState, ledger: Ledger, verbs: Verbs, injector: Injector, stop: Stop
    ) -> None:
        self._state, self._ledger, self._verbs = state, ledger, verbs
        self._injector, self._stop = injector, stop

    def __call__(self, request: Request) -> Answer | Job:
        """Return the answer to a request, or the work that it asks for; raise Denied if nothing is done."""
        command = self._known(request)
        if command in ANYTIME:
            return self._anytime(command, request)
        if request.boot != self._ledger.boot:
            raise Denied(Status.WRONG_BOOT)
        if command is Command.HELLO:
            return self._hello(request)
        if request.session != self._ledger.current or not request.session:
            raise Denied(Status.WRONG_SESSION)
        self._state.watchdog.feed()
        if command < NUMBERED:
            return self._repeatable(command, request)
        return self._once(command, request)

    def _known(self, request: Request) -> Command:
        if request.version != VERSION:
            raise Denied(Status.WRONG_VERSION)
        if request.command not in list(Command):
            raise Denied(Status.UNSUPPORTED, f"there is no command {request.command}")
        return Command(request.command)

    def _anytime(self, command: Command, request: Request) -> Answer:
        if (request.boot, request.session) == (self._ledger.boot, self._ledger.current):
            self._state.watchdog.feed()
        if command is not Command.STATUS:
            self._stop(Fault.PANIC if command is Command.PANIC else Fault.NONE)
        self._state.loop.tick()
        return Answer(Status.OK, self._state.status().pack())

    def _hello(self, request: Request) -> Answer:
        asked = HelloRequest.unpack(request.body)
        if not request.session or self._ledger.is_over(request.session):
            raise Denied(Status.WRONG_SESSION)
        if request.session != self._ledger.current:
            self._stop(Fault.NONE)
            self._ledger.open(request.session)
            self._state.limits = factory_limits()
        wanted = min(asked.watchdog / 1e3, LONGEST_WATCH) or LONGEST_WATCH
        self._state.watchdog.limit = wanted
        self._state.watchdog.feed()
        return Answer(Status.OK, self._state.hello().pack())

    def _repeatable(self, command: Command, request: Request) -> Answer:
        if command is Command.LIMITS:
            return self._limits(request.body)
        if command is Command.SETTLE:
            return Answer(Status.OK, self._ledger.settle(SettleRequest.unpack(request.body)).pack())
        return Answer(Status.OK, self._state.loop.fetch(FetchRequest.unpack(request.body), MOST_BODY).pack())

    def _limits(self, body: bytes) -> Answer:
        if body and not self._injector.strikes(faults.Fault.OVERREACH):
            self._state.limits = self._state.limits.lowered(BoardLimits.unpack(body))
        return Answer(Status.OK, self._state.limits.pack())

    def _once(self, command: Command, request: Request) -> Answer | Job:
        account = self._ledger.account
        if request.request == account.last and account.last:
            if digest(request) != account.digest:
                raise Denied(Status.ID_REUSE)
            return Answer(account.status, account.body or b"")
        if request.request <= account.floor:
            raise Denied(Status.STALE)
        self._ledger.take(request)
        return self._taken(command, request)

    def _taken(self, command: Command, request: Request) -> Answer | Job:
        """Return the answer to a request that was taken: refusals are kept like others."""
        try:
            if NEEDS.get(command, Feature(0)) not in self._state.features:
                raise Denied(Status.UNSUPPORTED, f"this board has no {command.name}")
            found = self._verbs(command, request.body)
        except Denied as denied:
            found = denied.answer
        except (RramlabError, ValueError) as error:
            found = Answer(Status.MALFORMED, str(error).encode())
        if isinstance(found, Answer):
            self._ledger.end(found.status, found.body)
        return found
