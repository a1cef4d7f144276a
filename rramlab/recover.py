"""Make the file of a run that was cut off, and save what is readable of a damaged journal."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

from rramlab.errors import RunError
from rramlab.events import FIELDS, copy_journal, event_of, read_events
from rramlab.finish import remove_journal, write_file
from rramlab.lock import WriterLock
from rramlab.recorder import Event
from rramlab.runfile import FILE, JOURNAL, LOCK, RunFile, run_folder

_GIVE_UP_AFTER = 10_000


@final
@dataclass(frozen=True)
class Recovery:
    """Tell what a recovery found: events saved, requests without an answer, and what is lost."""

    file: Path
    events: int
    open_requests: int
    complete: bool
    lost: tuple[str, ...] = ()

    def __str__(self) -> str:
        state = "complete" if self.complete else "unfinished: continue it with --resume"
        lost = "nothing is lost" if not self.lost else f"lost: {'; '.join(self.lost)}"
        return f"{self.file}: {self.events} events, {self.open_requests} open requests, {state}; {lost}"


def recover(path: Path | str) -> Recovery:
    """Make the HDF5 file of a run from its journal; may be repeated, and never removes a damaged journal."""
    folder = run_folder(Path(path))
    if not (folder / JOURNAL).exists():
        return _summary(folder, RunFile.open(folder).attributes, ())
    lock = WriterLock(folder / LOCK)
    try:
        events, lost = _salvaged(folder / JOURNAL)
        contents = write_file(folder / FILE, events)
        if contents.attributes["complete"] and not lost:
            remove_journal(folder / JOURNAL)
    finally:
        lock.release()
    return _summary(folder, contents.attributes, lost)


def _salvaged(journal: Path) -> tuple[list[Event], tuple[str, ...]]:
    try:
        return read_events(journal), ()
    except RunError:
        # Looked at in a copy, so that what is left of the damaged one stays as it is.
        with TemporaryDirectory() as elsewhere:
            events, missing = _one_by_one(copy_journal(journal, Path(elsewhere)))
    if not events:
        raise RunError(
            f"nothing can be read of '{journal}'; it is left as it is. A copy can be tried with: "
            f"sqlite3 {journal} .recover"
        )
    return events, missing


def _one_by_one(journal: Path) -> tuple[list[Event], tuple[str, ...]]:
    """Return the events that can be read, and a sentence for each gap in their sequence."""
    events: list[Event] = []
    gaps: list[tuple[int, int]] = []
    with closing(sqlite3.connect(journal)) as connection:
        last, place = 0, 0
        while place - last < _GIVE_UP_AFTER:
            place += 1
            event = _event_at(connection, place)
            if event is not None:
                gaps += [(last + 1, place - 1)] if place > last + 1 else []
                events.append(event)
                last = place
    told = [f"events {a} to {b}" if b > a else f"event {a}" for a, b in gaps]
    return events, (*told, f"whatever came after event {last}")


def _event_at(connection: sqlite3.Connection, place: int) -> Event | None:
    try:
        row = connection.execute(f"SELECT {FIELDS} FROM event WHERE seq = ?", (place,)).fetchone()
        return None if row is None else event_of(row)
    except (sqlite3.Error, ValueError):
        return None


def _summary(folder: Path, attributes: Mapping[str, Any], lost: tuple[str, ...]) -> Recovery:
    return Recovery(
        file=folder / FILE,
        events=int(attributes["n_events"]),
        open_requests=int(attributes["open_requests"]),
        complete=bool(attributes["complete"]),
        lost=lost,
    )
