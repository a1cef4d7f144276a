"""Write files that survive a crash, and say in one sentence why a disk refuses."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rramlab.errors import RunError

MINIMUM_FREE = 64 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check_room(folder: Path, estimate: int, minimum: int = MINIMUM_FREE) -> None:
    """Refuse a run on a disk with less room than its estimate (bytes) and the minimum (bytes)."""
    free, needed = shutil.disk_usage(folder).free, max(estimate, minimum)
    if free < needed:
        raise RunError(
            f"the disk is nearly full: {free / 1e6:.1f} MB are free in '{folder}' and this run needs "
            f"{needed / 1e6:.1f} MB; free some space, or put the run on another disk"
        )


@contextmanager
def clear_errors(folder: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system say about this run folder into a `RunError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise RunError(_database_sentence(folder, error)) from error
    except OSError as error:
        raise RunError(_system_sentence(folder, error)) from error


def write_aside(path: Path, content: bytes) -> None:
    """Put a file into place as a whole or not at all: written as '.part', fsync, renamed, fsync of folder."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can open a folder (Windows cannot)."""
    with suppress(PermissionError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _database_sentence(folder: Path, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
        return _full(folder, error)
    if name.startswith("SQLITE_BUSY"):
        return f"run '{folder}' is being written by another process ({error}); wait for it, or stop it"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return _readonly(folder, error)
    if isinstance(error, sqlite3.DataError):
        return f"one event of run '{folder}' is too large to be recorded ({error}); ask for less at a time"
    if isinstance(error, sqlite3.IntegrityError):
        return (
            f"an event of run '{folder}' was about to be recorded twice ({error}); please report this fault"
        )
    if isinstance(error, sqlite3.ProgrammingError):
        return f"run '{folder}' is closed ({error}); nothing more can be written into it"
    return f"the journal of run '{folder}' is damaged ({error}); save what is left: rramlab recover {folder}"


def _system_sentence(folder: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return _full(folder, error)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _readonly(folder, error)
    return f"run '{folder}' cannot be written ({error}); check name and disk, or choose another folder"


def _full(folder: Path, error: Exception) -> str:
    return (
        f"the disk is full or refuses to write in '{folder}' ({error}); nothing acknowledged is lost. "
        f"Free some space, then continue with --resume {folder}"
    )


def _readonly(folder: Path, error: Exception) -> str:
    return (
        f"the folder '{folder}' cannot be written ({error}); "
        f"choose a folder of your own, or change its permissions"
    )
