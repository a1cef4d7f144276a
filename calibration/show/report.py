"""Show the calibration of a bench: what is known, how well, of which bench and until when."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from calibration.order import PROCEDURES
from calibration.show.values import facts_of, told
from calibration.show.words import residuals, words
from rramlab.bench import Bench
from rramlab.corrections.correction import Correction
from rramlab.corrections.library import Library
from rramlab.corrections.record import Record
from rramlab.corrections.state import Shelf, State, state_of
from rramlab.errors import BenchFileError, RramlabError
from rramlab.session import Session

HEAD = ("what", "value ± standard uncertainty")


def tell(session: Session, history: bool = False, now: float | None = None) -> None:
    """Print the records of the bench, also those that do not hold; no instrument is opened."""
    bench, at = session.bench(), time.time() if now is None else now
    library, who = library_of(session, bench), answers(bench)
    shelf = library.look()
    states = {kind: state_of(kind, shelf, who, at) for kind in in_turn(shelf)}
    for kind, state in states.items():
        tell_record(session, kind, shelf, state)
        if history:
            _tell_history(session, library, kind)
    session.terminal.say(summary(bench.bench.id, states))
    records = {kind: _facts(kind, shelf, state) for kind, state in states.items()}
    session.terminal.document({"bench": bench.bench.id, "folder": str(library.folder), "records": records})


def library_of(session: Session, bench: Bench) -> Library:
    """Return where the records of a bench are kept; the built-in bench keeps none."""
    if session.bench_path is None:
        raise BenchFileError(
            "the built-in bench has nothing to calibrate; name one with --bench FILE, or have one to try: "
            "rramlab bench init unknown.toml --template unknown"
        )
    return bench.library()


def in_turn(shelf: Mapping[str, Any]) -> list[str]:
    """Return the kinds in the order of the procedures, those of others last."""
    return [*(kind for kind in PROCEDURES if kind in shelf), *sorted(set(shelf) - set(PROCEDURES))]


def answers(bench: Bench) -> dict[str, str]:
    """Return who answers without being opened; a bench that cannot be made here answers nothing."""
    with suppress(RramlabError):
        return bench.open(correction=Correction()).identify()
    return {}


def summary(name: str, states: Mapping[str, State]) -> str:
    """Return in one line how it is with the calibration of a bench, and what to do."""
    bad = [f"'{kind}'" for kind, state in states.items() if state.refused]
    if not states:
        return f"bench '{name}' is not calibrated; do it with: rramlab calibrate all"
    if bad:
        return f"{', '.join(bad)} will be refused; renew with: rramlab calibrate all"
    old = [kind for kind, state in states.items() if state.word != "valid"]
    if old:
        return f"what is in use holds; renew at leisure: {', '.join(old)}"
    return f"the calibration of bench '{name}' holds"


def tell_record(session: Session, kind: str, shelf: Shelf, state: State) -> None:
    """Print one record as a table, or what is wrong with it."""
    record = shelf[kind]
    if not isinstance(record, Record):
        session.terminal.say(f"{kind}: {state.words}")
        return
    rows = [[words(kind, name), told(record, name)] for name in record.values]
    left = [[f"left: {name}", value] for name, value in residuals(record)]
    of = ", ".join(f"{part} {serial}" for part, serial in record.identity.items())
    session.terminal.table(
        f"{kind}: {state.words}",
        HEAD,
        [*rows, *left, ["made", record.date], ["of", of], ["measured in", record.run]],
    )


def _tell_history(session: Session, library: Library, kind: str) -> None:
    for record in library.history(kind)[:-1]:
        told_values = "; ".join(f"{words(kind, name)} {told(record, name)}" for name in record.values)
        session.terminal.say(f"  before, {record.date}: {told_values}")


def _facts(kind: str, shelf: Shelf, state: State) -> dict[str, Any]:
    record = shelf[kind]
    facts: dict[str, Any] = {"state": state.word, "told": state.words}
    if not isinstance(record, Record):
        return facts
    return facts | {
        "date": record.date,
        "made": record.made,
        "expires": record.expires,
        "identity": dict(record.identity),
        "run": record.run,
        "values": facts_of(record),
        "residuals": dict(record.residuals),
        "conditions": dict(record.conditions),
    }
