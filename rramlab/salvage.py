"""Save what is readable of a damaged journal, without touching it."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from rramlab.errors import RunError
from rramlab.events import FIELDS, copy_journal, event_of
from rramlab.recorder import Event

# A gap as long as this is taken for the end.
_LONGEST_GAP = 10_000


def salvage(journal: Path) -> tuple[list[Event], tuple[str, ...]]:
    """Return the events that can still be read and a sentence part for each loss; RunError if there are none.

    It works in a copy: SQLite would fold the log into the damaged original.
    """
    with TemporaryDirectory() as elsewhere:
        found = _one_by_one(copy_journal(journal, Path(elsewhere)))
    if not found:
        raise RunError(
            f"nothing can be read of '{journal}'; it is left as it is. "
            f"Try on a copy of it: sqlite3 COPY .recover"
        )
    return list(found.values()), tuple(_losses(found))


def _one_by_one(journal: Path) -> dict[int, Event]:
    """Return the readable events by their place in the journal: a broken page hides only what is on it."""
    found: dict[int, Event] = {}
    last, place = 0, 0
    with closing(sqlite3.connect(journal)) as connection:
        # Otherwise SQLite reads nothing of a file that is shorter than its head says.
        connection.execute("PRAGMA writable_schema = ON")
        while place - last < _LONGEST_GAP:
            place += 1
            event = _event_at(connection, place)
            if event is not None:
                found[place] = event
                last = place
    return found


def _event_at(connection: sqlite3.Connection, place: int) -> Event | None:
    try:
        row = connection.execute(f"SELECT {FIELDS} FROM event WHERE seq = ?", (place,)).fetchone()
        return None if row is None else event_of(row)
    except (sqlite3.Error, ValueError):
        return None


def _losses(found: dict[int, Event]) -> list[str]:
    places = [0, *found]
    gaps = [(a + 1, b - 1) for a, b in itertools.pairwise(places) if b > a + 1]
    told = [f"events {a} to {b}" if b > a else f"event {a}" for a, b in gaps]
    asked, answered = _numbers(found, "request"), _numbers(found, "result")
    if answered - asked:
        told.append(f"the requests of {len(answered - asked)} answers, which are left out of the tables")
    return [*told, f"whatever came after event {places[-1]}"]


def _numbers(found: dict[int, Event], stage: str) -> set[int]:
    return {event.number for event in found.values() if event.stage == stage}
