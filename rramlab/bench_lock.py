"""Let one user at a time work on a bench, and know who it is."""

import getpass
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Self, final

from filelock import FileLock, Timeout

from rramlab.errors import BenchBusy, InputError

PLACE = "RRAMLAB_STATE"
"""Variable of the environment that names another folder for locks, logs of guardians and the like."""

PATIENCE = 0.25
"""Time (s) given to somebody who is just leaving, or who has just come and has yet to write the name."""


@final
@dataclass(frozen=True)
class Holder:
    """Say who works on a bench: process, computer, user, since when (epoch, s), on which run.

    `world` and `options` say how the outputs of the bench can be switched off by somebody else.
    """

    bench: str
    pid: int
    host: str
    user: str
    since: float
    run: str = ""
    world: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def here(cls, bench: str, run: str, world: str, options: Mapping[str, Any]) -> Self:
        """Return this process as the holder of a bench."""
        return cls(bench, os.getpid(), socket.gethostname(), _user(), time.time(), run, world, options)

    def __str__(self) -> str:
        began = time.strftime("%d %b %H:%M:%S", time.localtime(self.since))
        run = f", run '{self.run}'" if self.run else ""
        return f"{self.user} has held it since {began} (process {self.pid} on {self.host}{run})"


@contextmanager
def hold(
    bench: str, run: str = "", world: str = "", options: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Hold a bench, named by its id, for this process while inside; BenchBusy if somebody else does.

    The operating system frees it when the process dies, however it dies, also while a forked child lives.
    """
    place = lock_file(bench)
    lock = FileLock(place, timeout=PATIENCE, poll_interval=0.02, thread_local=False, mode=0o666)
    try:
        lock.acquire()
    except Timeout:
        raise BenchBusy(_refusal(bench, holder_of(bench))) from None
    except OSError as error:
        raise InputError(f"the lock {place} cannot be taken ({error}); {_elsewhere()}") from None
    try:
        _write(_card(bench), Holder.here(bench, run, world, options or {}))
        yield
    finally:
        with suppress(OSError):
            _card(bench).unlink()
        lock.release()


def holder_of(bench: str) -> Holder | None:
    """Return who holds a bench, or who held it when it was killed; None if it was left in good order."""
    return _read(_card(bench))


def holders() -> list[Holder]:
    """Return who holds, or was killed while holding, any bench of this computer."""
    cards = (_read(card) for card in sorted(state_folder().glob("*.json")))
    return [holder for holder in cards if holder is not None]


def state_folder() -> Path:
    """Return the folder that all users of this computer share; it is made if there is none.

    It is one place for everybody, whatever their session: XDG_RUNTIME_DIR is each user's own, so two users
    of one bench would never meet there.
    """
    folder = Path(os.environ[PLACE]) if os.environ.get(PLACE) else _shared() / "rramlab"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # another user made it, and opened it to all
            folder.chmod(0o777)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made ({error.strerror}); {_elsewhere()}") from None
    return folder


def lock_file(bench: str) -> Path:
    """Return the file that is locked while a bench is in use."""
    # The readable part may lose signs; the digest keeps names apart that differ in them alone.
    readable = re.sub(r"[^\w.-]+", "_", bench)[:40]
    return state_folder() / f"{readable}-{sha256(bench.encode()).hexdigest()[:8]}.lock"


def _shared() -> Path:
    if os.name == "nt":
        return Path(os.environ.get("PROGRAMDATA", tempfile.gettempdir()))
    lasting = Path("/run/lock")
    # Where only root can write there, root may have made the folder for all.
    made = os.access(lasting / "rramlab", os.W_OK) or os.access(lasting, os.W_OK)
    return lasting if made else Path(tempfile.gettempdir())


def _card(bench: str) -> Path:
    # Beside the lock and not in it: Windows lets nobody read a file that is locked.
    return lock_file(bench).with_suffix(".json")


def _write(card: Path, holder: Holder) -> None:
    part = card.with_name(f"{card.name}.{os.getpid()}")
    try:
        part.write_text(json.dumps(asdict(holder), default=str), encoding="utf-8")
        part.replace(card)
    except OSError as error:
        raise InputError(f"the folder {card.parent} cannot be written ({error}); {_elsewhere()}") from None


def _read(card: Path) -> Holder | None:
    try:
        return Holder(**json.loads(card.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _refusal(bench: str, holder: Holder | None) -> str:
    who = "somebody whose name cannot be read holds it" if holder is None else str(holder)
    end = "" if holder is None else f", or end it (it makes the bench safe on its way out): kill {holder.pid}"
    return (
        f"bench '{bench}' is in use: {who}; one bench serves one user. Wait for it{end}. "
        f"Outputs can be switched off in any case: rramlab panic"
    )


def _elsewhere() -> str:
    return f"name a folder that all users of this bench can write: {PLACE}=FOLDER"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container can run under a number without a name
        return "somebody"
