"""Hold all that a run says, as it is read from its events or from its file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from rramlab.errors import RunError
from rramlab.history import add_history
from rramlab.recorder import Event
from rramlab.tables import Exchange, Table, exchanges, join, verb_arrays, verb_tables

# The notes that the run itself writes.
START, RESUMED, IDENTITY, KEEP, STOP, END = "start", "resumed", "identity", "keep", "stop", "end"
# And the one that a recovery adds to the file of a damaged journal.
SALVAGED = "salvaged"
_APART = (START, IDENTITY)
_STATES = {RESUMED: "unfinished", STOP: "stopped: ", END: "complete", SALVAGED: "salvaged; lost: "}


@final
@dataclass(frozen=True, eq=False)
class Kept:
    """Hold a named result of a protocol: arrays, the unit of each, and facts."""

    columns: Table
    units: Mapping[str, str]
    facts: Mapping[str, Any]


@final
@dataclass(frozen=True, eq=False)
class Contents:
    """Hold the start facts, attributes, who answered, tables, arrays and kept results of a run.

    `tables` maps "pulses", "reads", "sweeps", "waits", "multiplies", "solves" and "notes" to columns of equal
    length (one row per cell, per step of a sweep, or per request). `arrays` maps "solves", "multiplies" (by
    number of the request) and "notes" (by row of the table) to arrays with shapes of their own. `kept` maps
    the name of a result to its last version; earlier versions stand among the notes.
    """

    start: Mapping[str, Any]
    attributes: Mapping[str, Any]
    identities: tuple[Mapping[str, Any], ...] = ()
    tables: dict[str, Table] = field(default_factory=dict)
    arrays: dict[str, dict[int, Table]] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)


def contents_of(events: Sequence[Event]) -> Contents:
    """Return what these events say."""
    if not events:
        raise RunError("nothing was recorded in this run; start it anew under the same name")
    began, found = events[0].wall_time, exchanges(events)
    tables, arrays = verb_tables(found, began), verb_arrays(found)
    add_history(tables["pulses"], tables["reads"])
    notes = [event for event in events if event.stage == "note"]
    kept = {event.facts["name"]: event for event in notes if event.verb == KEEP}
    told = [event for event in notes if event.verb not in _APART and event not in kept.values()]
    tables["notes"] = join([_note(event, began) for event in told])
    arrays["notes"] = {i: dict(event.columns) for i, event in enumerate(told) if event.columns}
    return Contents(
        # A salvaged record can lack its first event.
        start=events[0].facts if events[0].verb == START else {},
        attributes=_attributes(events, notes, found),
        identities=tuple(event.facts for event in notes if event.verb == IDENTITY),
        tables=tables,
        arrays=arrays,
        kept={name: _kept(event) for name, event in kept.items()},
    )


def _attributes(
    events: Sequence[Event], notes: Sequence[Event], found: Mapping[str, list[Exchange]]
) -> dict[str, Any]:
    told = next((event for event in reversed(notes) if event.verb in _STATES), events[0])
    why = str(told.facts.get("why", ""))
    return {
        "complete": told.verb == END,
        "exit_status": f"{_STATES.get(told.verb, _STATES[RESUMED])}{why}",
        "n_events": len(events),
        "open_requests": sum(one.answered is None for listed in found.values() for one in listed),
        "sessions": 1 + sum(event.verb == RESUMED for event in notes),
        "began": events[0].wall_time,
        "ended": events[-1].wall_time,
    }


def _note(event: Event, began: float) -> Table:
    values = {
        "number": event.number,
        "verb": event.verb,
        "bench_time": event.bench_time,
        "wall_time": event.wall_time,
        "since_start": event.wall_time - began,
        "facts": json.dumps(dict(event.facts)),
    }
    return {name: np.array([value]) for name, value in values.items()}


def _kept(event: Event) -> Kept:
    return Kept(dict(event.columns), event.facts["units"], event.facts["facts"])
