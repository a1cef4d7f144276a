"""Imitate the controller board: who may ask, what is done once, what stops it."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from threading import RLock
from typing import final

from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.words import Command, Fault, Feature, Status
from rramlab.clock import Clock, HostClock
from rramlab.errors import RramlabError
from sim_backend.virtual.board.clerk import ANYTIME, Clerk
from sim_backend.virtual.board.job import Answer, Denied, Job, PowerLost
from sim_backend.virtual.board.ledger import Ledger
from sim_backend.virtual.board.loop import LoopUnit
from sim_backend.virtual.board.pulses import Pulser
from sim_backend.virtual.board.state import MOST_BODY, MOST_CELLS, BoardState, factory_limits
from sim_backend.virtual.board.talk import BoardTalk
from sim_backend.virtual.board.verbs import Verbs
from sim_backend.virtual.board.watchdog import Watchdog
from sim_backend.virtual.faults import Injector
from sim_backend.virtual.machine import Machine
from sim_backend.virtual.world import World

Reply = Callable[[bytes], None]
MOST_WAITING = 8
"""Frames that wait in the input buffer while the board is at work; more are lost."""


WHY = {
    Fault.WATCHDOG: "the host was silent while lines were driven; CLEAR ends it",
    Fault.PANIC: "PANIC was asked for; CLEAR ends it",
    Fault.INTERLOCK: "the interlock was opened; close it, then CLEAR",
}


@final
@dataclass(frozen=True, eq=False)
class _Work:
    """Hold work that is going on: whose request it is, where the answer goes, when it began (s)."""

    request: Request
    reply: Reply
    job: Job
    began: float


@final
class VirtualBoard(Machine):
    """Speak the rramlab board protocol for a world; hosts attach one after the other, or at the same time.

    `boots` gives the boot ids. With `backup` the board has a memory that survives a reset. With `aside` off a
    closed loop is solved in place, so that a test needs no threads. `watch` is the time of the watchdog: that
    of the world if it passes by itself, else that of the host, who feeds it in his own time.
    """

    end = b"\0"

    def __init__(
        self,
        world: World,
        injector: Injector | None = None,
        backup: bool = False,
        aside: bool = True,
        boots: Callable[[], int] = lambda: secrets.randbits(32) or 1,
        watch: Clock | None = None,
        most_cells: int = MOST_CELLS,
    ) -> None:
        self.injector = injector or Injector()
        self._world, self._boots, self._lock = world, boots, RLock()
        features = Feature.MULTIPLY | Feature.LOOP | Feature.ROUTE | Feature.VERIFY
        features |= Feature(0) if world.clock.waits else Feature.VIRTUAL_TIME
        features |= Feature.BACKUP if backup else Feature(0)
        self.ledger = Ledger(backup)
        watchdog = Watchdog(watch or (world.clock if world.clock.waits else HostClock()))
        self.state = BoardState(world, watchdog, LoopUnit(world, aside), features, factory_limits())
        self.state.most_cells = most_cells
        verbs = Verbs(self.state, Pulser(world, self.ledger, self.injector))
        self._clerk = Clerk(self.state, self.ledger, verbs, self.injector, self._stop)
        self._work: _Work | None = None
        self._waiting: deque[tuple[Request, Reply]] = deque()
        self._power_up()

    @property
    def boot(self) -> int:
        """Return the boot id."""
        return self.ledger.boot

    def attach(self) -> BoardTalk:
        """Return a conversation with a host."""
        return BoardTalk(self, 2 * MOST_BODY)

    # What comes from outside the protocol.

    def reset(self) -> None:
        """Restart as after a loss of power: lines at 0 V, memory gone but for the backup."""
        with self._lock:
            self.state.all_off()
            self._work = None
            self._waiting.clear()
            self._power_up()

    def panic(self) -> None:
        """Take all lines to 0 V and latch it, whoever asks."""
        with self._lock:
            self._stop(Fault.PANIC)

    def set_interlock(self, is_open: bool) -> None:
        """Open or close the door of the test fixture: open, it breaks off what is going on."""
        with self._lock:
            self.state.interlock_open = is_open
            if is_open:
                self._stop(Fault.INTERLOCK)

    def tick(self) -> None:
        """End work whose time has come, and trip the watchdog if the host is silent."""
        with self._lock:
            self.state.loop.tick()
            if self.state.loop.error:
                self.state.latch(Fault.HARDWARE, self.state.loop.error)
            if self.state.watched and self.state.watchdog.left() <= 0:
                self._stop(Fault.WATCHDOG)
            if self._work is not None and self._left(self._work) <= 0:
                self._finish(Fault.NONE)

    def wake(self) -> float:
        """Return after how many seconds of host time something is due."""
        work = self._work
        return inf if work is None else max(0.0, self._left(work))

    # What comes by the protocol.

    def hear(self, content: bytes, reply: Reply) -> None:
        """Take the content of a frame; `reply` takes the answer, now or when the work is done."""
        try:
            request = Request.decode(content)
        except RramlabError:
            return  # what cannot be a request is not answered
        with self._lock:
            self._hear(request, reply)

    def _hear(self, request: Request, reply: Reply) -> None:
        if self._work is None or request.command in (*ANYTIME, Command.HELLO):
            self._answer(request, reply)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append((request, reply))

    def _answer(self, request: Request, reply: Reply) -> None:
        try:
            found = self._clerk(request)
        except Denied as denied:
            found = denied.answer
        except RramlabError as error:
            found = Answer(Status.MALFORMED, str(error).encode())
        if isinstance(found, Job):
            self._begin(request, reply, found)
        else:
            self._say(request, reply, found)

    # Work that takes its time.

    def _begin(self, request: Request, reply: Reply, job: Job) -> None:
        self._work = _Work(request, reply, job, self._world.clock.now())
        self.state.busy = True
        if not self._world.clock.waits:
            self._finish(Fault.NONE)

    def _left(self, work: _Work) -> float:
        return work.began + work.job.duration - self._world.clock.now()

    def _finish(self, why: Fault, parts: int | None = None) -> None:
        """End the work that is going on, after all of its parts or after the first ones."""
        work, self._work, self.state.busy = self._work, None, False
        if work is None:
            return
        try:
            answer = self._done(work, len(work.job.ends) if parts is None else parts, why)
        except PowerLost:
            self.reset()
            return
        self.ledger.end(answer.status, answer.body)
        self._say(work.request, work.reply, answer)
        self._go_on()

    def _done(self, work: _Work, parts: int, why: Fault) -> Answer:
        try:
            return work.job.do(parts, work.began, why)
        except RramlabError as error:
            return Answer(Status.FAILED, str(error).encode())

    def _go_on(self) -> None:
        while self._waiting and self._work is None:
            self._answer(*self._waiting.popleft())

    def _stop(self, why: Fault) -> None:
        """Break off what is going on, take all lines to 0 V, and latch the fault that asks for it."""
        work = self._work
        if work is not None:
            self._finish(why, work.job.begun_by(self._world.clock.now() - work.began))
        self.state.all_off()
        if why is not Fault.NONE:
            self.state.latch(why, WHY[why])

    def _say(self, request: Request, reply: Reply, answer: Answer) -> None:
        ledger, time = self.ledger, self._world.clock.now() - self._up_since
        ids = ledger.boot, ledger.current, request.request, ledger.account.last, ledger.pulse_total
        head = request.command & 0x7F, answer.status, self.state.word()
        reply(Response(*head, *ids, max(0, round(1e9 * time)), answer.body).encode())

    def _power_up(self) -> None:
        self.ledger.reset(self._boots())
        self._up_since = self._world.clock.now()
        self.state.limits = factory_limits()
        self.state.watchdog.limit = 0.0
        self.state.busy = False
        self.state.clear()
        if self.state.interlock_open:
            self.state.latch(Fault.INTERLOCK, WHY[Fault.INTERLOCK])
