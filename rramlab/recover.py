"""Make the file of a run that was cut off, and save what is readable of a damaged journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from rramlab.contents import SALVAGED
from rramlab.errors import RunError
from rramlab.events import read_events
from rramlab.finish import remove_journal, write_file
from rramlab.lock import WriterLock
from rramlab.recorder import Event
from rramlab.runfile import FILE, JOURNAL, LOCK, RunFile, run_folder
from rramlab.salvage import salvage


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
        if self.lost:
            state = f"damaged, the journal is kept as it is; lost: {'; '.join(self.lost)}"
        return f"{self.file}: {self.events} events, {self.open_requests} without an answer; {state}"


def recover(path: Path | str) -> Recovery:
    """Make the HDF5 file of a run from its journal; may be repeated, and never removes a damaged journal."""
    folder = run_folder(Path(path))
    if not (folder / JOURNAL).exists():
        return _summary(folder, RunFile.open(folder).attributes, ())
    lock = WriterLock(folder / LOCK)
    try:
        events, lost = _events(folder / JOURNAL)
        told = [_told(events[-1], lost)] if lost else []
        contents = write_file(folder / FILE, events + told)
        if contents.attributes["complete"] and not lost:
            remove_journal(folder / JOURNAL)
    finally:
        lock.release()
    return _summary(folder, contents.attributes, lost)


def _events(journal: Path) -> tuple[list[Event], tuple[str, ...]]:
    try:
        return read_events(journal), ()
    except RunError:
        return salvage(journal)


def _told(last: Event, lost: tuple[str, ...]) -> Event:
    """Return the note by which the file itself says what it lacks."""
    return Event("note", SALVAGED, last.number, last.bench_time, last.wall_time, {"why": "; ".join(lost)}, {})


def _summary(folder: Path, attributes: Mapping[str, Any], lost: tuple[str, ...]) -> Recovery:
    return Recovery(
        file=folder / FILE,
        events=int(attributes["n_events"]) - bool(lost),
        open_requests=int(attributes["open_requests"]),
        complete=bool(attributes["complete"]),
        lost=lost,
    )
