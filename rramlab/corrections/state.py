"""Say whether a record holds: here, now, and together with those that it was built upon."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import final

from rramlab.corrections.library import USED, is_used
from rramlab.corrections.record import Record
from rramlab.errors import CalibrationError

Shelf = Mapping[str, Record | CalibrationError]


@final
@dataclass(frozen=True)
class State:
    """Hold how it is with a record: in a word for a script, in words for a person, and whether work stops.

    A record that does not hold stops work only where the door would use it.
    """

    word: str
    words: str
    refused: bool = False


def state_of(kind: str, shelf: Shelf, who: Mapping[str, str], now: float) -> State:
    """Return the state of a record at a time (s since the epoch) on a bench that answers `who`."""
    record = shelf[kind]
    if not isinstance(record, Record):
        return State("broken", f"CANNOT BE READ: {record}", kind in USED)
    used = is_used(record, shelf)
    for part, serial in record.identity.items():
        if who.get(part, serial) != serial:
            words = f"OF ANOTHER BENCH: its {part} was '{serial}', here is '{who[part]}'"
            return State("foreign", words, used)
    if now > record.expires:
        return State("expired", f"EXPIRED on {day(record.expires)}", used)
    newer = [name for name in _built_on(record) if _is_newer(shelf.get(name), record, name)]
    if newer:
        return State("outdated", f"holds until {day(record.expires)}, made with an older '{newer[0]}'")
    return State("valid", f"holds until {day(record.expires)}")


def day(seconds: float) -> str:
    """Return a date (UTC) of seconds since the epoch; a time beyond the calendar is "for ever"."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "for ever"


def _built_on(record: Record) -> Mapping[str, float]:
    found = record.conditions.get("built_on", {})
    return found if isinstance(found, Mapping) else {}


def _is_newer(here: Record | CalibrationError | None, record: Record, name: str) -> bool:
    return isinstance(here, Record) and here.made > float(_built_on(record)[name])
