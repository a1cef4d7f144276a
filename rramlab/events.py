"""Turn events into rows of a journal and back, and read the journal of a run that may be live or killed."""

import json
import math
import shutil
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rramlab.disk import clear_errors
from rramlab.errors import RunError
from rramlab.packing import pack, unpack
from rramlab.recorder import Columns, Event, Facts

Row = tuple[Any, ...]
FIELDS = "stage, verb, number, bench_time, wall_time, facts, columns, crc"
# A request and its result can be large, so that few are held at a time.
_CHUNK = 64


def row_of(stage: str, verb: str, number: int, bench_time: float, facts: Facts, columns: Columns) -> Row:
    """Return the values of `FIELDS` for an event of now; a time that is not a number becomes NULL."""
    text = json.dumps(dict(facts), default=_plain, separators=(",", ":"))
    moment = None if math.isnan(bench_time) else float(bench_time)
    values = stage, verb, int(number), moment, time.time(), text, pack(columns)
    return (*values, _check(values))


def event_of(row: Row) -> Event:
    """Return the event of a row; raise ValueError if its bytes are not those that were written."""
    stage, verb, number, bench_time, wall_time, facts, blob, check = row
    if not isinstance(blob, bytes) or _check(row[:-1]) != check:
        raise ValueError(f"event {number} ({stage} of {verb}) fails its check")
    moment = math.nan if bench_time is None else bench_time
    return Event(stage, verb, number, moment, wall_time, json.loads(facts), unpack(blob))


def events_in(connection: sqlite3.Connection) -> Iterator[Event]:
    """Return all events in order, in chunks, so that no long read keeps the log from being folded in."""
    query, last = f"SELECT seq, {FIELDS} FROM event WHERE seq > ? ORDER BY seq LIMIT {_CHUNK}", 0
    while rows := connection.execute(query, (last,)).fetchall():
        last = rows[-1][0]
        yield from (event_of(row[1:]) for row in rows)


def has_events(path: Path) -> bool:
    """Tell whether a journal is there and anything was recorded in it."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with clear_errors(path.parent), looking_at(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        return ("event",) in tables and connection.execute("SELECT 1 FROM event").fetchone() is not None


def read_events(path: Path) -> list[Event]:
    """Return the events that a journal holds now, also while another process writes it."""
    with clear_errors(path.parent), looking_at(path) as connection:
        try:
            return list(events_in(connection))
        except ValueError as error:
            raise RunError(f"'{path}' is damaged ({error}); try: rramlab recover {path.parent}") from error


@contextmanager
def looking_at(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal for reading only; a copy of it where its folder cannot be written.

    SQLite keeps an index of the log beside the log, and makes it even for a reader.
    """
    with TemporaryDirectory() as elsewhere:
        try:
            connection = _open(path)
        except sqlite3.OperationalError:
            connection = _open(copy_journal(path, Path(elsewhere)))
        with closing(connection):
            yield connection


def copy_journal(path: Path, folder: Path) -> Path:
    """Copy a journal and its log into a folder and return the path of the copy."""
    for file in (path, path.with_name(path.name + "-wal")):
        if file.exists():
            shutil.copyfile(file, folder / file.name)
    return folder / path.name


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10.0)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check(values: Row) -> int:
    # SQLite checks the pages of its log but not those of the database, so each event has a check of its own.
    *head, blob = values
    return zlib.crc32(blob, zlib.crc32(repr(head).encode()))


def _plain(value: Any) -> Any:
    # Numbers and arrays of numpy, paths and enumerations are told by what they print as plain JSON.
    return value.tolist() if hasattr(value, "tolist") else str(value)
