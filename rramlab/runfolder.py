"""Say whether a run can be created or continued in a folder, and what to try if not."""

from contextlib import suppress
from pathlib import Path

from rramlab.disk import clear_errors, sync_folder
from rramlab.errors import RunError
from rramlab.events import has_events
from rramlab.runfile import FILE, JOURNAL, run_folder


def check_new(folder: Path) -> None:
    """Refuse a name that is taken, is a file, or whose parent folder is missing."""
    with clear_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise RunError(f"'{folder}' is a file, and a run is a folder; choose another name")
        if folder.parent.is_file():
            raise RunError(f"'{folder.parent}' is a file, and '{folder}' wants a folder; choose another name")
        if not folder.parent.is_dir():
            raise RunError(f"there is no folder '{folder.parent}'; make it first: mkdir {folder.parent}")
        if is_taken(folder):
            # What is complete cannot be continued.
            onward = "" if (folder / FILE).exists() else f", or continue it with --resume {folder}"
            raise RunError(
                f"run '{folder}' exists already; choose another name, such as '{next_free(folder)}'{onward}"
            )


def check_resumable(folder: Path) -> Path:
    """Return the folder of a run that has a journal to go on with."""
    folder = run_folder(folder)
    if has_events(folder / JOURNAL):
        return folder
    if (folder / FILE).exists():
        raise RunError(f"run '{folder}' is complete; look at it with: rramlab show {folder}")
    raise RunError(f"nothing was recorded in run '{folder}'; start it anew under the same name")


def make_folder(folder: Path) -> None:
    """Make the folder of a run."""
    with clear_errors(folder.parent):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def is_taken(folder: Path) -> bool:
    """Tell whether a folder holds a run; one that was killed before its first event does not."""
    if (folder / FILE).exists():
        return True
    with suppress(RunError):
        return has_events(folder / JOURNAL)
    return True


def next_free(folder: Path) -> Path:
    """Return the name with the next number that is free."""
    names = (folder.with_name(f"{folder.name}-{i}") for i in range(2, 10_000))
    return next(name for name in names if not name.exists())
