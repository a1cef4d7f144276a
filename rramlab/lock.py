"""Let one process at a time write a run."""

import sqlite3
from pathlib import Path
from typing import final

from rramlab.disk import clear_errors
from rramlab.errors import RunError


@final
class WriterLock:
    """Hold a run for this process; the operating system frees it when the process dies, however it dies.

    The lock is an open exclusive transaction on an empty database: SQLite knows how each system locks files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with clear_errors(path.parent):
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            with clear_errors(path.parent):
                self._take()
        except RunError:
            self._connection.close()
            raise

    def _take(self) -> None:
        try:
            # Nothing is ever written into this database, so it needs no rollback file beside it.
            self._connection.execute("PRAGMA journal_mode = MEMORY")
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise RunError(
                f"run '{self.path.parent}' is being written by another process; wait for it, or stop it "
                f"(look at it meanwhile with: rramlab show {self.path.parent})"
            ) from error

    def release(self) -> None:
        """Let another process write."""
        self._connection.close()
