"""Bear a bench that does not answer and a disk that is full: try again, as long as was agreed."""

import errno
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, final

from protocols.ageing.clocks import HostTimes
from protocols.ageing.durations import format_duration
from rramlab.disk import MINIMUM_FREE
from rramlab.errors import BenchBusy, LinkError, RramlabError, RunError
from rramlab.terminal import Terminal

PAUSE = 60.0
"""Time (s) between two tries."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
Result = TypeVar("Result")


@final
class Patience:
    """Try a piece of work again after troubles that pass, until they last for `longest` (s).

    Nothing is borne before it is `armed`: what fails at the beginning is told at once.
    """

    def __init__(self, terminal: Terminal, host: HostTimes, longest: float, folder: Path) -> None:
        self._terminal, self._host = terminal, host
        self._longest, self._folder = longest, folder
        self._since: float | None = None
        self.armed = False

    def progressed(self) -> None:
        """Take in that something was measured: from here on patience is whole again."""
        self._since = None

    def bear(self, work: Callable[[], Result]) -> Result:
        """Return what the work returns, in the end."""
        while True:
            try:
                return work()
            except RramlabError as error:
                if not self._is_worth_it(error):
                    raise
                self._tell(error)
            self._host.pause(min(PAUSE, max(self._longest, 1e-3)))

    def _is_worth_it(self, error: RramlabError) -> bool:
        if not self.armed or not (isinstance(error, LinkError | BenchBusy) or self._is_full(error)):
            return False
        now = self._host.steady()
        self._since = now if self._since is None else min(self._since, now)
        return now - self._since < self._longest

    def _is_full(self, error: RramlabError) -> bool:
        if not isinstance(error, RunError):
            return False
        cause = error.__cause__
        if isinstance(cause, sqlite3.Error):
            name = getattr(cause, "sqlite_errorname", "") or ""
            return name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR")
        if isinstance(cause, OSError):
            return cause.errno in _FULL
        return self._folder.exists() and shutil.disk_usage(self._folder).free < MINIMUM_FREE

    def _tell(self, error: RramlabError) -> None:
        self._terminal.error(str(error))
        self._terminal.hint(
            f"the measurement waits and tries again every {format_duration(PAUSE)}, "
            f"for at most {format_duration(self._longest)}"
        )
