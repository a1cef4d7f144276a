"""Make the file of a run from its journal."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rramlab.contents import Contents, contents_of
from rramlab.disk import clear_errors, write_aside
from rramlab.errors import RunError
from rramlab.hdf5 import image, read_through
from rramlab.recorder import Event


def write_file(path: Path, events: Sequence[Event]) -> Contents:
    """Put the HDF5 file of these events into place, read it back, and return what it says."""
    contents = contents_of(events)
    content = image(contents)
    with clear_errors(path.parent):
        write_aside(path, content)
        same = path.read_bytes() == content
    if not same or read_through(path) != len(events):
        raise RunError(f"'{path}' reads back other than it was written: check the disk; the journal is kept")
    return contents


def remove_journal(journal: Path) -> None:
    """Remove a closed journal and what belongs to it; a file that is in use stays and does no harm."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            journal.with_name(journal.name + suffix).unlink()
    with suppress(OSError):
        journal.with_suffix(".lock").unlink()
