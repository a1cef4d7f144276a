"""Hosts of a virtual board in virtual time: a wire that breaks things, a record that outlives its process."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.rramlab_board import RramlabBoard
from drivers.spec import BoardSpec
from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault
from rramlab.limits import Limits
from rramlab.pulse import Delivery, PulseTrain
from rramlab.recorder import Event, MemoryRecorder
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.faults import Injector
from sim_backend.virtual.faulty import FaultyConversation
from sim_backend.virtual.world import World

TIMEOUT = 0.1
SPEC = BoardSpec(use="rramlab-board", port="memory", timeout=TIMEOUT, retries=3, watchdog=3.0)


class HostKilled(BaseException):
    """End a host process in the midst of what it does."""


class MemoryNet(Wire):
    """Lead to a board; waiting lets virtual time pass. What an old connection was sent may come late.

    `kill_after` counts down the uses of the wire until the host is killed.
    """

    def __init__(self, board: VirtualBoard, injector: Injector, world: World) -> None:
        self._board, self._injector, self._clock = board, injector, world.clock
        self._talks: list[FaultyConversation] = []
        self._arrived = b""
        self._is_open = False
        self.kill_after: int | None = None

    @property
    def name(self) -> str:
        return "memory"

    def open(self) -> None:
        self._talks = [*self._talks[-3:], FaultyConversation(self._board, self._injector, self._clock)]
        self._arrived, self._is_open = b"", True

    def close(self) -> None:
        self._is_open = False

    def write(self, data: bytes, timeout: float) -> None:
        self._use()
        # Killed within a write: the bytes are on their way or not, the next use tells.
        self._arrived += b"".join(self._talks[-1].feed(data))

    def read(self, most: int, timeout: float, line: bool = False) -> bytes:
        self._use()
        end = self._clock.now() + timeout
        while not self._arrived and self._clock.now() < end:
            self._clock.reach(min(end, self._clock.now() + self._talks[-1].wake()))
            self._poll()
        if not self._arrived:
            raise LinkError(LinkFault.TIMEOUT, "silence")
        data, self._arrived = self._arrived[:most], self._arrived[most:]
        return data

    def unasked(self) -> bytes:
        return b""

    def _poll(self) -> None:
        for talk in self._talks[:-1]:
            talk.poll()  # nobody is there to hear the answer
        self._arrived += b"".join(self._talks[-1].poll())

    def _use(self) -> None:
        if not self._is_open:
            raise LinkError(LinkFault.LOST, "not open")
        if self.kill_after is not None:
            self.kill_after -= 1
            if self.kill_after <= 0:
                self.kill_after = None
                raise HostKilled


class Laboratory:
    """Hold a world with a board, the record, and the host process that is alive now."""

    def __init__(self, world: World, backup: bool = False, most_cells: int = 3) -> None:
        self.world = world
        self.injector = Injector(seed=1, delay=2.5 * TIMEOUT)
        boots = itertools.count(100).__next__
        self.board = VirtualBoard(
            world, self.injector, backup=backup, aside=False, boots=boots, most_cells=most_cells
        )
        self.net = MemoryNet(self.board, self.injector, world)
        self.record = MemoryRecorder()
        self._drawn: dict[int, int] = {}
        self.host: RramlabBoard | None = None

    def start(self) -> None:
        """Start a host process, and settle what the one before it left open."""
        self.host = None
        host = RramlabBoard(SPEC, self.net, self.world.clock, draw=self._draw)
        host.open()
        for request in self.open_requests():
            notes = [event for event in self.record.events if event.stage == "note"]
            self._result(request.number, host.settle(request, notes))
        host.begin(Limits(), self._note)
        self.host = host

    def pulse(self, train: PulseTrain) -> None:
        """Write the intent down, pulse, and write down what became of it."""
        assert self.host is not None
        number = self.record.request("pulse", self.world.clock.now(), {}, train.columns())
        self._result(number, self.host.pulse(train, number))

    def open_requests(self) -> list[Event]:
        """Return the requests of the record that have no result."""
        done = {event.number for event in self.record.events if event.stage == "result"}
        return [e for e in self.record.events if e.stage == "request" and e.number not in done]

    def counts(self, fate: Delivery) -> NDArray[np.int64]:
        """Return how many pulses of each cell have this fate in the record."""
        counts = np.zeros(self.world.shape, dtype=np.int64)
        trains = {e.number: e.columns for e in self.record.events if e.stage == "request"}
        for event in self.record.events:
            if event.stage == "result":
                hit = event.columns["delivery"] == fate
                train = trains[event.number]
                counts[train["row"][hit], train["col"][hit]] += 1
        return counts

    def still_open(self) -> NDArray[np.int64]:
        """Return how many pulses of each cell have no fate in the record yet."""
        counts = np.zeros(self.world.shape, dtype=np.int64)
        for request in self.open_requests():
            counts[request.columns["row"], request.columns["col"]] += 1
        return counts

    def check(self) -> None:
        """Hold the crossbar against the record: applied went out, what went out is known or unknown."""
        seen, applied = self.world.pulses_seen, self.counts(Delivery.APPLIED)
        doubtful = self.counts(Delivery.UNKNOWN) + self.still_open()
        assert (applied <= seen).all(), "a pulse was lost that the record says was applied"
        assert (seen <= applied + doubtful).all(), "a pulse went out that the record does not know"

    def _draw(self) -> int:
        """Draw the same sessions again after each reset: the worst luck that there is."""
        boot = self.board.boot
        self._drawn[boot] = self._drawn.get(boot, 0) + 1
        return self._drawn[boot]

    def _note(self, what: str, facts: dict[str, Any]) -> None:
        self.record.note(what, self.world.clock.now(), facts, {})

    def _result(self, number: int, delivery: NDArray[np.uint8]) -> None:
        self.record.result(number, "pulse", self.world.clock.now(), {}, {"delivery": delivery})
