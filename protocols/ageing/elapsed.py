"""Count the time since a measurement began, over sleeping computers, moved clocks and restarts."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, final

from protocols.ageing.clocks import HostTimes, Moment
from rramlab.backend import Backend


@final
class Source(StrEnum):
    """Name the clock that told how much time went by."""

    BENCH = "bench time"
    HOST = "clock of the computer since its start"
    WALL = "wall time"
    SAID = "said by the person"
    UNKNOWN = "unknown: the wall clock went back, so that this is the least it can be"


_STILL, _SLOW = 60.0, 0.01
"""A bench clock that falls behind the computer by more than this (s, and part of the time) stood still."""


def passed_within(before: Moment, now: Moment) -> tuple[float, Source]:
    """Return the time (s) between two moments of one process.

    It is bench time, unless that stood still or began anew: a computer that slept, a board that was reset.
    """
    bench, host = now.bench - before.bench, now.steady - before.steady
    if bench < 0 or host - bench > max(_STILL, _SLOW * host):
        return max(host, 0.0), Source.HOST
    return bench, Source.BENCH


def passed_between(before: Moment, now: Moment) -> tuple[float, Source]:
    """Return the time (s) between moments of two processes, and the clock that told it.

    A clock of the bench may have begun anew in between. The steady clock of the computer is right when the
    computer was not restarted, wall time otherwise; bench time when it says more than either, as virtual
    time does, and also when the wall clock was put back.
    """
    bench, wall = now.bench - before.bench, now.wall - before.wall
    same_start = bool(now.boot) and now.boot == before.boot
    host, source = (now.steady - before.steady, Source.HOST) if same_start else (wall, Source.WALL)
    if bench > 0 and bench > host + max(1.0, _SLOW * host):
        return bench, Source.BENCH
    return (host, source) if host >= 0 else (max(bench, 0.0), Source.UNKNOWN)


@final
class Stopwatch:
    """Count the seconds since a zero; `back` is when it last came back from a time in which nothing ran."""

    def __init__(self, backend: Backend, host: HostTimes, elapsed: float = 0.0) -> None:
        self._backend, self._host = backend, host
        self._last = Moment.of(backend.now(), host)
        self.elapsed, self.back = elapsed, 0.0
        self.source = Source.BENCH

    @classmethod
    def resumed(
        cls, backend: Backend, host: HostTimes, facts: Mapping[str, Any], away: float | None = None
    ) -> "Stopwatch":
        """Return the stopwatch of an earlier process, as its last note left it; `away` (s) overrules clocks.

        A simulated macro lives in bench time only: while no process runs, none passes.
        """
        before, now = Moment.from_facts(facts), Moment.of(backend.now(), host)
        gone, source = passed_between(before, now)
        if backend.forgets:
            gone, source = max(now.bench - before.bench, 0.0), Source.BENCH
        if away is not None:
            gone, source = away, Source.SAID
        watch = cls(backend, host, facts["elapsed"] + gone)
        watch.source, watch.back = source, 0.0 if backend.forgets else watch.elapsed
        return watch

    def read(self) -> float:
        """Return the seconds since the zero."""
        now = Moment.of(self._backend.now(), self._host)
        gone, source = passed_within(self._last, now)
        if self._backend.forgets:
            gone, source = now.bench - self._last.bench, Source.BENCH
        self.elapsed += gone
        if source is not Source.BENCH:
            self.back, self.source = self.elapsed, source
        self._last = now
        return self.elapsed

    def facts(self) -> dict[str, Any]:
        """Return what a later process needs to go on counting."""
        return {"elapsed": self.elapsed, "source": str(self.source), **self._last.facts()}
