"""Write down what is asked of a bench and what it answers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

Facts = Mapping[str, Any]
Columns = Mapping[str, NDArray[Any]]


@final
@dataclass(frozen=True, eq=False)
class Event:
    """Hold one line of a record: request, result or note, with its facts (JSON) and columns (arrays).

    `number` counts requests and joins a result to its request; a note carries the number of the last request.
    `bench_time` is the time of the bench (s), `wall_time` the seconds since the epoch.
    """

    stage: str
    verb: str
    number: int
    bench_time: float
    wall_time: float
    facts: Facts
    columns: Columns


class Recorder(ABC):
    """Keep events in order; a request is kept for good before `request` returns."""

    @abstractmethod
    def request(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> int:
        """Keep what is about to be asked and return its number, which is never given twice."""

    @abstractmethod
    def result(self, number: int, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep the answer to a request."""

    @abstractmethod
    def note(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep a decision of a protocol, such as a resume point."""


@final
class NullRecorder(Recorder):
    """Count requests and keep nothing; for simulations too large to be written down."""

    def __init__(self) -> None:
        self._number = 0

    def request(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> int:
        """Return the next number."""
        self._number += 1
        return self._number

    def result(self, number: int, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep nothing."""

    def note(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep nothing."""


@final
class MemoryRecorder(Recorder):
    """Keep events in a list; for tests and for looking at what a protocol does."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._number = 0

    def request(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> int:
        """Keep a request and return its number."""
        self._number += 1
        self._keep("request", verb, self._number, bench_time, facts, columns)
        return self._number

    def result(self, number: int, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep a result."""
        self._keep("result", verb, number, bench_time, facts, columns)

    def note(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep a note."""
        self._keep("note", verb, self._number, bench_time, facts, columns)

    def _keep(
        self, stage: str, verb: str, number: int, bench_time: float, facts: Facts, columns: Columns
    ) -> None:
        kept = {name: np.array(column) for name, column in columns.items()}
        self.events.append(Event(stage, verb, number, bench_time, 0.0, dict(facts), kept))
