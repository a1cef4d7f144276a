"""Hold the record of one run while it is written: create, continue, finish."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

from rramlab.backend import Backend
from rramlab.contents import END, IDENTITY, KEEP, RESUMED, START, STOP, Kept
from rramlab.disk import MINIMUM_FREE, check_room
from rramlab.errors import RunError
from rramlab.finish import remove_journal, write_file
from rramlab.journal import Journal
from rramlab.limits import Limits
from rramlab.packing import check_name
from rramlab.provenance import Start, process, software
from rramlab.pulse import Delivery
from rramlab.recorder import Columns, Event, Facts
from rramlab.rewind import lived
from rramlab.runfile import FILE, JOURNAL, MEMORY
from rramlab.runfolder import check_new, check_resumable, make_folder
from rramlab.units import units_of

MEMORY_AT_START = "memory_at_start"
_WORDS = {Delivery.APPLIED: "applied", Delivery.NOT_APPLIED: "not applied", Delivery.UNKNOWN: "unknown"}


@final
class Run:
    """Write one run: a folder with a journal while it goes on, and one HDF5 file when it is finished.

    Use it as a context manager around the bench: leaving it in the ordinary way finishes the run, leaving it
    by an exception notes why and keeps the journal, from which `resume` continues.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder = folder
        self.recorder = journal
        self.start = Start.from_facts(_first(journal).facts)

    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        command: str,
        seed: int,
        bench_text: str,
        limits: Limits,
        parameters: Mapping[str, Any] | None = None,
        calibration: Sequence[Facts] = (),
        given: Mapping[str, Kept] | None = None,
        argv: list[str] | None = None,
        estimate: int = 0,
        minimum_free: int = MINIMUM_FREE,
    ) -> Self:
        """Begin a run in a new folder; `parameters` are options that a resumed run must share (plain JSON).

        `given` is kept with the beginning: no run is there without it. `estimate` is how many bytes the run
        will need. RunError if the name is taken, or the folder cannot be made or written, or the disk is
        nearly full: before anything is sent to a bench.
        """
        folder = Path(folder)
        check_new(folder)
        check_room(folder.parent, estimate, minimum_free)
        make_folder(folder)
        plain = limits.model_dump(), parameters or {}, software(), process(argv), list(calibration)
        start = Start(command, seed, bench_text, *plain)
        notes = [_kept(name, kept.columns, kept.units, kept.facts) for name, kept in (given or {}).items()]
        return cls(folder, Journal.create(folder / JOURNAL, start.facts(), notes))

    @classmethod
    def resume(
        cls,
        folder: Path | str,
        *,
        command: str | None = None,
        seed: int | None = None,
        bench_text: str | None = None,
        limits: Limits | None = None,
        parameters: Mapping[str, Any] | None = None,
        argv: list[str] | None = None,
        minimum_free: int = MINIMUM_FREE,
    ) -> Self:
        """Continue a run that was cut off; what is given (not None) must be what it was started with.

        A run that was killed while its file was being written is finished here, and then refused as complete.
        """
        folder = check_resumable(Path(folder))
        check_room(folder, 0, minimum_free)
        run = cls(folder, Journal.open(folder / JOURNAL))
        try:
            run._refuse_complete()
            asked = {"command": command, "seed": seed, "bench": bench_text, "parameters": parameters}
            run._refuse_other(asked | {"limits": limits and limits.model_dump()})
            run._note(RESUMED, {"software": software(), "process": process(argv)}, {})
        except BaseException:
            run.close()
            raise
        return run

    # What is kept.

    def identify(self, identity: Mapping[str, str]) -> None:
        """Keep who answers at the bench (`Backend.identify`)."""
        self._note(IDENTITY, dict(identity), {})

    def keep(
        self,
        name: str,
        columns: Columns,
        units: Mapping[str, str] | None = None,
        facts: Facts | None = None,
    ) -> None:
        """Keep arrays of a result with the unit of each; the last of a name counts."""
        self._note(*_kept(name, columns, units or {}, facts or {}))

    def keep_memory(self, memory: Columns) -> None:
        """Keep a simulated macro (`Backend.memory`), before the first request and at the end."""
        self.keep(MEMORY if self.recorder.number else MEMORY_AT_START, memory)

    def note(self, what: str, facts: Facts | None = None, columns: Columns | None = None) -> None:
        """Keep a decision; protocols do so through `Backend.note`."""
        self._note(what, facts or {}, columns or {})

    # What is there.

    def events(self) -> Iterator[Event]:
        """Return all events in order, of all sessions."""
        return self.recorder.events()

    def last_note(self, what: str) -> Event | None:
        """Return the last note of a kind, such as a resume point, or None."""
        return self.recorder.last_note(what)

    def open_requests(self) -> list[Event]:
        """Return the requests without an answer, which the bench may or may not have done."""
        return self.recorder.open_requests()

    def revive(self, backend: Backend, *, in_parts: bool = False) -> None:
        """Bring a bench to where this run was left: the macro it started on, then all requests again.

        With `in_parts` a simulated macro goes back to the last result that was kept.
        """
        before = takewhile(lambda event: event.stage == "note", self.events())
        for event in before:
            if event.verb == KEEP and event.facts["name"] == MEMORY_AT_START:
                backend.restore(event.columns)
        backend.replay(lived(self.events()) if in_parts and backend.forgets else self.events())

    def settle(self, backend: Backend) -> Counter[str]:
        """Ask a bench what became of the trains without an answer, record it, and count pulses by delivery.

        A train that nobody remembers is recorded as unknown: its cells are read, and never pulsed blindly.
        """
        asked = self.open_requests()
        backend.settle(asked, [event for event in self.events() if event.stage == "note"])
        numbers = {event.number for event in asked if event.verb == "pulse"}
        answers = (e for e in self.events() if e.stage == "result" and e.number in numbers)
        return Counter(_WORDS[value] for e in answers for value in e.columns["delivery"].tolist())

    # The way out.

    def finalise(self) -> Path:
        """Note the end, make the HDF5 file, read it back, remove the journal; return the path of the file."""
        self._note(END, {}, {})
        return self._finish()

    def close(self) -> None:
        """Let go of the journal; the run can be resumed."""
        self.recorder.close()

    def discard(self) -> None:
        """Remove a run in which nothing was asked; its name is free again."""
        if self.recorder.number == 0:
            self.close()
            remove_journal(self.folder / JOURNAL)
            with suppress(OSError):  # somebody keeps other files there
                self.folder.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and not self.recorder.closed:
                self.finalise()
            elif error is not None:
                self._note_stop(error)
        finally:
            self.close()

    def _finish(self) -> Path:
        file = self.folder / FILE
        write_file(file, list(self.events()))
        self.close()
        remove_journal(self.folder / JOURNAL)
        return file

    def _refuse_complete(self) -> None:
        if self.last_note(END) is not None:
            self._finish()
            raise RunError(f"run '{self.folder}' is complete; look at it with: rramlab show {self.folder}")

    def _refuse_other(self, asked: Mapping[str, Any]) -> None:
        differences = self.start.differences(asked)
        if differences:
            raise RunError(
                f"run '{self.folder}' was started with {'; '.join(differences)}: "
                f"give it the same, or start a new run"
            )

    def _note_stop(self, error: BaseException) -> None:
        # A full disk or a closed run must not hide why the run stops.
        with suppress(RunError):
            self._note(STOP, {"why": f"{type(error).__name__}: {error}".rstrip(": ")}, {})

    def _note(self, verb: str, facts: Facts, columns: Columns) -> None:
        self.recorder.note(verb, self.recorder.bench_time, facts, columns)


def _kept(name: str, columns: Columns, units: Mapping[str, str], facts: Facts) -> tuple[str, Facts, Columns]:
    """Return the note by which a result is kept."""
    check_name(name, "a result")
    known = units_of({key: column.dtype for key, column in columns.items()}, units)
    return KEEP, {"name": name, "units": known, "facts": dict(facts)}, columns


def _first(journal: Journal) -> Event:
    first = next(journal.events(), None)
    if first is None or first.verb != START:
        raise RunError(f"'{journal.path}' has no beginning; save what is readable: rramlab recover")
    return first
