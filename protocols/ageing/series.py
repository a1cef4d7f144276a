"""Find the readings of a watch in the record of its run."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.ageing.clocks import Moment
from protocols.ageing.elapsed import passed_between, passed_within
from protocols.ageing.watch import ANCHORS, DUE, MISSED, ZERO
from rramlab.cells import Cells
from rramlab.contents import RESUMED
from rramlab.pulse import Columns
from rramlab.recorder import Event, Facts

FloatArray = NDArray[np.float64]

LATE = 0.05
"""A read later than this part of its time is called late; it carries its real time in any case."""


@final
class Status(IntEnum):
    """Tell what became of a read that was planned."""

    PENDING = 0
    TAKEN = 1
    LATE = 2
    GAP = 3


@final
@dataclass(frozen=True, eq=False)
class Series:
    """Hold readings (reads, cells) in S, NaN in gaps, with planned and real time (s) since the zero.

    `elapsed` is the middle of each reading, `took` its length (s); `age` (cells) is how old (s) each cell was
    at the zero: the time since its last pulse, 0 where this run gave none. `sources` are the clocks used.
    """

    cells: Cells
    planned: FloatArray
    elapsed: FloatArray
    took: FloatArray
    status: NDArray[np.uint8]
    conductance: FloatArray
    age: FloatArray
    sources: tuple[str, ...] = ()

    @property
    def done(self) -> frozenset[int]:
        """Return the reads that need not be taken any more."""
        return frozenset(np.flatnonzero(self.status != Status.PENDING).tolist())

    @property
    def taken(self) -> NDArray[np.bool_]:
        """Return which reads were taken, in time or late."""
        return np.asarray((self.status == Status.TAKEN) | (self.status == Status.LATE))

    def counts(self) -> dict[str, int]:
        """Return how many reads there are of each status."""
        return {status.name.lower(): int((self.status == status).sum()) for status in Status}

    def ages(self) -> FloatArray:
        """Return the time (s) since its last pulse of each cell at each read (reads, cells)."""
        n = max(len(self.cells), 1)
        # The cells of a request are read one after the other.
        turn = (np.arange(n) + 0.5) / n - 0.5
        return np.asarray(self.elapsed[:, None] + self.took[:, None] * turn + self.age)

    def columns(self) -> Columns:
        """Return the series as named columns for the record."""
        return {
            **self.cells.columns(),
            "age": self.age,
            "planned": self.planned,
            "elapsed": self.elapsed,
            "took": self.took,
            "status": self.status,
            "conductance": self.conductance,
        }


UNITS = {"age": "s", "planned": "s", "elapsed": "s", "took": "s", "conductance": "S"}


def series_of(events: Iterable[Event], cells: Cells, times: FloatArray, forgets: bool) -> Series:
    """Return what a run holds of a watch of these cells at these times (s)."""
    listed = list(events)
    n, shape = len(times), (len(times), len(cells))
    elapsed, took, status = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.uint8)
    found = np.full(shape, np.nan)
    for note, asked, answer in _reads(listed):
        i, length = note.facts["index"], answer.bench_time - asked.bench_time
        # A bench whose clock began anew during the read tells no length.
        took[i] = max(length, 0.0)
        elapsed[i] = note.facts["elapsed"] + took[i] / 2
        late = note.facts["elapsed"] - times[i] > LATE * times[i]
        status[i] = Status.LATE if late else Status.TAKEN
        found[i] = answer.columns["conductance"]
    for event in listed:
        if event.stage == "note" and event.verb == MISSED:
            status[event.facts["index"]] = Status.GAP
    sources = dict.fromkeys(e.facts["source"] for e in listed if e.stage == "note" and e.verb in ANCHORS)
    age = ages_at_zero(listed, cells, forgets)
    return Series(cells, np.asarray(times), elapsed, took, status, found, age, tuple(sources))


def _reads(events: list[Event]) -> list[tuple[Event, Event, Event]]:
    """Return the note, the request and the answer of each read that was answered."""
    found, note, asked = [], None, None
    for event in events:
        if event.stage == "note":
            note, asked = (event, None) if event.verb == DUE else (note, asked)
        elif note is not None and event.verb == "read":
            if event.stage == "request":
                asked = event
            elif asked is not None and event.number == asked.number:
                found.append((note, asked, event))
                note, asked = None, None
    return found


def last_anchor(events: Iterable[Event]) -> Facts | None:
    """Return what the last look at the clocks told, or None before the zero."""
    last = None
    for event in events:
        if event.stage == "note" and event.verb in ANCHORS:
            last = event.facts
    return last


def last_answer(events: Iterable[Event]) -> Moment | None:
    """Return the moment of the last answer if an earlier process heard it, or None."""
    last, before = None, None
    for event in events:
        if event.stage == "result":
            last, before = Moment(event.bench_time, event.wall_time), None
        elif event.stage == "note" and event.verb == RESUMED:
            before = last
    return before


def ages_at_zero(events: list[Event], cells: Cells, forgets: bool) -> FloatArray:
    """Return how long (s) before the zero each cell had its last pulse of this run; 0 without one."""
    pulsed: dict[tuple[int, int], tuple[int, Event]] = {}
    asked: dict[int, Columns] = {}
    process, zero = 0, None
    for event in events:
        if event.stage == "note":
            process += event.verb == RESUMED
            if event.verb == ZERO:
                zero = event
                break
        elif event.verb == "pulse" and event.stage == "request":
            asked[event.number] = event.columns
        elif event.verb == "pulse":
            columns = asked.pop(event.number)
            places = zip(columns["row"].tolist(), columns["col"].tolist(), strict=True)
            pulsed |= dict.fromkeys(places, (process, event))
    if zero is None:
        return np.zeros(len(cells))
    return np.array([_since(pulsed.get(cell), zero, process, forgets) for cell in cells])


def _since(last: tuple[int, Event] | None, zero: Event, process: int, forgets: bool) -> float:
    if last is None:
        return 0.0
    then, event = last
    before = Moment(event.bench_time, event.wall_time, event.wall_time)
    moment: dict[str, Any] = dict(zero.facts)
    now = Moment(moment["bench"], moment["wall"], moment["wall"])
    if forgets or then == process:
        return max(passed_within(before, now)[0] if not forgets else now.bench - before.bench, 0.0)
    return max(passed_between(before, now)[0], 0.0)
