"""Find out what became of a train of pulses whose answer was lost, with its process or with a reset."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from drivers.board_session import PART_BITS, Place
from rramlab.board_protocol.settling import SettleReply
from rramlab.board_protocol.words import Outcome
from rramlab.pulse import Delivery
from rramlab.recorder import Event

Fates = NDArray[np.uint8]
Ask = Callable[[Place, int], SettleReply]
NOTE = "board"
"""Name of the note that says from when on which session is in use."""


@final
@dataclass(frozen=True)
class Opening:
    """Hold a note: the session that is used from now on, and its cells per batch.

    Where it opens within a train, after a reset of the board, `start` is its first id. If the id before that
    was in flight, `is_torn`: of its pulses `applied` went out, then `unknown` may have, and the rest did not.
    """

    place: Place
    cells: int
    start: int = 0
    is_torn: bool = False
    applied: int = 0
    unknown: int = 0

    def facts(self) -> dict[str, Any]:
        """Return the note as plain values."""
        torn = {"is_torn": self.is_torn, "applied": self.applied, "unknown": self.unknown}
        where = {"boot": self.place.boot, "session": self.place.session, "cells": self.cells}
        return {**where, "start": self.start, **torn}

    @classmethod
    def of(cls, note: Event) -> Self:
        """Return what a note of the record says."""
        f = note.facts
        place = Place(f["boot"], f["session"])
        return cls(place, f["cells"], f["start"], f["is_torn"], f["applied"], f["unknown"])


def fates(count: int, applied: int, unknown: int = 0) -> Fates:
    """Return the fate of `count` pulses: the first were applied, the next are unknown, the rest not."""
    fate = np.full(count, Delivery.NOT_APPLIED, dtype=np.uint8)
    fate[: applied + unknown] = Delivery.UNKNOWN
    fate[:applied] = Delivery.APPLIED
    return fate


def told(reply: SettleReply, identity: int, count: int) -> tuple[int, int]:
    """Return how many of `count` pulses of a request were applied, and how many after that are unknown."""
    match reply.outcome:
        case Outcome.EXECUTED if reply.last == identity:
            return min(reply.executed, count), 0
        case Outcome.BROKEN if reply.last == identity and reply.executed > 0:
            return min(reply.executed, count) - 1, 1
        case Outcome.BROKEN | Outcome.NEVER:
            return 0, 0
        case _:
            return 0, count


def settled(request: Event, notes: list[Event], ask: Ask) -> Fates:
    """Return the fate of each pulse of a train that the record left open.

    Parts before the one in flight went out whole, for the host goes on to the next only then.
    """
    count = int(request.columns["row"].size)
    first, resets = _openings(request.number, notes)
    if first is None:
        return fates(count, 0, count)
    parts = list(_parts(count, first.cells))
    fate = np.full(count, Delivery.UNKNOWN, dtype=np.uint8)
    at = 0
    for reset in resets:
        k = reset.start & (1 << PART_BITS) - 1
        torn = (reset.applied, reset.unknown) if reset.is_torn else None
        at = _write(fate, parts, at, k, torn)
    place = (resets or [first])[-1].place
    if at < len(parts):
        _close(fate, parts, at, request.number << PART_BITS, lambda identity: ask(place, identity))
    return fate


def _openings(number: int, notes: list[Event]) -> tuple[Opening | None, list[Opening]]:
    """Return the session in which a request began, and those that resets within it opened."""
    ours = [note for note in notes if note.verb == NOTE]
    before = [Opening.of(note) for note in ours if note.number < number]
    within = [Opening.of(note) for note in ours if note.number == number]
    return before[-1] if before else None, [o for o in within if o.start >> PART_BITS == number]


def _parts(count: int, cells: int) -> Iterator[slice]:
    for start in range(0, count, cells):
        yield slice(start, min(start + cells, count))


def _write(fate: Fates, parts: list[slice], at: int, end: int, torn: tuple[int, int] | None) -> int:
    """Write that the parts from `at` to before `end` went out whole, but for the last if it is torn."""
    for part in parts[at:end]:
        fate[part] = Delivery.APPLIED
    if torn is not None:
        last = parts[end - 1]
        fate[last] = fates(last.stop - last.start, *torn)
    return end


def _close(fate: Fates, parts: list[slice], at: int, base: int, ask: Callable[[int], SettleReply]) -> None:
    """Ask for the last part, which closes all before it, and write what is known of those from `at`."""
    end = base | len(parts) - 1
    reply = ask(end)
    if reply.outcome is Outcome.FORGOTTEN or reply.last > end:
        return
    for part in parts[at:]:
        fate[part] = Delivery.NOT_APPLIED
    if reply.last >= base | at:
        k = reply.last - base
        torn = told(ask(reply.last), reply.last, parts[k].stop - parts[k].start)
        _write(fate, parts, at, k + 1, torn)
