"""Turn the events of a run into tables: one flat table per verb, one row per cell, step or request."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from rramlab.pulse import Delivery
from rramlab.recorder import Event

Array = NDArray[Any]
Table = dict[str, Array]

NAMES = {
    "pulse": "pulses",
    "read": "reads",
    "sweep": "sweeps",
    "wait": "waits",
    "multiply": "multiplies",
    "solve": "solves",
}
# Their arrays have one value per cell or per step; those of the other verbs have shapes of their own.
_FLAT = ("pulse", "read", "sweep", "wait")


@final
@dataclass(frozen=True, eq=False)
class Exchange:
    """Hold a request with its answer, or None where the process died in between."""

    asked: Event
    answered: Event | None


def exchanges(events: Iterable[Event]) -> dict[str, list[Exchange]]:
    """Return the requests of each verb with their answers, in order."""
    listed = list(events)
    answers = {event.number: event for event in listed if event.stage == "result"}
    found: dict[str, list[Exchange]] = defaultdict(list)
    for event in listed:
        if event.stage == "request":
            found[event.verb].append(Exchange(event, answers.get(event.number)))
    return found


def verb_tables(found: Mapping[str, list[Exchange]], began: float) -> dict[str, Table]:
    """Return the flat table of each verb; `began` is the wall time (s) that `since_start` counts from."""
    return {name: _table(found.get(verb, []), began, verb in _FLAT) for verb, name in NAMES.items()}


def verb_arrays(found: Mapping[str, list[Exchange]]) -> dict[str, dict[int, Table]]:
    """Return the arrays of the verbs that have no flat table, by number of the request."""
    return {
        name: {exchange.asked.number: _arrays(exchange) for exchange in found[verb]}
        for verb, name in NAMES.items()
        if verb in found and verb not in _FLAT
    }


def join(parts: Sequence[Table], lengths: Sequence[int] | None = None) -> Table:
    """Return small tables of these lengths one after the other; a column that one lacks is filled up."""
    sizes = [1] * len(parts) if lengths is None else lengths
    names = {name: column.dtype for part in parts for name, column in part.items()}
    return {
        name: np.concatenate([_column(part, name, dtype, n) for part, n in zip(parts, sizes, strict=True)])
        for name, dtype in names.items()
    }


def _table(listed: list[Exchange], began: float, flat: bool) -> Table:
    parts = [_stretched(_arrays(exchange)) if flat else {} for exchange in listed]
    lengths = [len(next(iter(part.values()), "1")) for part in parts]
    once = join([_once(exchange, began) for exchange in listed])
    # Repeated at the end: a long run has millions of rows, and each column is made once.
    return {name: np.repeat(column, lengths) for name, column in once.items()} | join(parts, lengths)


def _once(exchange: Exchange, began: float) -> Table:
    """Return what a request has once, not per cell, as columns of one row."""
    asked, answered = exchange.asked, exchange.answered
    values = {
        "number": asked.number,
        "answered": answered is not None,
        "bench_time": asked.bench_time,
        "wall_time": asked.wall_time,
        "since_start": asked.wall_time - began,
        "answered_at": np.nan if answered is None else answered.wall_time,
        "took": np.nan if answered is None else answered.bench_time - asked.bench_time,
    }
    return {name: np.array([value]) for name, value in (values | _scalars(asked, answered)).items()}


def _scalars(asked: Event, answered: Event | None) -> dict[str, Any]:
    facts = dict(asked.facts) | (dict(answered.facts) if answered else {})
    plain = {name: fact for name, fact in facts.items() if isinstance(fact, int | float)}
    rest = {name: fact for name, fact in facts.items() if name not in plain}
    return plain | ({"facts": json.dumps(rest)} if rest else {})


def _arrays(exchange: Exchange) -> Table:
    asked = dict(exchange.asked.columns)
    answer = exchange.answered.columns if exchange.answered else {}
    return asked | {f"answer_{name}" if name in asked else name: value for name, value in answer.items()}


def _stretched(arrays: Table) -> Table:
    """Return the arrays of a request at one length.

    The one cell of a sweep stands in each of its steps; a sweep that its bench cut short is filled up.
    """
    columns = {name: np.atleast_1d(column) for name, column in arrays.items()}
    length = max((len(column) for column in columns.values()), default=1)
    return {name: _at_length(name, column, length) for name, column in columns.items()}


def _at_length(name: str, column: Array, length: int) -> Array:
    if column.shape == (1,):
        return np.repeat(column, length)
    missing = length - len(column)
    return np.concatenate([column, _fill(name, column.dtype, missing)]) if missing else column


def _column(part: Table, name: str, dtype: np.dtype[Any], length: int) -> Array:
    return part[name] if name in part else _fill(name, dtype, length)


def _fill(name: str, dtype: np.dtype[Any], length: int) -> Array:
    if name == "delivery":
        return np.full(length, Delivery.UNKNOWN, dtype=dtype)
    value = {"f": np.nan, "c": np.nan, "i": -1, "b": False}.get(dtype.kind, 0)
    return np.full(length, value, dtype=dtype) if dtype.kind not in "SU" else np.zeros(length, dtype=dtype)
