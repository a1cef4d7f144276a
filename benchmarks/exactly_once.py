"""Count pulses that are doubled or lost on a bad line: the rramlab board protocol beside a naive retry.

Each pulse goes to a cell of its own, over pyserial and a pseudo-terminal, to a virtual board; the crossbar
counts. Every message is lost, has a bit flipped, comes twice, and comes late, each with the same probability,
in both directions. With resets, the board also restarts before, during or after one pulse in a hundred. The
naive host sends again what is not answered in time, and its board pulses whenever it is asked.

Goals: 0 doubled, 0 lost (or told wrongly), each reset reported as unknown, and nothing else.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.rramlab_board import RramlabBoard
from drivers.serial_wire import SerialWire
from drivers.spec import BoardSpec
from rramlab.board_protocol.frame import Request, Response
from rramlab.board_protocol.pulses import PulseRequest
from rramlab.board_protocol.splitter import Splitter
from rramlab.board_protocol.words import Command, State, Status
from rramlab.cells import Cells
from rramlab.errors import LinkError, LinkFault, RramlabError
from rramlab.limits import Limits
from rramlab.pulse import Delivery, Pulse, PulseTrain
from sim_backend.options import Options
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.faults import Fault, Injector, When
from sim_backend.virtual.machine import Conversation, Machine
from sim_backend.virtual.port import Plug
from sim_backend.virtual.terminal import TerminalPort
from sim_backend.virtual.world import World

PULSES = 3000
CHANCES = (0.0, 0.02, 0.10)
RESET_CHANCE = 0.01
TIMEOUT = 0.015
RETRIES = 20
PULSE = Pulse.parse("SET 0.8V gate=1.2V 1us")
MESSAGES = (
    *(Fault.LOSE_REQUEST, Fault.FLIP_REQUEST, Fault.TWICE_REQUEST, Fault.LATE_REQUEST),
    *(Fault.LOSE_REPLY, Fault.FLIP, Fault.TWICE, Fault.LATE),
)
RESETS = (Fault.RESET_BEFORE, Fault.RESET_DURING, Fault.RESET_AFTER)
Deliveries = NDArray[np.uint8]


@dataclass(frozen=True)
class Count:
    """Hold what one campaign came to."""

    name: str
    chance: float
    struck: int
    resets: int
    doubled: int
    lost: int
    unknown: int
    seconds: float

    @property
    def good(self) -> bool:
        """Tell whether the goals are met."""
        return self.doubled == self.lost == 0 and self.unknown == self.resets


class NaiveBoard(Machine):
    """Pulse whenever it is asked."""

    end = b"\0"

    def __init__(self, world: World) -> None:
        self.world = world

    def attach(self) -> Conversation:
        """Return a talk."""
        return NaiveTalk(self.world)


class NaiveTalk(Conversation):
    """Answer each whole frame."""

    def __init__(self, world: World) -> None:
        self._world, self._splitter = world, Splitter()

    def feed(self, data: bytes) -> list[bytes]:
        """Pulse for each whole frame."""
        return [self._answer(Request.decode(content)) for content in self._splitter.feed(data)]

    def _answer(self, request: Request) -> bytes:
        self._world.pulse(PulseRequest.unpack(request.body).train())
        return Response(request.command, Status.OK, State(0), 1, 1, 0).encode()


class NaiveHost:
    """Send again until there is an answer."""

    def __init__(self, wire: SerialWire) -> None:
        self._wire, self._splitter = wire, Splitter()

    def pulse(self, train: PulseTrain) -> int:
        """Return APPLIED as soon as anything is answered."""
        frame = b"\0" + Request(Command.PULSE, body=PulseRequest.of(train).pack()).encode()
        for _ in range(RETRIES + 1):
            self._wire.write(frame, 1.0)
            if self._answered(time.monotonic() + TIMEOUT):
                return Delivery.APPLIED
        return Delivery.NOT_APPLIED

    def _answered(self, end: float) -> bool:
        while (left := end - time.monotonic()) > 0:
            try:
                data = self._wire.read(4096, left)
            except LinkError as error:
                if error.fault is LinkFault.TIMEOUT:
                    return False
                raise
            if self._splitter.feed(data):
                return True
        return False


def main() -> None:
    kinds: list[tuple[str, Callable[[float, int], Count]]] = [
        ("naive retry", naive),
        ("rramlab", lambda chance, seed: rramlab(chance, seed, resets=False)),
        ("rramlab, resets", lambda chance, seed: rramlab(chance, seed, resets=True)),
    ]
    print(f"{PULSES} pulses per line; goal of rramlab: 0 doubled, 0 lost, unknown = resets")
    head = ("faults", "protocol", "struck", "resets", "doubled", "lost", "unknown", "s", "goal")
    print("{:>7} {:16} {:>7} {:>7} {:>8} {:>6} {:>8} {:>6}  {}".format(*head))
    missed = False
    for seed, chance in enumerate(CHANCES):
        with ThreadPoolExecutor(len(kinds)) as pool:
            counts = list(pool.map(lambda kind: kind[1](chance, seed), kinds))  # noqa: B023
        for (name, _), count in zip(kinds, counts, strict=True):
            missed |= show(name, count)
    raise SystemExit(missed)


def show(name: str, count: Count) -> bool:
    """Print a line and return whether a goal was missed."""
    judged = name != "naive retry"
    verdict = ("met" if count.good else "MISSED") if judged else "-"
    numbers = f"{count.struck:7} {count.resets:7} {count.doubled:8} {count.lost:6} {count.unknown:8}"
    print(f"{count.chance:7.0%} {name:16} {numbers} {count.seconds:6.1f}  {verdict}", flush=True)
    return judged and not count.good


def naive(chance: float, seed: int) -> Count:
    """Return what a naive retry does."""
    injector = Injector(seed, delay=2.5 * TIMEOUT)
    with world_of(seed) as world, served(NaiveBoard(world), injector) as address:
        wire = SerialWire(address)
        wire.open()
        host = NaiveHost(wire)
        arm(injector, chance, ())
        begun = time.monotonic()
        fates = np.array([host.pulse(train) for train in trains(world)], dtype=np.uint8)
        wire.close()
        return counted("naive", chance, world, injector, fates, begun)


def rramlab(chance: float, seed: int, resets: bool) -> Count:
    """Return what the rramlab board protocol does, with its own driver."""
    injector = Injector(seed, delay=2.5 * TIMEOUT)
    with world_of(seed) as world, served(VirtualBoard(world, injector), injector) as address:
        host = RramlabBoard(BoardSpec(use="rramlab-board", port=address, timeout=TIMEOUT, retries=RETRIES))
        host.open()
        host.begin(Limits(), lambda what, facts: None)
        arm(injector, chance, RESETS if resets else ())
        begun = time.monotonic()
        fates = [fate(host, train, number) for number, train in enumerate(trains(world), 1)]
        host.close()
        return counted("rramlab", chance, world, injector, np.concatenate(fates), begun)


@contextmanager
def served(machine: Machine, injector: Injector) -> Iterator[str]:
    """Yield the path of a pseudo-terminal on which a machine answers."""
    with (
        tempfile.TemporaryDirectory() as folder,
        TerminalPort(Plug(machine, injector), Path(folder) / "board") as port,
    ):
        yield port.address


def fate(host: RramlabBoard, train: PulseTrain, number: int) -> Deliveries:
    """Return what became of a pulse; a host that gives up does not know."""
    try:
        return host.pulse(train, number)
    except RramlabError as error:
        print(f"pulse {number}: {error}")
        return np.array([Delivery.UNKNOWN], dtype=np.uint8)


def world_of(seed: int) -> World:
    return World(Options(macros=3), seed=seed)


def trains(world: World) -> list[PulseTrain]:
    """Return one pulse for each of the first cells."""
    cells = Cells.of_shape(world.shape)
    return [PulseTrain.of(cells.take(np.array([i])), PULSE) for i in range(PULSES)]


def arm(injector: Injector, chance: float, resets: tuple[Fault, ...]) -> None:
    for fault in MESSAGES if chance else ():
        injector.set(fault, When.probability(chance))
    for fault in resets:
        injector.set(fault, When.probability(RESET_CHANCE / len(resets)))


def counted(
    name: str, chance: float, world: World, injector: Injector, fates: Deliveries, begun: float
) -> Count:
    seen = world.pulses_seen.ravel()[:PULSES]
    struck = sum(injector.struck[fault] for fault in MESSAGES)
    resets = sum(injector.struck[fault] for fault in RESETS)
    told = np.where(fates == Delivery.APPLIED, 1, 0)
    lost = (fates != Delivery.UNKNOWN) & ((seen == 0) | (told == 0))
    numbers = (seen > 1).sum(), lost.sum(), (fates == Delivery.UNKNOWN).sum()
    return Count(name, chance, struck, resets, *map(int, numbers), time.monotonic() - begun)


if __name__ == "__main__":
    main()
