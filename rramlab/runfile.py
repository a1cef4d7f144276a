"""Read a run: the finished file, or the journal of one that is unfinished."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, final

from rramlab.contents import Contents, Kept, contents_of
from rramlab.errors import RunError, did_you_mean
from rramlab.events import has_events, read_events
from rramlab.hdf5 import read
from rramlab.provenance import Start
from rramlab.tables import Table

FILE, JOURNAL, LOCK = "run.h5", "run.journal", "run.lock"
MEMORY = "memory"


@final
class RunFile:
    """Show a run, finished or not: attributes, tables as dicts of arrays, and kept results."""

    def __init__(self, path: Path, contents: Contents) -> None:
        self.path = path
        self.contents = contents

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Return the run in a folder (or the one a run.h5 or run.journal belongs to).

        A journal that is there is newer than the file beside it, so it is asked first.
        """
        folder = run_folder(Path(path))
        try:
            if has_events(folder / JOURNAL):
                return cls(folder, contents_of(read_events(folder / JOURNAL)))
        except RunError:
            # Damaged, or removed this moment because its file is finished.
            if not (folder / FILE).exists():
                raise
        if not (folder / FILE).exists():
            raise RunError(f"nothing was recorded in run '{folder}'; start it anew under the same name")
        return cls(folder, read(folder / FILE))

    @property
    def start(self) -> Start:
        """Return what the run was started with."""
        return Start.from_facts(self.contents.start)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Return complete, exit_status, n_events, open_requests, sessions, began, ended (s since epoch)."""
        return self.contents.attributes

    @property
    def complete(self) -> bool:
        """Tell whether the command came to its end."""
        return bool(self.attributes["complete"])

    @property
    def tables(self) -> Mapping[str, Table]:
        """Return pulses, reads, sweeps, waits, multiplies, solves and notes as columns (SI)."""
        return self.contents.tables

    @property
    def kept(self) -> Mapping[str, Kept]:
        """Return the results that the protocol kept by name, with units and facts."""
        return self.contents.kept

    def arrays(self, table: str, number: int) -> Table:
        """Return the arrays of one request ("solves", "multiplies") or note, such as its waveforms."""
        return self.contents.arrays[table][number]

    def memory(self) -> Table:
        """Return the macro as the run left it, for `Backend.restore`; RunError if it kept none."""
        if MEMORY not in self.kept:
            raise RunError(
                f"run '{self.path}' kept no macro to go on with; name a run that ended on a simulated bench"
            )
        return dict(self.kept[MEMORY].columns)


def run_folder(path: Path) -> Path:
    """Return the folder of a run that exists; RunError names the nearest one otherwise."""
    folder = path.parent if path.is_file() and path.name in (FILE, JOURNAL) else path
    if folder.is_dir() and ((folder / JOURNAL).exists() or (folder / FILE).exists()):
        return folder
    beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
    runs = sorted(p.name for p in beside if (p / JOURNAL).exists() or (p / FILE).exists())
    hint = did_you_mean(folder.name, runs) if runs else "there is no run beside it either"
    raise RunError(f"there is no run in '{folder}'; {hint}")
