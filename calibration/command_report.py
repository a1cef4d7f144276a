"""Tell what a calibration found: one screen, one document, a page."""

from collections.abc import Sequence
from pathlib import Path

from calibration.runner import Result
from calibration.show.report import tell_record
from calibration.show.values import facts_of
from rramlab.corrections.state import State, day
from rramlab.session import Session, Work


def draw(results: Sequence[Result], work: Work) -> None:
    """Write the page of figures into the folder of the run."""
    from calibration.page.whole import write_page

    write_page(results, work)


def show(session: Session, results: Sequence[Result], folder: Path) -> None:
    """Print each record, or why there is none, and where everything is."""
    terminal = session.terminal
    for one in results:
        if one.left_out:
            terminal.say(f"{one.procedure.name} left out: {one.why}")
        elif one.record is not None:
            kind = one.procedure.name
            tell_record(
                session, kind, {kind: one.record}, State("valid", f"holds until {day(one.record.expires)}")
            )
    terminal.say(f"page: {folder}/index.html   run file: {folder}/run.h5")
    terminal.document({"run": str(folder), "calibrations": [_facts(one) for one in results]})


def _facts(one: Result) -> dict[str, object]:
    if one.record is None:
        return {"kind": one.procedure.name, "found": False, "why": one.why}
    record = one.record
    return {
        "kind": record.kind,
        "found": True,
        "date": record.date,
        "expires": record.expires,
        "values": facts_of(record),
        "residuals": dict(record.residuals),
    }
