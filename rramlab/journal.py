"""Keep every request and every answer of a run for good, at the moment it is made."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, final

from rramlab.disk import clear_errors, sync_folder
from rramlab.errors import RunError
from rramlab.events import FIELDS, event_of, events_in, has_events, row_of
from rramlab.lock import WriterLock
from rramlab.recorder import Columns, Event, Facts, Recorder

VERSION = 1
# A number is requested once and answered once; a note carries the number of the last request.
_SCHEMA = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    stage TEXT NOT NULL CHECK (stage IN ('request', 'result', 'note')),
    verb TEXT NOT NULL,
    number INTEGER NOT NULL,
    bench_time REAL,
    wall_time REAL NOT NULL,
    facts TEXT NOT NULL,
    columns BLOB NOT NULL,
    crc INTEGER NOT NULL
)"""
_ONCE = "CREATE UNIQUE INDEX once ON event (number, stage) WHERE stage <> 'note'"
_INSERT = f"INSERT INTO event ({FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_NOTES = f"SELECT {FIELDS} FROM event WHERE stage = 'note' AND verb = ? ORDER BY seq DESC LIMIT 1"
_UNANSWERED = f"""
SELECT {FIELDS} FROM event AS asked WHERE stage = 'request' AND NOT EXISTS
(SELECT 1 FROM event WHERE stage = 'result' AND number = asked.number) ORDER BY seq"""


@final
class Journal(Recorder):
    """Write events into a SQLite database (WAL, synchronous=FULL); each is on the disk when its call returns.

    One process writes, others may read meanwhile. Each event is one statement in autocommit, so that Ctrl-C
    leaves it written or not, never half.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.bench_time = 0.0
        self.closed = False
        self._connection = connection
        self._held = ExitStack()
        self._number: int
        with clear_errors(path.parent):
            self._number = connection.execute("SELECT coalesce(max(number), 0) FROM event").fetchone()[0]
        self._open = {event.number: event.verb for event in self.open_requests()}

    @classmethod
    def create(cls, path: Path, facts: Facts, notes: Sequence[tuple[str, Facts, Columns]] = ()) -> Self:
        """Make a journal whose first event is the note 'start' with these facts; `notes` stand behind it.

        All of them are there or none, whenever the process is killed.
        """
        with ExitStack() as held:
            connection = _hold(path, held)
            if has_events(path):
                raise RunError(f"'{path}' exists already; continue it with --resume {path.parent}")
            with clear_errors(path.parent):
                _write_start(
                    connection,
                    [row_of("note", verb, 0, 0.0, *told) for verb, *told in [("start", facts, {}), *notes]],
                )
                sync_folder(path.parent)
            return cls(path, connection)._keeping(held)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a journal to go on writing it; the numbers continue."""
        with ExitStack() as held:
            connection = _hold(path, held)
            _check_version(path, connection)
            return cls(path, connection)._keeping(held)

    # The recorder.

    def request(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> int:
        """Keep what is about to be asked and return its number."""
        # Counted first: the number of a request whose writing was interrupted is left out, never given again.
        self._number += 1
        number = self._number
        self._keep("request", verb, number, bench_time, facts, columns)
        self._open[number] = verb
        return number

    def result(self, number: int, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep the answer to an open request."""
        if self._open.get(number) != verb:
            raise RunError(f"result {number} of '{verb}' answers no open request; each is answered once")
        self._keep("result", verb, number, bench_time, facts, columns)
        del self._open[number]

    def note(self, verb: str, bench_time: float, facts: Facts, columns: Columns) -> None:
        """Keep a decision, such as a resume point."""
        self._keep("note", verb, self._number, bench_time, facts, columns)

    # Reading back.

    @property
    def number(self) -> int:
        """Return the number of the last request, 0 before the first."""
        return self._number

    def events(self) -> Iterator[Event]:
        """Return all events in order."""
        with clear_errors(self.path.parent):
            yield from events_in(self._connection)

    def last_note(self, verb: str) -> Event | None:
        """Return the last note of a kind, or None."""
        rows = self._rows(_NOTES, (verb,))
        return event_of(rows[0]) if rows else None

    def open_requests(self) -> list[Event]:
        """Return the requests without an answer: what an earlier process may or may not have done."""
        return [event_of(row) for row in self._rows(_UNANSWERED)]

    def close(self) -> None:
        """Bring everything into one file and let another process write."""
        self.closed = True
        self._held.close()

    def _keeping(self, held: ExitStack) -> Self:
        self._held = held.pop_all()
        return self

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with clear_errors(self.path.parent):
            return self._connection.execute(query, values).fetchall()

    def _keep(self, stage: str, verb: str, number: int, time: float, facts: Facts, columns: Columns) -> None:
        row = row_of(stage, verb, number, time, facts, columns)
        with clear_errors(self.path.parent):
            self._connection.execute(_INSERT, row)
        self.bench_time = time


def _hold(path: Path, held: ExitStack) -> sqlite3.Connection:
    lock = WriterLock(path.with_suffix(".lock"))
    held.callback(lock.release)
    with clear_errors(path.parent):
        # A reader that opens the file can hold it for a moment.
        connection = sqlite3.connect(path, timeout=30.0, isolation_level=None)
        held.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # Without it macOS hands a commit to the disk's own cache only; other systems do not know it.
        connection.execute("PRAGMA fullfsync = ON")
    return connection


def _write_start(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in (_SCHEMA, _ONCE, f"PRAGMA user_version = {VERSION}"):
        connection.execute(statement)
    connection.executemany(_INSERT, rows)
    connection.execute("COMMIT")


def _check_version(path: Path, connection: sqlite3.Connection) -> None:
    with clear_errors(path.parent):
        found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != VERSION:
        raise RunError(
            f"'{path}' is a journal of version {found} and this rramlab writes version {VERSION}; "
            f"continue it with the rramlab that began it"
        )
