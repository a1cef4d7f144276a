"""Serve an instrument to hosts: what a socket and a pseudo-terminal have in common."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, final

from rramlab.clock import HostClock
from sim_backend.virtual.clock import RealClock, WorldClock
from sim_backend.virtual.faults import Fault, Injector
from sim_backend.virtual.faulty import FaultyConversation
from sim_backend.virtual.machine import Machine
from sim_backend.virtual.pace import Outbox, Pace

TICK = 0.05
"""Longest time for which a serving thread does not look whether it should end (s)."""


@final
@dataclass(frozen=True)
class Plug:
    """Hold what stands behind a port: machine, faults, and the speed (bit/s, 0 endless) of its line."""

    machine: Machine
    injector: Injector = field(default_factory=Injector)
    baud: int = 0
    clock: WorldClock = field(default_factory=RealClock)


class Stream(ABC):
    """Move bytes to and from one connected host; `Gone` is raised where it is not connected any more."""

    @abstractmethod
    def receive(self, timeout: float) -> bytes:
        """Return bytes that came within `timeout` (s), or none."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send bytes; what nobody takes within a second is dropped."""


@final
class Gone(Exception):
    """Say that the host has left."""


class Port(ABC):
    """Serve one machine; a context manager that starts its threads and joins them."""

    def __init__(self, plug: Plug) -> None:
        self.plug = plug
        self.stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    @abstractmethod
    def address(self) -> str:
        """Return what a host opens."""

    @abstractmethod
    def open(self) -> None:
        """Open the port and begin to serve."""

    @abstractmethod
    def shut(self) -> None:
        """Close what was opened; threads end soon after."""

    @abstractmethod
    def refuse(self, refused: bool) -> None:
        """Refuse new connections, or take them again; those that are open stay."""

    @abstractmethod
    def unplug(self) -> None:
        """Pull the plug: what is open breaks, and nothing can be opened."""

    @abstractmethod
    def replug(self, renamed: bool = False) -> None:
        """Plug in again, under the same address or under another one."""

    @final
    def __enter__(self) -> Self:
        self.open()
        self.plug.injector.watch(self._heed)
        self._heed()
        return self

    @final
    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        self.shut()
        for thread in self._threads:
            thread.join(timeout=5.0)

    @final
    def spawn(self, target: Callable[..., None], *args: Any) -> None:
        """Run a part of the work in a thread of its own."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=target, args=args, daemon=True))
        self._threads[-1].start()

    @final
    def converse(self, stream: Stream) -> Fault | None:
        """Talk with one host until it leaves (None), or until a fault ends the link."""
        talk = FaultyConversation(self.plug.machine, self.plug.injector, HostClock())
        outbox = Outbox(Pace(self.plug.baud, self.plug.clock))
        inward = Pace(self.plug.baud, self.plug.clock)
        try:
            while not self.stopped.is_set() and talk.broken is None:
                self._exchange(stream, talk, inward, outbox)
        except Gone:
            return None
        finally:
            talk.close()
        return talk.broken

    @final
    def suffer(self, broken: Fault) -> None:
        """Carry out a fault that ended the link, in the thread that served it."""
        if broken in (Fault.UNPLUG, Fault.REPLUG, Fault.RENAME):
            self.unplug()
        if broken in (Fault.REPLUG, Fault.RENAME) and not self.stopped.wait(self.plug.injector.delay):
            self.replug(renamed=broken is Fault.RENAME)

    def _heed(self) -> None:
        if not self.stopped.is_set():
            self.refuse(self.plug.injector.armed(Fault.REFUSE))

    def _exchange(self, stream: Stream, talk: FaultyConversation, inward: Pace, outbox: Outbox) -> None:
        if not talk.reads:
            self.stopped.wait(TICK)
            return
        data = stream.receive(min(TICK, talk.wake(), outbox.wake()))
        inward.spend(len(data))
        for reply in talk.feed(data) if data else talk.poll():
            outbox.put(reply)
        passed = outbox.due()
        if passed:
            stream.send(passed)
